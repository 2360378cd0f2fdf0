"""The simulator behind the source `sim_gesture`: random numbers, arithmetic, a figure and its gestures, renderer, DVS pixel."""
