"""How columns of any file become events: which column is which, their units and values."""
