"""Networks and baselines, one architecture per file."""
