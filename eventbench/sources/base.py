"""What a source is: the decoder of one raw format, or a simulator that stands in for one."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

import msgspec

from eventbench.events import Events


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decoder. Its fields are the parameters a card may set.

    `version` goes up whenever the events that come out change; it is part of every store's key.
    `suffixes` are the file endings `eb.read` tries it for; a source without files has none.
    """

    version: ClassVar[int] = 1
    suffixes: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def read(self, recording: Path | str, sensor: tuple[int, int] | None = None) -> Events:
        """The events of one recording (a file, or the id of a simulated one), in time order.

        `sensor` is (width, height); None takes it from the file, or, where the format does not say,
        the smallest sensor that holds every event. Raises BadRecording, naming the file and the place in it.
        """
