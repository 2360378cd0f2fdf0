"""How long work tells how far it is, without knowing who shows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

A = TypeVar("A")


class Progress(Protocol):
    """Gives the items of long work one by one, unchanged, and may show each: the command line draws a bar with it."""

    def __call__(self, items: Iterable[A], *, of: str, unit: str, total: int, done: int = 0) -> Iterable[A]:
        """`of` says what the work is about, `unit` what an item is; `done` of the `total` items were done before."""


def no_progress(items: Iterable[A], **_: object) -> Iterable[A]:
    """The items, and nothing is shown."""
    return items
