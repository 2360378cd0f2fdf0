"""`BinnedStore`: a store of events with the interface of a store of frames, binned as samples are taken."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eventbench.errors import BadSpec
from eventbench.preprocess.binning import Binning
from eventbench.store.read import EventStore


class BinnedStore:
    """A store of events as if it were one of frames: binned on the CPU as samples are taken, by any `Binning`.

    The frames are those that a store of frames of the same events and pipeline would hold. Raises BadSpec for a
    store of frames, or a binning that has no fixed number of frames.

    Attributes
    ----------
    events : the store underneath
    shape : (T, C, H, W) of a sample
    dtype : of its values
    ids, splits, subjects, labels, classes, account, path : of the store of events
    """

    def __init__(self, events: EventStore, binning: Binning) -> None:
        if not isinstance(events, EventStore):
            raise BadSpec(
                "it holds frames, which cannot be binned", where=events.path, allowed="a store of events"
            )
        self.events, self.binning = events, binning
        self.shape: tuple[int, ...] = binning.shape(events.sensor)
        self.dtype = binning.dtype
        self.path, self.account = events.path, events.account
        self.ids, self.splits, self.subjects = events.ids, events.splits, events.subjects
        self.labels, self.classes = events.labels, events.classes

    def __len__(self) -> int:
        return len(self.events)

    def rows(self, split: str) -> np.ndarray:
        """The indices of a split's samples. Raises BadStore where there is no such split."""
        return self.events.rows(split)

    def gather(self, rows: Sequence[int] | np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """The frames (rows, T, C, H, W) of these samples, written into `out` when given."""
        if out is None:
            out = np.empty((len(rows), *self.shape), self.dtype)
        for row, sample in zip(rows, out, strict=True):
            self.binning.apply(self.events.columns(int(row)), out=sample)
        return out
