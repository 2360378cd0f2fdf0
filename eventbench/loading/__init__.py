"""Loaders: the samples of a task in batches on the device, from frames or events, in memory or streamed."""
