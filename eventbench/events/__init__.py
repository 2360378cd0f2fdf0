"""Events in memory: one recording, many in a batch, packed as a store keeps them."""

from __future__ import annotations

from eventbench.events.batch import EventBatch
from eventbench.events.events import Events

__all__ = ["EventBatch", "Events"]
