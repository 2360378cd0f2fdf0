"""eventbench: from event-camera recordings to network input, spiking networks with attention, and a recomputed leaderboard.

>>> import eventbench as eb
>>> events = eb.Events(t=[0, 10, 20], x=[0, 1, 1], y=[0, 0, 1], p=[1, 0, 1], sensor=(2, 2))
>>> eb.frames(events, bins=2, split_by="time", dtype="uint8").shape      # (T, P, H, W)
(2, 2, 2, 2)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from eventbench.errors import EventbenchError, EventbenchWarning

if TYPE_CHECKING:
    from eventbench.events import EventBatch, Events
    from eventbench.loading.torch_dataset import open_store
    from eventbench.recordings.opening import open_recording
    from eventbench.recordings.read import read, read_batch
    from eventbench.recordings.save import save
    from eventbench.representations.functional import frames

__version__ = "0.3.0.dev0"

__all__ = [
    "EventBatch",
    "EventbenchError",
    "EventbenchWarning",
    "Events",
    "__version__",
    "frames",
    "open_recording",
    "open_store",
    "read",
    "read_batch",
    "save",
]

# Public names and the modules that define them, imported at first use, so that `import eventbench` is fast.
_LAZY = {
    "EventBatch": "eventbench.events",
    "Events": "eventbench.events",
    "frames": "eventbench.representations.functional",
    "open_recording": "eventbench.recordings.opening",
    "open_store": "eventbench.loading.torch_dataset",
    "read": "eventbench.recordings.read",
    "read_batch": "eventbench.recordings.read",
    "save": "eventbench.recordings.save",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'eventbench' has no attribute {name!r}")
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
