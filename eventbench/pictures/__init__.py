"""Pictures of recordings: frames, an event cloud and a time surface, as PNG, GIF or MP4."""
