"""What a representation is: events in, an array (T, C, H, W) out, and an account of every event."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple

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


class PictureRow(msgspec.Struct, frozen=True, kw_only=True):
    """One array of the picture in the documentation: the representation's parameters, and how its panels are drawn.

    title : what is written above the row
    caption : what is written below a panel, with {0} for its number counted from 0 and {1} from 1
    scale : "count" (any event is visible, the busiest pixels are brightest) or "unit" (values 0 to 1 as they are)
    invert : the smallest value is drawn strongest
    separate : a panel for OFF and one for ON, where else they share one
    all_events : a first panel with all events, to compare with
    """

    title: str
    parameters: dict[str, Any] = {}
    caption: str = ""
    scale: str = "count"
    invert: bool = False
    separate: bool = False
    all_events: bool = False


class Documentation(msgspec.Struct, frozen=True, kw_only=True):
    """What the documentation says of a representation beside its docstring and its parameters.

    shape : the axes, in letters
    definition : one line
    paper : authors, title and year of who defined it; "" where nobody did
    modes : the parameters that promise the numbers of tonic or SpikingJelly
    deviations : where it differs from the paper or the peers, and why
    picture : its rows; `shows` says what one sees in them
    """

    shape: str
    definition: str
    paper: str = ""
    modes: str = ""
    deviations: str = ""
    picture: tuple[PictureRow, ...]
    shows: str


class Representation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events to array. Its fields are its parameters; `version` goes up whenever its output changes.

    An array has T steps of C channels; where a channel is a polarity, 0 is OFF and 1 is ON. `about` is what the
    documentation says of it; every member of this package gives one.
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation]

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

    def apply_packed(self, packed: PackedEvents, out: np.ndarray | None = None) -> tuple[np.ndarray, Account]:
        """As `apply`, of a recording as a store holds it."""
        return self.apply(packed.events(), out)

    def apply_batch(
        self,
        batch: EventBatch,
        out: np.ndarray | None = None,
        *,
        threads: int = 1,  # noqa: ARG002  # for members that share the work out
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
