"""AEDAT 4 of DV (`.aedat4`): the events of its first event stream, decoded by faery.

A line `#!AER-DAT4.0`, a flatbuffer that describes the streams, then packets of events, frames, inertial samples and
triggers, packed with LZ4 or Zstandard. iniVation, "AEDAT 4 file format".
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from eventbench.errors import BadRecording
from eventbench.events import Events
from eventbench.sources._faery import as_file, faery_errors, joined
from eventbench.sources.base import Source


class Aedat4(Source, frozen=True, forbid_unknown_fields=True):
    """Reader of AEDAT 4. `stream` is the id of the event stream to read; None takes the first."""

    version: ClassVar[int] = 1
    suffixes: ClassVar[tuple[str, ...]] = (".aedat4",)
    magics: ClassVar[tuple[bytes, ...]] = (b"#!AER-DAT4.",)

    stream: int | None = None

    def read(self, recording: Path | str, sensor: tuple[int, int] | None = None) -> Events:
        """As `decode`, from the file itself."""
        path = Path(recording)
        try:
            empty = not path.stat().st_size
        except OSError as error:
            raise BadRecording(f"cannot be read: {error.strerror}", where=path) from None
        if empty:
            raise BadRecording("the file is empty (0 bytes)", where=path, fix="fetch the file again")
        return self._events(path, str(path), sensor)

    def decode(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Events:
        """The events in `data`, on the stream's own sensor where none is given. Raises BadRecording without a stream."""
        with as_file(data) as path:
            return self._events(path, name, sensor)

    def _events(self, path: Path, name: str, sensor: tuple[int, int] | None) -> Events:
        with faery_errors(name):
            import faery

            with faery.aedat.Decoder(path) as packets:
                tracks = {track.id: track for track in packets.tracks() if track.data_type == "events"}
                chosen = min(tracks, default=None) if self.stream is None else self.stream
                if chosen is None or chosen not in tracks:
                    told = (
                        "no event stream in it" if self.stream is None else f"no event stream {self.stream}"
                    )
                    raise BadRecording(
                        told, where=name, allowed=f"streams {sorted(tracks)}" if tracks else ""
                    )
                own = tracks[chosen].dimensions
                parts = (packet for track, packet in packets if track.id == chosen)
                return joined(parts, name, sensor or own)
