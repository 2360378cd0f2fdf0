"""Events -> events, one step a file."""
