"""What a step is: events in, events out, nothing of the caller's changed."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import msgspec

from eventbench.events import Events


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of events. Its fields are its parameters; `version` goes up whenever its output changes."""

    version: ClassVar[int] = 1

    @abstractmethod
    def sensor(self, sensor: tuple[int, int]) -> tuple[int, int]:
        """The (width, height) that comes out when `sensor` goes in."""

    @abstractmethod
    def apply(self, events: Events) -> Events:
        """New events; every event that does not come out counts as lost under the step's name."""
