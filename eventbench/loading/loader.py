"""`Loader`: batches of frames and labels for a network, from wherever the samples lie.

The one place where frames (samples, T, P, H, W) of a store become the (T, N, C, H, W) of a network.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import closing
from numbers import Integral
from typing import Protocol

import numpy as np
import torch

from eventbench.augmentations.base import Augmentation
from eventbench.errors import BadSpec

Batches = Generator[tuple[torch.Tensor, torch.Tensor], None, None]


class Samples(Protocol):
    """What a loader asks of every store: the id of each sample, its class number, and the names of the classes."""

    @property
    def ids(self) -> list[str]:
        """Of each sample."""

    @property
    def labels(self) -> np.ndarray:
        """Class numbers (samples,)."""

    @property
    def classes(self) -> list[str]:
        """Names of the classes, by number."""


class Loader(ABC):
    """Some samples of a store, batch by batch; each subclass keeps them elsewhere until then.

    Attributes
    ----------
    ids : list of str (samples,)
    labels : int64 (samples,), on the device
    classes : how many classes the store knows, whichever of them these samples have
    """

    def __init__(self, store: Samples, rows: np.ndarray, device: torch.device) -> None:
        if not len(rows):
            raise BadSpec("no samples", where=type(self).__name__, allowed="one row of the store or more")
        self.ids = [store.ids[row] for row in rows]
        self.labels = torch.from_numpy(store.labels[rows].astype(np.int64)).to(device)
        self.classes = len(store.classes)

    def __len__(self) -> int:
        return len(self.ids)

    @abstractmethod
    def _gather(self, order: torch.Tensor, size: int) -> Generator[torch.Tensor, None, None]:
        """Frames (N, T, P, H, W) on the device, new memory each, of `size` samples of `order` (on the CPU) at a time."""

    def batches(
        self,
        size: int,
        generator: torch.Generator | None = None,
        shift: int = 0,
        augment: Sequence[Augmentation] = (),
    ) -> Batches:
        """(frames float32 (T, N, C, H, W), labels (N,)), every sample once; the last batch may be smaller.

        With a `generator` (on the CPU, so that it draws alike for every device) the order is shuffled, each sample's
        frames are moved by up to `shift` pixels both ways, zeros coming in, and then changed by `augment`, one after
        the other: labels are then float32 (N, classes), each row a distribution. Without a generator the order is the
        split's own and nothing is changed: evaluation cannot be augmented, and `augment` is refused (BadSpec).
        """
        for name, value, least in (("size", size, 1), ("shift", shift, 0)):
            if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
                allowed = f"a whole number of {least} or more"
                raise BadSpec(f"{name} is {value!r}", where="batches", allowed=allowed)
        if augment and generator is None:
            raise BadSpec(
                "augment is given without a generator",
                where="batches",
                allowed="augment for training, with a generator; evaluation sees the samples as they are",
            )
        return self._batches(size, generator, shift, augment)

    def _batches(
        self, size: int, generator: torch.Generator | None, shift: int, augment: Sequence[Augmentation]
    ) -> Batches:
        device, shifts = self.labels.device, None
        order = torch.randperm(len(self), generator=generator) if generator else torch.arange(len(self))
        # All that is drawn for an epoch crosses the bus at once, not batch by batch.
        if generator and shift:
            shifts = torch.randint(-shift, shift + 1, (len(self), 2), generator=generator).to(device)
        labels = self.labels[order.to(device)]
        # Closed with this generator, also when a caller leaves early: a stream has a thread to end.
        with closing(self._gather(order, size)) as parts:
            for start, frames in zip(range(0, len(self), size), parts, strict=True):
                targets = labels[start : start + size]
                if shifts is not None:
                    frames = _shifted(frames, shifts[start : start + size], shift)
                if generator and augment:
                    targets = torch.nn.functional.one_hot(targets, self.classes).float()
                    if frames.dtype != torch.uint8:  # of the other unsigned types torch can do little
                        frames = frames.float()
                    for augmentation in augment:
                        frames, targets = augmentation.apply(frames, targets, generator)
                yield frames.transpose(0, 1).float(), targets


def _shifted(frames: torch.Tensor, shifts: torch.Tensor, most: int) -> torch.Tensor:
    """Each sample of (N, T, P, H, W) moved by its own (rows, columns) of `shifts` (N, 2), zeros coming in."""
    N, _, _, H, W = frames.shape
    padded = torch.nn.functional.pad(frames, (most, most, most, most))
    n = torch.arange(N, device=frames.device)[:, None, None]
    rows = torch.arange(H, device=frames.device)[None, :, None] + most - shifts[:, 0, None, None]
    columns = torch.arange(W, device=frames.device)[None, None, :] + most - shifts[:, 1, None, None]
    # The indexed axes come first, around the untouched T and P: (N, H, W, T, P).
    return padded[n, :, :, rows, columns].permute(0, 3, 4, 1, 2)
