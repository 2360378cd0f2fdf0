"""`Progress`: the callback by which long work reports its progress, without knowing how it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Progress(Protocol):
    """Yields the items of long work unchanged and may show each one: the command line draws a progress bar."""

    def __call__(
        self, items: Iterable[Item], *, of: str, unit: str, total: int, done: int = 0
    ) -> Iterable[Item]:
        """`of` names the work, `unit` an item; `done` of the `total` items were done earlier."""


def no_progress(items: Iterable[Item], **_: object) -> Iterable[Item]:
    """The `Progress` that shows nothing."""
    return items
