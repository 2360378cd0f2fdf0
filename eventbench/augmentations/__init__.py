"""Augmentations: random changes of batches of training frames, one per file."""
