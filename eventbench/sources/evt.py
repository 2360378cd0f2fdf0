"""Prophesee RAW (`.raw`): EVT 2.0, decoded by faery, EVT 2.1 and EVT 3.0.

Header lines of `%` name the encoding (`% evt 3.0`, or `% format EVT3;height=720;width=1280`); words of 32, 64 or 16
bits follow, in which time is spread over words of its own. Prophesee, "Data encoding formats".
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from eventbench.errors import BadRecording
from eventbench.events import Events
from eventbench.files.content import file_bytes
from eventbench.files.temporary import as_file
from eventbench.sources._evt3 import decode_evt3
from eventbench.sources._evt21 import decode_evt21
from eventbench.sources._faery import faery_errors, joined
from eventbench.sources._percent_header import Header, percent_header
from eventbench.sources.base import (
    ONE_BIT,
    Documentation,
    RawColumns,
    Source,
    checked_events,
    smallest_sensor,
)

WORD_BYTES = {"2": 4, "21": 8, "3": 2}
CHIPS = {"gen3": (640, 480), "gen4": (1280, 720), "imx636": (1280, 720), "genx320": (320, 320)}
_LEGACY = re.compile(r"\bendianness[= ]legacy\b")
_VERSION = re.compile(r"^(?:evt\s+|format\s+EVT)([\d.]+)", re.IGNORECASE)


class Evt(Source, frozen=True, forbid_unknown_fields=True):
    """Reader of Prophesee RAW; trigger words are left out.

    `encoding` ("evt2", "evt2.1" or "evt3") is for a file whose header does not name one. The sensor's size is the header's
    or, in older files, that of the chip its plug-in is for; where both are missing, the smallest that holds every event.
    """

    version: ClassVar[int] = 2
    about: ClassVar[Documentation] = Documentation(
        what="Prophesee RAW: EVT 2.0, decoded by faery, EVT 2.1 and EVT 3.0",
        recognised="a header line `% evt 3.0` or `% format EVT3`",
        sensor="the header; else the chip its plug-in is for; else the smallest that holds every event",
        unit="us",
        polarity="1 is ON",
        traps=(
            "Time is spread over words of its own and wraps (24 bits in EVT 3.0). Small steps back of the low "
            "bits are glitches and no wraps: a decoder that adds 4,096 us at each ends tens of milliseconds "
            "late."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".raw",)
    magics: ClassVar[tuple[bytes, ...]] = (b"% evt ", b"% format EVT")

    encoding: str = ""

    @classmethod
    def recognises(cls, data: bytes) -> bool:
        """Whether a line of the header names an EVT encoding."""
        return bool(_version(percent_header(data)))

    def read(self, recording: Path | str, sensor: tuple[int, int] | None = None) -> Events:
        """As `decode`, from the file itself."""
        path = Path(recording)
        return self._events(file_bytes(path), path, str(path), sensor)

    def decode(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Events:
        """The events in `data`. Raises BadRecording where no encoding is named, or the words are cut off."""
        with as_file(data) as path:
            return self._events(data, path, name, sensor)

    def _events(self, data: bytes, path: Path, name: str, sensor: tuple[int, int] | None) -> Events:
        header = percent_header(data)
        version = _version(header) or self.encoding.lower().removeprefix("evt").replace(".", "")
        if version not in WORD_BYTES:
            raise BadRecording(
                f"its encoding is {version or 'not named'}",
                where=name,
                allowed="a header line '% evt 2.0', '% evt 2.1' or '% evt 3.0'",
                fix='set encoding = "evt3" in [source], if that is what it is',
            )
        if rest := (len(data) - header.end) % WORD_BYTES[version]:
            raise BadRecording(
                f"truncated: {rest} bytes after the last whole word",
                where=name,
                allowed=f"words of {WORD_BYTES[version]} bytes",
                fix="fetch the file again",
            )
        own = header.size() or _size_of_chip(header)
        with faery_errors(name):
            if version != "2":
                payload = data[header.end :]
                legacy = any(_LEGACY.search(line) for line in header.lines)
                t, x, y, p = decode_evt3(payload) if version == "3" else decode_evt21(payload, legacy)
                size = sensor or own or smallest_sensor(x, y, name)
                return checked_events(t, x, y, p, sensor=size, name=name)
            import faery

            with faery.evt.Decoder(path, own or (65535, 65535), "evt2") as packets:
                parts = (packet["events"] for packet in packets if packet.get("events") is not None)
                return joined(parts, name, sensor or own)

    def states_sensor(self, data: bytes) -> bool:
        """Whether the header has the size, or names a plug-in, which is for a chip of one size."""
        header = percent_header(data)
        return header.size() is not None or any(line.startswith("plugin_name ") for line in header.lines)

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # all files have the same
        """One bit."""
        return ONE_BIT


def _version(header: Header) -> str:
    for line in header.lines:
        if match := _VERSION.match(line):
            return {"2.0": "2", "2": "2", "2.1": "21", "21": "21", "3.0": "3", "3": "3"}.get(
                match[1], match[1]
            )
    return ""


def _size_of_chip(header: Header) -> tuple[int, int] | None:
    for line in header.lines:
        if line.startswith("plugin_name "):
            return next((size for chip, size in CHIPS.items() if chip in line), None)
    return None
