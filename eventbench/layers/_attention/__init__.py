"""The computation of TCJA and PFA, forward and backward, without a map of the input's size for each rank."""
