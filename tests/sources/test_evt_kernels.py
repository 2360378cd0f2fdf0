"""Kernels of EVT against an oracle that takes word after word, on words of all kinds, in blocks and columns of any size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench.errors import BadRecording
from eventbench.sources import _file_blocks
from eventbench.sources._evt.clock import Clock, judged
from eventbench.sources._evt.decoding import ENCODINGS, went_on
from eventbench.sources._evt.state import DONE, EARLY, OTHERS, PARTS, TOUCHED, TRIGGERS, first_state
from eventbench.sources.dat import Dat
from eventbench.sources.evt import Evt
from tests.support.formats import dat, evt

Row = tuple[int, int, int, int]
# Of each encoding: where the type of a word is, types that are met often, and those of time, triggers and padding.
KINDS = {
    "2": (28, [0, 1, 1, 8, 10, 14], 8, 10, None),
    "21": (60, [0, 1, 1, 8, 10, 15], 8, 10, None),
    "3": (12, [0, 2, 2, 2, 3, 4, 5, 6, 8, 10, 14], 8, 10, None),
    "4": (28, [10, 11, 12, 13, 14, 9, 6, 15], 14, 9, 15),
}


def fields(encoding: str, words: list[int]) -> Iterator[tuple[str, Any]]:
    """What each word says: ("high", number), ("low", number), ("other", type) or ("events", (low or None, [(x, y, p), ...]))."""
    if encoding == "3":
        yield from fields_of_evt3(words)
        return
    at, _, time, _, padding = KINDS[encoding]
    singles, head = {"2": (0, 1), "21": (0, 1), "4": (10, 11)}[encoding], None
    for word in words:
        kind, top = word >> at, word >> 32 if encoding == "21" else word
        if head is not None:
            yield "events", events_of(head, word)
            head = None
        elif encoding == "4" and kind in (12, 13):
            head = word
        elif kind == time:
            yield "high", top & 0xFFFFFFF
        elif kind in singles:
            yield "events", events_of(top, word & 0xFFFFFFFF if encoding == "21" else 1)
        elif kind != padding:
            yield "other", kind


def fields_of_evt3(words: list[int]) -> Iterator[tuple[str, Any]]:
    row = column = on = 0
    for word in words:
        kind, value = word >> 12, word & 0xFFF
        if kind == 0:
            row = value & 0x7FF
        elif kind in (6, 8):
            yield "low" if kind == 6 else "high", value
        elif kind in (2, 3):
            column, on = value & 0x7FF, value >> 11
            yield "events", (None, [(column, row, on)] if kind == 2 else [])
        elif kind in (4, 5):
            wide = 12 if kind == 4 else 8
            bits = [bit for bit in range(wide) if value >> bit & 1]
            yield "events", (None, [(min(column + bit, 65535), row, on) for bit in bits])
            column += wide
        else:
            yield "other", kind


def events_of(word: int, pixels: int) -> tuple[int, list[tuple[int, int, int]]]:
    """The low part of the time, and x, y and polarity of each pixel that is set."""
    x, y, p = word >> 11 & 0x7FF, word & 0x7FF, word >> 28 & 1
    return word >> 22 & 63, [(x + bit, y, p) for bit in range(32) if pixels >> bit & 1]


def slowly(encoding: str, words: list[int], clock: Clock) -> tuple[list[Row], dict[int, int]]:
    """Every event, and counts by slot of the state."""
    counts = dict.fromkeys((EARLY, TOUCHED, TRIGGERS, OTHERS), 0)
    bits, rows, k = 12 if encoding == "3" else 6, [], -1
    high, low, left, damaged = -1, 0, 0, False
    for what, value in fields(encoding, words):
        if what == "high":
            k += 1
            low = 0 if encoding == "3" and clock.high[k] != high else low
            high, left, damaged = int(clock.high[k]), int(clock.advance[k]), clock.kinds[k] == 1
        elif what == "other":
            counts[TRIGGERS if value == KINDS[encoding][3] else OTHERS] += 1
        elif what == "low":
            if damaged and left > 0 and value + 2048 < low:
                high, left = high + 1, left - 1
            low = value
        else:
            own_low, events = value
            if own_low is not None and (high >= 0 or encoding != "2"):
                if damaged and own_low < low and left > 0:
                    high, left = high + 1, left - 1
                low = own_low
            counts[EARLY if high < 0 else TOUCHED] += len(events) if high < 0 or damaged else 0
            rows += [(high << bits | low, x, y, p) for x, y, p in events if high >= 0]
    return rows, counts


@st.composite
def word_lists(draw: st.DrawFn) -> tuple[str, list[int], bool]:
    """Words of an encoding, most of them in order; whether the clock only advances."""
    encoding = draw(st.sampled_from(sorted(KINDS)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    at, kinds, time, *_ = KINDS[encoding]
    high_bits, steady = (12 if encoding == "3" else 28), draw(st.booleans())
    high, words = int(rng.integers(2**high_bits)), []
    for _ in range(draw(st.integers(0, 120))):
        kind, value = int(rng.choice(kinds)), int(rng.integers(2**63)) % 2**at
        if kind == time:
            high += (
                int(rng.choice([0, 1, 1, 1, 2, 30]))
                if steady
                else int(rng.choice([1, 1, 1, 64, -1, -700, 9]))
            )
            high %= 2**high_bits
            value = high << 32 if encoding == "21" else high
        elif encoding == "21":
            value &= ~0xFFFFFFFF | int(rng.choice([1, 0x80, 0x80000001, 0, 0xFFFFFFFF]))
        words.append(kind << at | value)
    return encoding, words, steady


def by_kernel(
    encoding: str, words: list[int], clock: Clock | None, cut: int, room: int, swapped: bool
) -> tuple[list[Row], np.ndarray]:
    """As `slowly`, by the kernels: of blocks of `cut` words, into columns of `room` events."""
    kernels, state = ENCODINGS[encoding], first_state()
    array = np.array(words, np.uint64)
    if encoding == "21" and swapped:
        array, state[PARTS] = array << np.uint64(32) | array >> np.uint64(32), 32
    array = array.astype(kernels.WORD_TYPE)
    array.flags.writeable = False
    found: list[Row] = []
    for start in range(0, len(array), cut):
        rest = array[start : start + cut]
        while len(rest):
            into = tuple(np.zeros(room, kind) for kind in (np.int64, np.uint16, np.uint16, np.uint8))
            rest_of = rest[:room] if encoding == "2" else rest[: room // 32]
            if clock is None:
                n = kernels.steady(rest_of, state, *into)
            else:
                n = kernels.judged(rest_of, state, tuple(clock), *into)
            found += zip(*(column[:n].tolist() for column in into), strict=True)
            assert state[DONE] > 0
            rest = rest[state[DONE] :]
    return found, state


@pytest.mark.slow
@given(word_lists(), st.integers(1, 130), st.sampled_from([64, 100, 5000]), st.booleans())
@settings(deadline=None, max_examples=250)
def test_kernels_give_what_the_oracle_gives(
    case: tuple[str, list[int], bool], cut: int, room: int, swapped: bool
) -> None:
    encoding, words, _ = case
    highs = np.array([value for what, value in fields(encoding, words) if what == "high"], np.int64)
    clock = judged(highs, 12 if encoding == "3" else 28)
    wanted, counts = slowly(encoding, words, clock)
    found, state = by_kernel(encoding, words, clock, cut, room, swapped)
    assert found == wanted
    assert {slot: int(state[slot]) for slot in counts} == counts
    found, state = by_kernel(encoding, words, None, cut, room, swapped)
    if went_on(state):
        assert found == wanted
        assert {slot: int(state[slot]) for slot in counts} == counts


@given(word_lists())
@settings(deadline=None, max_examples=80)
def test_a_clock_that_only_advances_needs_no_judgement(case: tuple[str, list[int], bool]) -> None:
    encoding, words, steady = case
    if steady and encoding != "3":  # of which vectors may lead beyond the widest sensor
        _, state = by_kernel(encoding, words, None, 50, 5000, False)
        assert went_on(state)


@given(word_lists())
@settings(deadline=None, max_examples=80)
def test_there_is_room_for_as_many_events_as_there_are(case: tuple[str, list[int], bool]) -> None:
    encoding, words, _ = case
    kernels, state = ENCODINGS[encoding], first_state()
    rows, counts = slowly(encoding, words, judged(np.zeros(len(words), np.int64), 12))
    array = np.array(words, np.uint64).astype(kernels.WORD_TYPE)
    assert kernels.room(array, state) >= len(rows) + counts[EARLY]


def evt4(*words: int) -> bytes:
    return evt.header("4.0", (640, 480)) + b"".join(word.to_bytes(4, "little") for word in words)


def rows_of(data: bytes) -> list[Row]:
    events = Evt().decode(data, "a.raw")
    return list(zip(*(getattr(events, name).tolist() for name in "txyp"), strict=True))


def test_evt4_has_events_alone_and_in_rows_of_32_pixels() -> None:
    row = 0xD << 28 | 5 << 22 | 96 << 11 | 7
    data = evt4(
        0xE << 28 | 3, 0xA << 28 | 4 << 22 | 9 << 11 | 8, row, 0x80000003, 0xB << 28 | 6 << 22 | 1 << 11 | 2
    )
    assert rows_of(data) == [
        (196, 9, 8, 0),
        (197, 96, 7, 1),
        (197, 97, 7, 1),
        (197, 127, 7, 1),
        (198, 1, 2, 1),
    ]


def test_evt4_bits_of_a_row_are_never_taken_for_a_word_of_another_kind() -> None:
    row = 0xC << 28 | 5 << 22 | 7
    looks_like_time, looks_like_row = 0xE0000009, 0xC0000001
    data = evt4(row, looks_like_time, 0xE << 28 | 1, row, looks_like_row, row, looks_like_time)
    found = Evt().decode_counted(data, "a.raw")
    assert found.events.t.tolist() == [69] * (3 + 5)
    assert found.lost == {"before_clock": 5}


def test_evt4_other_words_are_counted_and_padding_is_not() -> None:
    data = evt4(
        0xFFFFFFFF,
        0xE << 28,
        0x9 << 28 | 1,
        0x6 << 28 | 0x14,
        0x7 << 28 | 9,
        0x1 << 28,
        0xB << 28,
        0xFFFFFFFF,
    )
    found = Evt().decode_counted(data, "a.raw")
    assert len(found.events) == 1
    assert {note.kind: (note.times, note.fix) for note in found.notes} == {
        "triggers": (1, ""),
        "other_words": (3, ""),
    }
    assert found.lost == {}


@given(
    st.lists(st.tuples(st.integers(0, 90_000), st.integers(0, 639), st.integers(0, 479), st.integers(0, 1)))
)
@settings(deadline=None, max_examples=60)
def test_evt4_gives_what_was_written(steps: list[Row]) -> None:
    t, events = 2**34 - 500_000, []
    for step, x, y, p in steps:
        t += step
        events.append((t, x, y, p))
    assert rows_of(evt.evt4(events, (640, 480))) == events


@pytest.mark.parametrize("name", ["evt4", "evt4.0", "EVT4"])
def test_evt4_can_be_named_where_the_header_does_not(name: str) -> None:
    data = (
        b"% camera_integrator_name Prophesee\n% end\n"
        + evt4(0xE << 28, 0xB << 28)[len(evt.header("4.0", (640, 480))) :]
    )
    with pytest.raises(BadRecording, match="its encoding is not named"):
        Evt().decode(data, "a.raw")
    assert len(Evt(encoding=name).decode(data, "a.raw")) == 1


@pytest.mark.parametrize("write", [evt.evt2, evt.evt21, evt.evt3, evt.evt4, dat.write])
def test_large_files_are_read_in_blocks_and_what_was_expected_of_them_is_corrected(
    write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in {
        "SMALL": 100,
        "HEAD_BYTES": 400,
        "BLOCK_BYTES": 64,
        "LARGE": 320,
        "LOOKED_AT": 256,
    }.items():
        monkeypatch.setattr(_file_blocks, name, size)
    rng = np.random.default_rng(3)
    t = np.cumsum(rng.choice([0, 0, 0, 40_000], 900))
    events = [
        (int(now), *rng.integers(0, [640, 480, 2]).tolist()) for now in np.sort(np.append(t, [2**25] * 900))
    ]
    data, path, source = (
        write(events, size=(640, 480)),
        tmp_path / "a.raw",
        Dat() if write is dat.write else Evt(),
    )
    if write is evt.evt3:  # the second half of the file has many more events a word
        data += evt.evt3_vector(2**25 % 2**24 + 5, 96, 7, 1, 0xFFF, 0xFF) * 50
    path.write_bytes(data)
    found, whole = source.read_counted(path), source.decode_counted(data, str(path))
    assert found.events == whole.events
    assert found.notes == whole.notes
    assert len(found.events) == 1800 + (1000 if write is evt.evt3 else 0)
    path.write_bytes(data[:-1])
    with pytest.raises(BadRecording, match="truncated"):
        source.read_counted(path)


def test_a_file_that_grows_shorter_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(100))
    with pytest.raises(BadRecording, match="the file changed while it was read"):
        list(_file_blocks.Body(path, 0, 104).blocks("<u4"))
