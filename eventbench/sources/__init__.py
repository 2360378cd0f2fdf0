"""Raw format -> Events, one format a file."""
