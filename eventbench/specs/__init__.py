"""Typed structs for the data files: card, pipeline, task, submission, record."""
