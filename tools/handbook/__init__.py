"""The handbook: pages on datasets, formats, representations and steps, made from the code and the cards they describe."""
