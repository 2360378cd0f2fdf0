"""Events in memory: one recording (Events), a batch of them (EventBatch), and packed as in a store (packed.PackedEvents)."""

from __future__ import annotations

from eventbench.events.batch import EventBatch
from eventbench.events.events import Events

__all__ = ["EventBatch", "Events"]
