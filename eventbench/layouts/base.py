"""What a layout is: the samples of a dataset folder, in an order that no file system decides."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from eventbench.specs.card import Card


class Sample(NamedTuple):
    """One sample of a dataset: a unique id, its split, its class index, who is in it, where it is.

    `recording` is what the card's source reads: a file, or the id of a simulated recording. Where a sample is only a part
    of it, `window` is the part's [start, stop) in microseconds of the recording's own clock, `part` its [start, stop) in
    events counted from 0, or `row` its number in a file that holds many, counted from 0.
    """

    id: str
    split: str
    label: int
    subject: str
    recording: Path | str
    window: tuple[int, int] | None = None
    row: int | None = None
    part: tuple[int, int] | None = None


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way of laying recordings out in folders. Its fields are the parameters a card sets."""

    @abstractmethod
    def samples(self, card: Card, root: Path) -> list[Sample]:
        """Every sample under `root`, sorted by id. Raises BadDataset where the folder is not laid out so."""
