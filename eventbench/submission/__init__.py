"""A submission: its folder, its model, and the one place that runs its code."""
