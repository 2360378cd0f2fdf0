"""Raw recordings to stores of events, and those through a pipeline to stores of frames."""
