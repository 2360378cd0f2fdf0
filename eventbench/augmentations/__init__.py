"""Augmentations: batches of training frames changed at random, one augmentation a file."""
