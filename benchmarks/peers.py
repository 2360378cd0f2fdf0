"""Other packages as benchmarks need them: their events made from ours and compared with ours, SpikingJelly without torchvision."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import numpy as np

from eventbench.events import Events


def columns_of(theirs: Any) -> dict[str, np.ndarray]:
    """Columns t, x, y, p of the events of any peer: eventcv's stream, evutils' columns, or an array with fields."""
    if hasattr(theirs, "timestamp_scale_ms"):
        return dict(zip("xytp", theirs.numpy().T, strict=True))
    if not isinstance(theirs, np.ndarray):
        return {name: np.asarray(getattr(theirs, name)) for name in "txyp"}
    times = "t" if "t" in (theirs.dtype.names or ()) else "ts"
    return {"t": theirs[times], **{name: theirs[name] for name in "xyp"}}


def check_same_events(what: str, ours: Events, theirs: Any) -> None:
    """Refuse to time what is not equal: the columns of a peer must be ours, where a polarity of -1 or False is 0."""
    for name, column in columns_of(theirs).items():
        column = column > 0 if name == "p" else column
        if not np.array_equal(getattr(ours, name), column):
            raise SystemExit(f"{what}: column {name} is not ours")


def eventcv_stream(events: Events) -> Any:
    """The events as eventcv's EventStream."""
    import eventcv

    rows = np.stack([events.x, events.y, events.t, events.p], axis=1).astype(np.int64)
    return eventcv.from_numpy(rows, time_unit="us", sensor_size=events.sensor)


def evutils_events(events: Events) -> Any:
    """The events as evutils' EventArray, of the same columns."""
    from evutils.types import EventArray

    return EventArray(events.t, events.x, events.y, events.p)


def evio_events(events: Events) -> np.ndarray:
    """The events as evio's records."""
    from evio.core import from_arrays

    return from_arrays(events.x, events.y, events.t, events.p)


def spikingjelly_datasets() -> ModuleType:
    """`spikingjelly.datasets`, imported with mocks of torchvision and torchaudio, whose binaries would have to fit torch's."""
    names = ["torchvision", "torchvision.datasets", "torchvision.datasets.utils", "torchvision.transforms"]
    names += ["torchaudio", "torchaudio.transforms"]
    modules_before = {name: sys.modules.get(name) for name in names}
    sys.modules.update({name: MagicMock(name=name) for name in names})
    sys.modules["torchvision.datasets"].DatasetFolder = type("DatasetFolder", (), {})  # type: ignore[attr-defined]
    try:
        import spikingjelly.datasets
        import spikingjelly.datasets.utils

        return spikingjelly.datasets
    finally:
        for name, module in modules_before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
