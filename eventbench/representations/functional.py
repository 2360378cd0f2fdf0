"""`eb.frames`: the frames of a recording, or of a batch of them, in one call."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np

from eventbench.errors import BadEvents
from eventbench.events import EventBatch
from eventbench.events.events import Events, checked_sensor
from eventbench.representations.frames import Frames


@overload
def frames(
    events: Events | EventBatch | np.ndarray,
    bins: int = ...,
    split_by: str = ...,
    dtype: Any = ...,
    *,
    sensor: tuple[int, int] | None = ...,
    overflow: str = ...,
    duration_us: int | None = ...,
    events_per_frame: int | None = ...,
    out: np.ndarray | None = ...,
    threads: int = ...,
    return_account: Literal[False] = ...,
) -> np.ndarray: ...


@overload
def frames(
    events: Events | EventBatch | np.ndarray,
    bins: int = ...,
    split_by: str = ...,
    dtype: Any = ...,
    *,
    sensor: tuple[int, int] | None = ...,
    overflow: str = ...,
    duration_us: int | None = ...,
    events_per_frame: int | None = ...,
    out: np.ndarray | None = ...,
    threads: int = ...,
    return_account: Literal[True],
) -> tuple[np.ndarray, Any]: ...


def frames(
    events: Events | EventBatch | np.ndarray,
    bins: int = 16,
    split_by: str = "time",
    dtype: Any = "uint8",
    *,
    sensor: tuple[int, int] | None = None,
    overflow: str = "saturate",
    duration_us: int | None = None,
    events_per_frame: int | None = None,
    out: np.ndarray | None = None,
    threads: int = 1,
    return_account: bool = False,
) -> np.ndarray | tuple[np.ndarray, Any]:
    """Counts of events (T, P, H, W), and with `return_account` also the Account of where each event went.

    A structured array (tonic's, say) with its `sensor` (width, height) is taken as `Events.from_structured` takes it.
    Of an EventBatch of N recordings it makes (N, T, P, H, W) and a list of N accounts, in one call of the kernel.

    The parameters are those of `Frames`, which says how every `split_by` cuts, and of `Frames.apply`.
    `dtype` may be a NumPy type as well as its name.

    >>> events = Events(t=[0, 10, 20], x=[0, 1, 1], y=[0, 0, 1], p=[1, 0, 1], sensor=(2, 2))
    >>> counts, account = frames(events, bins=2, return_account=True)
    >>> counts.sum(axis=(1, 2, 3)).tolist(), account
    ([1, 2], Account(events=3, binned=3, lost={}))
    """
    structured = isinstance(events, np.ndarray) and events.dtype.names and sensor
    if not (structured or isinstance(events, Events | EventBatch)):
        raise BadEvents(
            f"frames takes Events, got {type(events).__name__}",
            fix="make them with eb.read or eb.Events, many with eb.EventBatch.of; a structured array needs sensor=(width, height)",
        )
    representation = Frames(
        bins=bins,
        split_by=split_by,
        duration_us=duration_us,
        events_per_frame=events_per_frame,
        dtype=dtype if isinstance(dtype, str) else _dtype_name(dtype),
        overflow=overflow,
    )
    counted: tuple[np.ndarray, Any] | None = None
    if isinstance(events, EventBatch):
        counted = representation.apply_batch(events, out, threads=threads)
    elif isinstance(events, np.ndarray):
        size = checked_sensor(sensor or ())
        counted = representation.apply_structured(events, size, out) if threads == 1 else None
        counted = counted or representation.apply(
            Events.from_structured(events, sensor=size), out, threads=threads
        )
    else:
        counted = representation.apply(events, out, threads=threads)
    return counted if return_account else counted[0]


def _dtype_name(dtype: Any) -> str:
    try:
        name: str = np.dtype(dtype).name
        return name
    except TypeError:
        return str(dtype)
