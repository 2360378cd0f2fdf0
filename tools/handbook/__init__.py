"""The handbook: pages on datasets, formats, representations and steps, generated from the code and the cards."""
