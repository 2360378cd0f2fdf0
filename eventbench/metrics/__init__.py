"""Metrics: figures of a scored run, one metric a file."""
