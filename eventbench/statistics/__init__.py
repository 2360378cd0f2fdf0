"""Intervals and paired tests, each with its source."""
