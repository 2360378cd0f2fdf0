"""What a representation is: events in, an array (T, C, H, W) out, and an account of every event."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, NamedTuple

import msgspec
import numpy as np

from eventbench.events import Events


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
