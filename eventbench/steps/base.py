"""`Step`, the base class of the family: events in, events out; the caller's events do not change."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import msgspec
import numpy as np

from eventbench.events import Events


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of events. Its fields are its parameters; `version` goes up whenever its output changes.

    A `random` step draws from the generator passed to it and can only augment training data. Pipelines refuse it, since
    their stores must be the same every time.

    `paper` is the source of the step for the documentation; "" if it needs none.
    """

    version: ClassVar[int] = 1
    paper: ClassVar[str] = ""

    @property
    def random(self) -> bool:
        """Whether the output depends on the generator."""
        return False

    def sensor(self, sensor: tuple[int, int]) -> tuple[int, int]:
        """The (width, height) of the output for events of a `sensor` (width, height)."""
        return sensor

    @abstractmethod
    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """New events, in order of time. Events that are missing from them are counted as lost under the step's name.

        A `random` step draws from `generator`; other steps ignore it.
        """
