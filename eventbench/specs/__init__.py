"""The typed mirror of the data files: card, pipeline, task, submission, record."""
