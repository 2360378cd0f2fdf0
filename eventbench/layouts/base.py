"""What a layout is: the samples of a dataset folder, in an order that no file system decides."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from eventbench.specs.sample import Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way of laying recordings out in folders. Its fields are the parameters a card sets."""

    @abstractmethod
    def samples(self, card: Card, root: Path) -> list[Sample]:
        """Every sample under `root`, sorted by id. Raises BadDataset where the folder is not laid out so."""
