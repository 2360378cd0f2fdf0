"""Bytes of every raw format, written from its definition and by none of the package's code, one format a file."""
