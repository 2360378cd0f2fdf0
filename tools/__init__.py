"""Tools of a checkout: what builds the pages of the documentation. No wheel carries them."""
