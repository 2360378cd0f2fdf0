"""faery's decoders, which read files: bytes given a file for as long as it takes, packets joined, failures in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from eventbench.errors import BadEvents, BadRecording
from eventbench.events import Events
from eventbench.sources.base import smallest_sensor


@contextmanager
def faery_errors(name: str) -> Iterator[None]:
    """What faery raises about a file becomes a BadRecording; a panic of its Rust code, which is no Exception, too."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, BadRecording):
        raise
    except BadEvents as error:
        raise error.as_kind(BadRecording, where=name) from None
    except MemoryError:
        raise BadRecording("it asks for more memory than there is: damaged", where=name) from None
    except BaseException as error:  # noqa: BLE001  # a panic of Rust is no Exception
        message = " ".join(str(error).split()) or type(error).__name__
        raise BadRecording(
            f"cannot be decoded: {message[:200]}", where=name, fix="fetch the file again"
        ) from None


def joined(
    packets: Iterator[np.ndarray],
    name: str,
    sensor: tuple[int, int] | None,
    change: Callable[[dict[str, np.ndarray]], None] | None = None,
) -> Events:
    """The events of all packets; `sensor` None takes the smallest that holds them. `change` may replace columns."""
    filled = [packet for packet in packets if len(packet)]
    columns: dict[str, np.ndarray] = {}
    for column, field in (("t", "t"), ("x", "x"), ("y", "y"), ("p", None)):
        parts = [packet[field or _polarity(packet)] for packet in filled]
        columns[column] = np.concatenate(parts) if parts else np.empty(0, np.int64)
    if change is not None:
        change(columns)
    if sensor is None:
        sensor = smallest_sensor(columns["x"], columns["y"], name)
    return Events(**columns, sensor=sensor)


def _polarity(packet: np.ndarray) -> str:
    names = packet.dtype.names or ()
    return next(name for name in ("on", "p", "payload", "polarity") if name in names)
