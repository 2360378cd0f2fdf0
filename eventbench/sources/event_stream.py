"""Event Stream (`.es`): version 2.0 of DVS events, decoded by faery; POKER-DVS as it was published.

Twelve bytes `Event Stream`, three of the version, one of the event type (1 is DVS), width and height, then events of
varying length. y counts from the bottom in the file. Open Neuromorphic, "Event Stream specification".
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from eventbench.errors import BadRecording
from eventbench.files.temporary import as_file
from eventbench.sources._faery import faery_errors, joined
from eventbench.sources.base import ONE_BIT, Decoded, Documentation, RawColumns, Source

TYPES = {0: "generic", 1: "DVS", 2: "ATIS", 3: "ATIS, asynchronous", 4: "colour"}


class EventStream(Source, frozen=True, forbid_unknown_fields=True):
    """Reader of Event Stream files that hold DVS events; y comes out counted from the top."""

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        what="Event Stream 2.0 of DVS events, decoded by faery: POKER-DVS as it was published",
        recognised="the first bytes `Event Stream`",
        sensor="the header",
        unit="us",
        polarity="1 is ON",
        traps=(
            "y counts from the bottom in the file and comes out from the top. Streams of other events (ATIS, "
            "colour) are refused by name."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".es",)
    magics: ClassVar[tuple[bytes, ...]] = (b"Event Stream",)

    def decode_counted(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Decoded:
        """The events in `data`. Raises BadRecording for events of another type than DVS."""
        kind = data[15] if len(data) > 15 else None
        if kind != 1:
            state = (
                "cut off in its header"
                if kind is None
                else f"of {TYPES.get(kind, f'unknown type {kind}')} events"
            )
            raise BadRecording(f"an event stream {state}", where=name, allowed="DVS events, type 1")
        with as_file(data) as path, faery_errors(name):
            import faery

            with faery.es.Decoder(path, 0) as packets:
                own = packets.dimensions
                t, x, y, p = joined(packets)
                y = own[1] - 1 - y.astype(np.int64)
                return self.checked((t, x, y, p), sensor=sensor or own, name=name)

    def states_sensor(self, data: bytes) -> bool:  # noqa: ARG002  # whatever is in it
        """Always: the header has it."""
        return True

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # all files have the same
        """One bit."""
        return ONE_BIT
