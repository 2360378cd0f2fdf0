"""Raw recordings: read, found by a card in a folder, downloaded, and held to what the card pins."""
