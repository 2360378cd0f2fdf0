"""Batch of training frames -> the same batch, changed at random, one augmentation a file."""
