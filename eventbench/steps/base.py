"""What a step is: events in, events out, nothing of the caller's changed."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import msgspec
import numpy as np

from eventbench.events import Events


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of events. Its fields are its parameters; `version` goes up whenever its output changes.

    A `random` step draws from the generator it is given and can only augment views of training data: a pipeline, whose
    store must come out the same every time, refuses it.

    `paper` is who published the step, for the documentation; "" for one that needs no source.
    """

    version: ClassVar[int] = 1
    paper: ClassVar[str] = ""

    @property
    def random(self) -> bool:
        """Whether what comes out depends on the generator."""
        return False

    def sensor(self, sensor: tuple[int, int]) -> tuple[int, int]:
        """The (width, height) that comes out when `sensor` goes in."""
        return sensor

    @abstractmethod
    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """New events, in order of time; every event that does not come out counts as lost under the step's name.

        `generator` is what a `random` step draws from; the others leave it alone.
        """
