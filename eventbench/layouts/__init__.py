"""Dataset folder -> samples, one way of laying recordings out a file.

A room of its own beside sources/, because where samples lie is not how their bytes are decoded:
the same .bin format comes in class folders, and one long file may hold many samples.
"""
