"""Prophesee RAW (`.raw`): EVT 2.0, EVT 2.1 and EVT 3.0.

Header lines of `%` name the encoding (`% evt 3.0`, or `% format EVT3;height=720;width=1280`); words of 32, 64 or 16
bits follow, in which time is spread over words of its own. Prophesee, "Data encoding formats". How those words are told
from damaged ones, and a clock that wrapped from one that began anew: `_evt.clock`.
"""

from __future__ import annotations

import re
from typing import ClassVar, Literal

import numpy as np

from eventbench.errors import BadRecording
from eventbench.sources._decoded import Columns, counted
from eventbench.sources._evt import evt2, evt3, evt21
from eventbench.sources._evt.clock import DAMAGED, RESTART, Clock, doubtful_wraps, joined, judged
from eventbench.sources._percent_header import Header, percent_header
from eventbench.sources.base import (
    ONE_BIT,
    Decoded,
    Documentation,
    Note,
    RawColumns,
    Source,
    how_to_set,
    smallest_sensor,
)

WORD_BYTES = {"2": 4, "21": 8, "3": 2}
CHIPS = {"gen3": (640, 480), "gen4": (1280, 720), "imx636": (1280, 720), "genx320": (320, 320)}
# The systems that older headers name by a number alone: size and encoding, as openeb takes them.
_SYSTEMS = {
    **dict.fromkeys((21, 23, 25, 28, 29, 33, 34, 35, 41), ((640, 480), "2")),
    40: ((640, 480), "3"),
    **dict.fromkeys((26, 31, 39), ((1280, 720), "2")),
    **dict.fromkeys((30, 32, 46, 48, 49, 50, 58), ((1280, 720), "3")),
    64: ((320, 320), ""),
}
CONVERTER = (
    "convert it with Prophesee's metavision_file_to_csv, or metavision_file_to_hdf5 where the HDF5 filter ECF is "
    "installed, or record it as EVT 3"
)
_LEGACY = re.compile(r"\bendianness[= ]legacy\b")
_ENCODING = re.compile(r"^(?:evt\s+([\d.]+)|format\s+([\w.-]+))", re.IGNORECASE)
_WRITER = ("system_id", "serial_number", "plugin_name", "integrator_name", "camera_integrator_name")
_OTHER_FORMATS = ("data file containing", "version ", "height ")


class Evt(Source, frozen=True, forbid_unknown_fields=True):
    """Reader of Prophesee RAW; trigger words are left out, and events before the first word of time, which have none.

    Parameters
    ----------
    encoding : "evt2", "evt2.1" or "evt3", for a file whose header names neither one nor a system
    restart : "refuse" a file whose clock begins anew, or "join" the parts: each goes on from where the one before ended

    The sensor's size is the header's or, in older files, that of the chip its plug-in or its `system_ID` is for; where all
    are missing, the smallest that holds every event.
    """

    version: ClassVar[int] = 3
    about: ClassVar[Documentation] = Documentation(
        what="Prophesee RAW: EVT 2.0, EVT 2.1 and EVT 3.0",
        recognised="a header line `% evt 3.0` or `% format EVT3`, or `% system_ID`",
        sensor="the header; else the chip its plug-in or `system_ID` is for; else the smallest that holds every event",
        unit="us",
        polarity="1 is ON",
        traps=(
            "Time is spread over words of its own and wraps (24 bits in EVT 3.0, 34 in the others): a step back of "
            "more than half is a wrap, a smaller one is none, and adding a range at each ends hours late. A word of "
            "time that its neighbours contradict is damaged and passed over, and the events after it are counted. A "
            "clock that begins anew is refused unless `restart`, other steps back unless `sort`. Events before the "
            "first word of time are left out and counted."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".raw",)
    magics: ClassVar[tuple[bytes, ...]] = (b"% evt ", b"% format EVT")

    encoding: str = ""
    restart: Literal["refuse", "join"] = "refuse"

    @classmethod
    def recognises(cls, data: bytes) -> bool:
        """Whether a line of the header names an encoding, or the camera as Prophesee's cameras do."""
        lines = [line.lower() for line in percent_header(data).lines]
        if any(_ENCODING.match(line) for line in lines):
            return True
        return any(line.startswith(_WRITER) for line in lines) and not any(
            line.startswith(_OTHER_FORMATS) for line in lines
        )

    def decode_counted(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Decoded:
        """The events in `data`. Raises BadRecording where no encoding is named, or the words are cut off."""
        header = percent_header(data)
        encoding, notes = self._encoding(header, name)
        whole, rest = divmod(len(data) - header.end, WORD_BYTES[encoding])
        if rest:
            what = f"{rest} bytes after the last whole word"
            notes.append(self.cut_off(what, name, f"words of {WORD_BYTES[encoding]} bytes"))
        payload = data[header.end : header.end + whole * WORD_BYTES[encoding]]
        columns, clock_notes = self._columns(payload, encoding, header, name)
        size = (
            sensor or header.size() or _size_of_chip(header) or smallest_sensor(columns[1], columns[2], name)
        )
        return self.checked(columns, sensor=size, name=name, notes=notes + clock_notes)

    def _encoding(self, header: Header, name: str) -> tuple[str, list[Note]]:
        stated = _stated_encoding(header)
        encoding = stated or self.encoding.lower().removeprefix("evt").replace(".", "")
        if encoding in WORD_BYTES:
            return encoding, []
        system = _system(header)
        if not encoding and system and system[1]:
            what = f"the header names no encoding: EVT {system[1]}.0 is told from its system_ID"
            return system[1], [Note("header", what)]
        raise BadRecording(
            f"its encoding is {encoding or 'not named'}",
            where=name,
            allowed="a header line '% evt 2.0', '% evt 2.1' or '% evt 3.0'",
            fix=CONVERTER if stated else f"if you know which it is, {how_to_set('encoding', 'evt3')}",
        )

    def _columns(
        self, payload: bytes, encoding: str, header: Header, name: str
    ) -> tuple[Columns, list[Note]]:
        if encoding == "21":
            words = evt21.whole_words(payload, any(_LEGACY.search(line) for line in header.lines))
        else:
            words = np.frombuffer(payload, f"<u{WORD_BYTES[encoding]}")
        kernels = {"2": evt2, "21": evt21, "3": evt3}[encoding]
        highs = np.empty(len(words), np.int64)
        events, n = kernels.count(words, highs)
        clock = judged(highs[:n], kernels.HIGH_BITS)
        leaps = doubtful_wraps(highs[:n], clock)
        has_notes = clock.kinds.any() or leaps
        is_time = words >> (8 * WORD_BYTES[encoding] - 4) == kernels.TIME_HIGH if has_notes else ()
        at = np.flatnonzero(is_time)
        notes, high = self._restarts(clock, at, kernels.LOW_BITS, WORD_BYTES[encoding], header.end, name)
        if leaps:
            ticks = int(clock.high[leaps[0]] - clock.high[leaps[0] - 1])
            place = header.end + WORD_BYTES[encoding] * int(at[leaps[0]])
            what = f"the clock wrapped at byte {place:,} with a leap of {ticks << kernels.LOW_BITS:,} us: it may have begun anew"
            notes.append(
                Note(
                    "clock_leaps",
                    what,
                    len(leaps),
                    "if the camera was started again there, cut the file there",
                )
            )
        t, x, y, p = (np.empty(events, kind) for kind in (np.int64, np.uint16, np.uint16, np.uint8))
        n, early, touched = kernels.fill(words, high, clock.advance, clock.kinds, t, x, y, p)
        if damaged := np.flatnonzero(clock.kinds == DAMAGED).tolist():
            place = header.end + WORD_BYTES[encoding] * int(at[damaged[0]])
            what = (
                f"{counted(len(damaged), 'damaged word')} of time, the first at byte {place:,}, passed over: the time of "
                f"{counted(touched, 'event')} until the next word is told from the word before"
            )
            fix = "nothing, where a few are: times are right again from the next word on; else fetch the file again"
            notes.append(Note("clock_words_damaged", what, touched, fix))
        if early:
            what = f"{counted(early, 'event')} before the first word of time: left out"
            notes.append(Note("before_clock", what, early))
        return (t[:n], x[:n], y[:n], p[:n]), notes

    def _restarts(
        self, clock: Clock, at: np.ndarray, bits: int, word_bytes: int, start: int, name: str
    ) -> tuple[list[Note], np.ndarray]:
        """Notes on a clock that began anew, and the high part of the time. Raises BadRecording unless `restart` joins it."""
        restarts = np.flatnonzero(clock.kinds == RESTART).tolist()
        if not restarts:
            return [], clock.high
        first = restarts[0]
        before, after = (int(clock.high[k]) << bits for k in (first - 1, first))
        what = f"the clock begins anew at byte {start + word_bytes * int(at[first]):,}: after {before:,} us come {after:,} us"
        what += f" ({len(restarts):,} such places)" if len(restarts) > 1 else ""
        if self.restart == "refuse":
            raise BadRecording(
                what,
                where=name,
                fix=f"cut the file there, or, to let each part go on from the end of the last, {how_to_set('restart', 'join')}",
                reason="clock_restarts",
            )
        fix = "expect a gap of unknown length there"
        return [Note("clock_restarts", f"{what}: joined", len(restarts), fix)], joined(clock)

    def states_sensor(self, data: bytes) -> bool:
        """Whether the header has the size, or names a plug-in or a system, which is for a chip of one size."""
        header = percent_header(data)
        return header.size() is not None or _size_of_chip(header) is not None

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # all files have the same
        """One bit."""
        return ONE_BIT


def _stated_encoding(header: Header) -> str:
    """ "2", "21" or "3", or the name of another encoding as the header has it; "" where it names none."""
    for line in header.lines:
        if match := _ENCODING.match(line):
            stated = match[1] or match[2].removeprefix("EVT").removeprefix("evt")
            return {"2.0": "2", "2.1": "21", "3.0": "3"}.get(stated, stated)
    return ""


def _system(header: Header) -> tuple[tuple[int, int], str] | None:
    """(size, encoding) of the system that the header names by its number."""
    for line in header.lines:
        if match := re.match(r"system_id\s+(\d{1,4})$", line, re.IGNORECASE):
            return _SYSTEMS.get(int(match[1]))
    return None


def _size_of_chip(header: Header) -> tuple[int, int] | None:
    for line in header.lines:
        if line.startswith("plugin_name "):
            for chip, size in CHIPS.items():
                if chip in line:
                    return size
    system = _system(header)
    return system[0] if system else None
