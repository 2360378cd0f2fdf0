"""Steps: changes of events before they are binned, one a file; base.py says what a step is."""
