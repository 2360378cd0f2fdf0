"""Steps: changes of events before they are binned, one step per file; base.py has the base class."""
