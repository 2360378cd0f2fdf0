"""`BinnedStore`: a store of events with the interface of a store of frames; samples are binned when they are read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eventbench.errors import BadSpec
from eventbench.preprocess.binning import Binning
from eventbench.store.read import EventStore


class BinnedStore:
    """A store of events that behaves like a store of frames: samples are binned on the CPU when they are read.

    The frames are the same as in a store of frames of the same events and pipeline. Raises BadSpec for a store of
    frames, or for a binning without a fixed number of frames.

    Attributes
    ----------
    events : the store of events
    shape : (T, C, H, W) of a sample
    dtype : that of the frames
    ids, splits, subjects, labels, classes, account, path, raw_digest, left_out : those of the store of events
    """

    def __init__(self, events: EventStore, binning: Binning) -> None:
        if not isinstance(events, EventStore):
            raise BadSpec(
                "it holds frames, which cannot be binned again",
                where=events.path,
                allowed="a store of events",
            )
        self.events, self.binning = events, binning
        self.shape: tuple[int, ...] = binning.shape(events.sensor)
        self.dtype = binning.dtype
        self.path, self.account, self.raw_digest = events.path, events.account, events.raw_digest
        self.left_out = events.left_out
        self.ids, self.splits, self.subjects = events.ids, events.splits, events.subjects
        self.labels, self.classes = events.labels, events.classes

    def __len__(self) -> int:
        return len(self.events)

    def rows(self, split: str) -> np.ndarray:
        """The indices of a split's samples. Raises BadStore if the split does not exist."""
        return self.events.rows(split)

    def gather(self, rows: Sequence[int] | np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """The frames (rows, T, C, H, W) of these samples, written into `out` when given."""
        if out is None:
            out = np.empty((len(rows), *self.shape), self.dtype)
        for row, sample in zip(rows, out, strict=True):
            self.binning.apply(self.events.columns(int(row)), out=sample)
        return out
