"""Training a model into a submission folder: recipe, losses, steps, the loop, the curves."""
