"""Kinds of task: what a model returns, what is stored as evidence, how figures are recomputed from it, what ranks."""
