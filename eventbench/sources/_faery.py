"""faery's decoder of Event Stream: its packets joined, its failures in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from eventbench.errors import BadEvents, BadRecording
from eventbench.sources._decoded import Columns


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


def joined(packets: Iterable[np.ndarray]) -> Columns:
    """t, x, y and p of all packets, end to end."""
    filled = [packet for packet in packets if len(packet)]
    names = ["t", "x", "y", "on"]
    parts = [[packet[name] for packet in filled] for name in names]
    t, x, y, p = (np.concatenate(part) if part else np.empty(0, np.int64) for part in parts)
    return t, x, y, p
