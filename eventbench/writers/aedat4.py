"""AEDAT 4 of DV (`.aedat4`): packets of events, packed with LZ4 or Zstandard, encoded by faery.

iniVation, "AEDAT 4 file format"; how it is read: `sources/aedat4.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from eventbench.errors import EventbenchError
from eventbench.events import Events
from eventbench.writers.base import Documentation, Limits, Size, Writer

PACKET_EVENTS = 10_000  # about as many as DV puts into one of 10 ms
EVENT = np.dtype([("t", "<u8"), ("x", "<u2"), ("y", "<u2"), (("p", "on"), "?")])
LEVELS = {"lz4": 1, "zstd": 3}


class Aedat4(Writer, frozen=True, forbid_unknown_fields=True):
    """Writer of AEDAT 4: one stream of events.

    Parameters
    ----------
    compression : of packets, "lz4" as DV has it, "zstd" (smaller) or "none"
    """

    about: ClassVar[Documentation] = Documentation(
        what="AEDAT 4 of DV: one stream of events in packets of 10,000",
        readers="faery, evutils, eventcv",
        sensor="the stream's own",
        holds="sensors up to 32767x32767, times from 0",
        traps="DV itself was not at hand. It takes times for microseconds since 1970: times from zero are shown as that day",
    )
    suffixes: ClassVar[tuple[str, ...]] = (".aedat4",)
    source: ClassVar[str] = "aedat4"

    compression: Literal["lz4", "zstd", "none"] = "lz4"

    def limits(self) -> Limits:
        """15 bits of x and y, 63 of time."""
        return Limits(side=(1 << 15) - 1, first_us=0)

    def write(self, parts: Iterable[Events], sensor: Size, path: Path) -> None:
        """Write the description of the stream and its packets. Raises EventbenchError where faery cannot."""
        import faery

        level = LEVELS.get(self.compression)
        try:
            with faery.aedat.Encoder(
                path=path,
                description=[_description(sensor, self.compression)],
                compression=None if level is None else (self.compression, level),
            ) as encoder:
                for part in parts:
                    rows = np.empty(len(part), EVENT)
                    rows["t"], rows["x"], rows["y"], rows["on"] = part.t, part.x, part.y, part.p
                    for start in range(0, len(rows), PACKET_EVENTS):
                        encoder.write(0, rows[start : start + PACKET_EVENTS])
        except RuntimeError as error:
            raise EventbenchError(f"cannot be encoded: {error}", where=path) from None


def _description(sensor: Size, compression: str) -> Any:
    """The stream 0, as DV describes one."""
    from faery import aedat

    def node(name: str, path: str, values: dict[str, Any], nodes: list[Any]) -> Any:
        attributes = {
            key: aedat.DescriptionAttribute(
                attribute_type="int" if isinstance(value, int) else "string", value=value
            )
            for key, value in values.items()
        }
        return aedat.DescriptionNode(name=name, path=path, attributes=attributes, nodes=nodes)

    root = "/mainloop/Recorder/outInfo/"
    size = {"sizeX": sensor[0], "sizeY": sensor[1], "source": "eventbench"}
    info = node("info", f"{root}0/info/", size, [])
    kind = {"compression": compression.upper(), "originalOutputName": "events", "typeIdentifier": "EVTS"}
    return node("outInfo", root, {}, [node("0", f"{root}0/", kind, [info])])
