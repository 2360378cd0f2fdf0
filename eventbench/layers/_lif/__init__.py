"""The backends of the leaky layers: the same neuron computed by Norse's step, by Numba or by Triton."""
