"""Submissions: the folder, the model, and the only place that runs submitted code."""
