"""A task's samples on the device, batch by batch, from frames or events, in memory or streamed."""
