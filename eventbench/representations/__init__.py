"""Events -> array (T, P, H, W), one representation a file."""
