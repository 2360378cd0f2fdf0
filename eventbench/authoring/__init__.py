"""Data files written for a user: a card from a folder of recordings, a task from a card, a submission to begin with."""
