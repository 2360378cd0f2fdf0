"""`eb.open_store`: a store of frames as a torch Dataset."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from eventbench.errors import BadStore
from eventbench.store.read import FrameStore, Store, open_any


class StoreDataset(Dataset):
    """(frames, label) pairs: frames a tensor (T, P, H, W) in the store's own type, label an int.

    A DataLoader collates them to (N, T, P, H, W); networks take (T, N, P, H, W). `store` has ids, splits,
    subjects, class names and the account of the events.
    """

    def __init__(self, store: FrameStore, rows: np.ndarray) -> None:
        self.store, self.rows = store, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        row = self.rows[i]
        return torch.from_numpy(np.array(self.store[row])), int(self.store.labels[row])


def open_store(path: str | PathLike[str], split: str | None = None) -> StoreDataset:
    """The store of frames at `path` as a torch Dataset, whole or one split of it.

    Raises BadStore when there is none, when it is unfinished, or when it holds events: those become
    frames by `eventbench preprocess DATASET --pipeline P`.
    """
    store: Store = open_any(Path(path))
    if not isinstance(store, FrameStore):
        raise BadStore(
            "holds events, not frames",
            where=path,
            fix=f"run eventbench preprocess {store.dataset} --pipeline P",
        )
    rows = np.arange(len(store)) if split is None else store.rows(split)
    return StoreDataset(store, rows)
