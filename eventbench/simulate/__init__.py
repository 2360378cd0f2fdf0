"""The simulator behind `sim_gesture`: seeded numbers, exact arithmetic, a figure, its renderer, a DVS pixel."""
