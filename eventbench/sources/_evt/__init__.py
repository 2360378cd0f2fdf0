"""How EVT files are decoded: the clock, and the words of each encoding."""
