"""`Loader`: the base class of all loaders, which gives batches of frames and labels for a network.

This is the one place where frames (samples, T, P, H, W) of a store become the (T, N, C, H, W) of a network.
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
    """The part of a store that every loader needs: sample ids, class numbers, and class names."""

    @property
    def ids(self) -> list[str]:
        """The id of each sample."""

    @property
    def labels(self) -> np.ndarray:
        """Class numbers (samples,)."""

    @property
    def classes(self) -> list[str]:
        """Names of the classes, by number."""


class Loader(ABC):
    """Some samples of a store in batches; the subclasses differ in where the samples are kept.

    Attributes
    ----------
    ids : list of str (samples,)
    labels : int64 (samples,), on the device
    classes : number of classes of the store, also of those that these samples do not have
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
        """Frames (N, T, P, H, W) on the device, each time in new memory, of `size` samples at a time, in `order` (on the CPU)."""

    def batches(
        self,
        size: int,
        generator: torch.Generator | None = None,
        shift: int = 0,
        augment: Sequence[Augmentation] = (),
    ) -> Batches:
        """(frames float32 (T, N, C, H, W), labels (N,)), every sample once; the last batch may be smaller.

        With a `generator` (on the CPU, so that the numbers are the same for every device) the samples are shuffled, the
        frames of each are moved by up to `shift` pixels in both directions, with zeros at the edges, and then changed
        by each `augment` in turn. With `augment`, labels are float32 (N, classes), each row a distribution. Without a
        generator the samples keep their order and are not changed: evaluation is never augmented, and `augment` raises
        BadSpec.
        """
        for name, value, minimum in (("size", size, 1), ("shift", shift, 0)):
            if not isinstance(value, Integral) or isinstance(value, bool) or value < minimum:
                allowed = f"a whole number of {minimum} or more"
                raise BadSpec(f"{name} is {value!r}", where="batches", allowed=allowed)
        if augment and generator is None:
            raise BadSpec(
                "augment without a generator",
                where="batches",
                allowed="augment with a generator, for training; evaluation uses unchanged samples",
            )
        return self._batches(size, generator, shift, augment)

    def _batches(
        self, size: int, generator: torch.Generator | None, shift: int, augment: Sequence[Augmentation]
    ) -> Batches:
        device, shifts = self.labels.device, None
        order = torch.randperm(len(self), generator=generator) if generator else torch.arange(len(self))
        # Random numbers for the whole epoch are moved to the device at once, not batch by batch.
        if generator and shift:
            shifts = torch.randint(-shift, shift + 1, (len(self), 2), generator=generator).to(device)
        labels = self.labels[order.to(device)]
        # Closed even if the caller stops early, since a StreamedLoader has to end its thread.
        with closing(self._gather(order, size)) as frame_batches:
            for start, frames in zip(range(0, len(self), size), frame_batches, strict=True):
                targets = labels[start : start + size]
                if shifts is not None:
                    frames = _shifted(frames, shifts[start : start + size], shift)
                if generator and augment:
                    targets = torch.nn.functional.one_hot(targets, self.classes).float()
                    if frames.dtype != torch.uint8:  # torch has few operations for other unsigned types
                        frames = frames.float()
                    for augmentation in augment:
                        frames, targets = augmentation.apply(frames, targets, generator)
                yield frames.transpose(0, 1).float(), targets


def _shifted(frames: torch.Tensor, shifts: torch.Tensor, limit: int) -> torch.Tensor:
    """Each sample of (N, T, P, H, W) moved by its (rows, columns) of `shifts` (N, 2), up to `limit`; zeros at the edges."""
    N, _, _, H, W = frames.shape
    padded = torch.nn.functional.pad(frames, (limit, limit, limit, limit))
    n = torch.arange(N, device=frames.device)[:, None, None]
    rows = torch.arange(H, device=frames.device)[None, :, None] + limit - shifts[:, 0, None, None]
    columns = torch.arange(W, device=frames.device)[None, None, :] + limit - shifts[:, 1, None, None]
    # The indexed axes come first, around the untouched T and P: (N, H, W, T, P).
    return padded[n, :, :, rows, columns].permute(0, 3, 4, 1, 2)
