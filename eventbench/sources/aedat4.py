"""AEDAT 4 of DV (`.aedat4`): the events of its first event stream, decoded by faery.

A line `#!AER-DAT4.0`, a flatbuffer that describes the streams, then packets of events, frames, inertial samples and
triggers, packed with LZ4 or Zstandard. iniVation, "AEDAT 4 file format".
"""

from __future__ import annotations

from typing import ClassVar

from eventbench.errors import BadRecording
from eventbench.events import Events
from eventbench.files.temporary import as_file
from eventbench.sources._aedat4_file import checked, packets_of
from eventbench.sources._faery import faery_errors, joined
from eventbench.sources.base import ONE_BIT, Documentation, RawColumns, Source


class Aedat4(Source, frozen=True, forbid_unknown_fields=True):
    """Reader of AEDAT 4. `stream` is the id of the event stream to read; None takes the first."""

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        what="AEDAT 4 of DV, decoded by faery",
        recognised="the line `#!AER-DAT4.`",
        sensor="the stream's own",
        unit="us, since 1970",
        polarity="1 is ON",
        traps=(
            "A file may hold several event streams: the first is read unless `stream` says which. Sizes in "
            "the file are checked before the decoder sees them."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".aedat4",)
    magics: ClassVar[tuple[bytes, ...]] = (b"#!AER-DAT4.",)

    stream: int | None = None

    def decode(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Events:
        """The events in `data`, on the stream's own sensor where none is given. Raises BadRecording without a stream."""
        parts = checked(data, name)
        with as_file(parts.header) as path, faery_errors(name):
            import faery

            with faery.aedat.Decoder(path) as described:
                tracks = {track.id: track for track in described.tracks() if track.data_type == "events"}
            chosen = min(tracks, default=None) if self.stream is None else self.stream
            if chosen is None or chosen not in tracks:
                missing = "no event stream in it" if self.stream is None else f"no event stream {self.stream}"
                raise BadRecording(missing, where=name, allowed=f"streams {sorted(tracks)}" if tracks else "")
            # Of packets that nobody asked for, faery would decode every one as well.
            with path.open("ab") as file:
                file.writelines(packets_of(parts, chosen, data, name))
            with faery.aedat.Decoder(path) as decoded:
                events = (packet for _, packet in decoded)
                return joined(events, name, sensor or tracks[chosen].dimensions)

    def states_sensor(self, data: bytes) -> bool:  # noqa: ARG002  # whatever is in it
        """Always: the header has it."""
        return True

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # all files have the same
        """One bit."""
        return ONE_BIT
