"""Counting synaptic operations: a counter for each kind of layer, and what finds products that no counter knows."""
