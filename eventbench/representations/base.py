"""What a representation is: events in, an array (T, C, H, W) out, and an account of every event."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, NamedTuple

import msgspec
import numpy as np

from eventbench.errors import BadSpec
from eventbench.events import EventBatch, Events
from eventbench.events.packed import PackedEvents


class Account(NamedTuple):
    """Where a recording's events went: `events` in = `binned` + the sum of `lost`, by reason."""

    events: int
    binned: int
    lost: dict[str, int]


class Representation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events to array. Its fields are its parameters; `version` goes up whenever its output changes.

    An array has T steps of C channels; where a channel is a polarity, 0 is OFF and 1 is ON.
    """

    version: ClassVar[int] = 1

    @abstractmethod
    def shape(self, sensor: tuple[int, int]) -> tuple[int, int, int, int]:
        """(T, C, H, W) for a (width, height) sensor. Raises BadSpec where the number of steps is not fixed."""

    @property
    @abstractmethod
    def array_dtype(self) -> np.dtype:
        """The type of the array's values."""

    @abstractmethod
    def apply(self, events: Events, out: np.ndarray | None = None) -> tuple[np.ndarray, Account]:
        """The array (T, C, H, W), written into `out` when given, and the account of the events."""

    def apply_packed(
        self, columns: PackedEvents, out: np.ndarray | None = None
    ) -> tuple[np.ndarray, Account]:
        """As `apply`, of a recording as a store holds it."""
        return self.apply(columns.events(), out)

    def apply_batch(
        self, batch: EventBatch, out: np.ndarray | None = None, *, threads: int = 1
    ) -> tuple[np.ndarray, list[Account]]:
        """The arrays (N, T, C, H, W) of every recording of a batch, and an account of each.

        Raises BadSpec where the shape is not the same for all. One thread works, unless a member says otherwise.
        """
        shape = (len(batch), *self.shape(batch.sensor))
        if out is None:
            out = np.empty(shape, self.array_dtype)
        elif out.shape != shape or out.dtype != self.array_dtype:
            raise BadSpec(f"out is {out.dtype} {out.shape}", allowed=f"{self.array_dtype} {shape}")
        return out, [self.apply(events, row)[1] for events, row in zip(batch, out, strict=True)]
