"""A store of events as if it held frames: binned as samples are taken."""

from __future__ import annotations

import numpy as np

from eventbench.representations.base import Representation
from eventbench.store.read import EventStore


class BinnedStore:
    """A store of events as if it were one of frames: binned on the CPU as they are taken, by any representation."""

    def __init__(self, store: EventStore, representation: Representation) -> None:
        self.store, self.representation = store, representation
        self.ids, self.labels, self.classes = store.ids, store.labels, store.classes
        self.shape, self.dtype = representation.shape(store.sensor), representation.array_dtype

    def gather(self, rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """The arrays (rows, T, C, H, W) of these samples, written into `out` when given."""
        if out is None:
            out = np.empty((len(rows), *self.shape), self.dtype)
        for row, place in zip(rows, out, strict=True):
            self.representation.apply_packed(self.store.columns(int(row)), place)
        return out
