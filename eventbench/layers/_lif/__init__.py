"""The engines of the leaky layers: one neuron, computed by Norse's step, by Numba or by Triton."""
