"""`ResidentFrames`: a loader that keeps frames on the device in the dtype of the store."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch

from eventbench.loading.binned import BinnedStore
from eventbench.loading.loader import Loader
from eventbench.store.read import FrameStore


class ResidentFrames(Loader):
    """Some samples of a store of frames, or of a BinnedStore, on one device.

    Attributes
    ----------
    frames : (samples, T, P, H, W), in the dtype of the store (uint8 takes a quarter of float32)
    """

    def __init__(self, store: FrameStore | BinnedStore, rows: np.ndarray, device: torch.device) -> None:
        super().__init__(store, rows, device)
        self.frames = torch.from_numpy(store.gather(rows)).to(device)

    def _gather(self, order: torch.Tensor, size: int) -> Generator[torch.Tensor, None, None]:
        for rows in torch.split(order.to(self.frames.device), size):
            yield self.frames[rows]
