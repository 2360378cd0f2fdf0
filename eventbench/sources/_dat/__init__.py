"""How DAT files are decoded: pairs of words to columns, and the 32-bit clock."""
