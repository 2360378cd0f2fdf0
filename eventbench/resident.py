"""A split held on the device as it is stored, and the batches a network sees, made there.

The one place where (samples, T, P, H, W) of a store becomes the (T, N, C, H, W) of a network.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from eventbench.store.read import FrameStore


class ResidentSplit:
    """Some samples of a store of frames, on one device.

    Attributes
    ----------
    ids : list of str (samples,)
    frames : (samples, T, P, H, W), in the store's own type (uint8 takes a quarter of float32)
    labels : int64 (samples,)
    """

    def __init__(self, store: FrameStore, rows: np.ndarray, device: torch.device) -> None:
        self.ids = [store.ids[row] for row in rows]
        self.frames = torch.from_numpy(store.taken(rows)).to(device)
        self.labels = torch.from_numpy(store.labels[rows].astype(np.int64)).to(device)

    def __len__(self) -> int:
        return len(self.ids)

    def batches(
        self, size: int, generator: torch.Generator | None = None, shift: int = 0
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """(frames float32 (T, N, C, H, W), labels (N,)), every sample once; the last batch may be smaller.

        With a `generator` (on the CPU, so that it draws alike for every device) the order is shuffled and each sample's
        frames are moved by up to `shift` pixels both ways, zeros coming in. Without one the order is the split's own and
        nothing is changed: evaluation cannot be augmented.
        """
        order = torch.randperm(len(self), generator=generator) if generator else torch.arange(len(self))
        for chosen in order.split(size):
            rows = chosen.to(self.frames.device)
            frames = self.frames[rows]
            if generator and shift:
                by = torch.randint(-shift, shift + 1, (len(rows), 2), generator=generator)
                frames = _shifted(frames, by.to(frames.device), shift)
            yield frames.transpose(0, 1).float(), self.labels[rows]


def _shifted(frames: torch.Tensor, by: torch.Tensor, most: int) -> torch.Tensor:
    """Each sample of (N, T, P, H, W) moved by its own (rows, columns) of `by`, zeros coming in."""
    N, _, _, H, W = frames.shape
    padded = torch.nn.functional.pad(frames, (most, most, most, most))
    n = torch.arange(N, device=frames.device)[:, None, None]
    rows = torch.arange(H, device=frames.device)[None, :, None] + most - by[:, 0, None, None]
    columns = torch.arange(W, device=frames.device)[None, None, :] + most - by[:, 1, None, None]
    # The indexed axes come first, around the untouched T and P: (N, H, W, T, P).
    return padded[n, :, :, rows, columns].permute(0, 3, 4, 1, 2)
