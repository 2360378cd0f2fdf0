"""Training of a model into a submission folder: recipe, losses, training step, loop, learning curves."""
