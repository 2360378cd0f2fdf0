"""Networks and baselines, one architecture a file."""
