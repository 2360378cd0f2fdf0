"""Progress bars, on stderr where that is a terminal."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

A = TypeVar("A")


class _Bar(tqdm):  # type: ignore[misc]  # tqdm has no types
    """Locked among threads only: tqdm's own lock is shared with forked processes, and one killed with it stops all."""


_Bar.set_lock(threading.RLock())


def bar(items: Iterable[A], *, of: str, unit: str, total: int, done: int = 0) -> Iterable[A]:
    """The items behind a bar: the `eventbench.files.progress.Progress` of the command line."""
    shown: Iterable[A] = _Bar(items, desc=of, unit=unit, total=total, initial=done, disable=None)
    return shown
