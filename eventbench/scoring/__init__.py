"""A submission scored on a task: the contract, the harness, the environment it ran in."""
