"""Recordings written for others: one file a format, the mirror of `sources`. What a format cannot hold is refused."""
