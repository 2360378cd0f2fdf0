"""A store of events as if it held frames: binned as samples are taken."""

from __future__ import annotations

import numpy as np

from eventbench.preprocess.binning import Binning
from eventbench.store.read import EventStore


class BinnedStore:
    """A store of events as if it were one of frames: binned on the CPU as samples are taken, by any `Binning`."""

    def __init__(self, store: EventStore, binning: Binning) -> None:
        self.store, self.binning = store, binning
        self.ids, self.labels, self.classes = store.ids, store.labels, store.classes
        self.shape, self.dtype = binning.shape(store.sensor), binning.dtype

    def gather(self, rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """The arrays (rows, T, C, H, W) of these samples, written into `out` when given."""
        if out is None:
            out = np.empty((len(rows), *self.shape), self.dtype)
        for row, place in zip(rows, out, strict=True):
            self.binning.apply(self.store.columns(int(row)), out=place)
        return out
