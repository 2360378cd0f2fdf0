"""Clocks of EVT files: damaged words, steps back, restarts and wraps are told apart, in files written word by word."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench.errors import BadRecording
from eventbench.sources._evt.clock import DAMAGED, RESTART, judged
from eventbench.sources.base import Decoded
from eventbench.sources.evt import Evt
from tests.support.formats import evt

SIZE = (640, 480)


def evt2(words: list[tuple[str, int]]) -> bytes:
    """Words ("high", the high 28 bits of time) and ("event", the low 6 bits); events lie at x = 1, y = 2."""
    kinds = {"high": lambda value: 0x8 << 28 | value, "event": lambda low: 1 << 28 | low << 22 | 1 << 11 | 2}
    return evt.header("2.0", SIZE) + b"".join(
        kinds[kind](value).to_bytes(4, "little") for kind, value in words
    )


def evt21(words: list[tuple[str, int]]) -> bytes:
    kinds = {
        "high": lambda value: 0x8 << 60 | value << 32,
        "event": lambda low: 1 << 60 | low << 54 | 1 << 43 | 2 << 32 | 1,
    }
    return evt.header("2.1", SIZE) + b"".join(
        kinds[kind](value).to_bytes(8, "little") for kind, value in words
    )


def evt3(words: list[tuple[str, int]]) -> bytes:
    """As `evt2`, of 12 bits each: the low bits stand in a word of their own."""
    data = evt.header("3.0", SIZE)
    for kind, value in words:
        written = [0x8 << 12 | value] if kind == "high" else [0x6 << 12 | value, 2, 0x2 << 12 | 1 << 11 | 1]
        data += b"".join(word.to_bytes(2, "little") for word in written)
    return data


def evt4(words: list[tuple[str, int]]) -> bytes:
    """As `evt2`; every second event as a vector of one pixel."""
    data, vector = evt.header("4.0", SIZE), False
    for kind, value in words:
        place = value << 22 | 1 << 11 | 2
        single, pixels = [0xB << 28 | place], [0xD << 28 | place, 1]
        written = [0xE << 28 | value] if kind == "high" else pixels if vector else single
        vector = vector != (kind == "event")
        data += b"".join(word.to_bytes(4, "little") for word in written)
    return data


FORMATS = [(evt2, 6, 28), (evt21, 6, 28), (evt3, 12, 12), (evt4, 6, 28)]
of_each_format = pytest.mark.parametrize(("write", "low_bits", "high_bits"), FORMATS)


def steps(highs: list[int]) -> list[tuple[str, int]]:
    """Each high part, with an event early and one late in its tick after it."""
    return [word for high in highs for word in (("high", high), ("event", 3), ("event", 40))]


def times(highs: list[int], bits: int) -> list[int]:
    return [(high << bits) + low for high in highs for low in (3, 40)]


def read(data: bytes, **parameters: Any) -> Decoded:
    return Evt(**parameters).decode_counted(data, "a.raw")


@of_each_format
@pytest.mark.parametrize("bit", [6, 9, 11])
def test_a_flipped_bit_in_a_word_of_time_costs_no_event_its_time_beyond_the_next_word(
    write: Any, low_bits: int, high_bits: int, bit: int
) -> None:
    true = list(range(100, 140))
    harmed = [high ^ 1 << bit if k == 20 else high for k, high in enumerate(true)]
    found = read(write(steps(harmed)))
    assert found.events.t.tolist() == times(true, low_bits)
    (note,) = found.notes
    assert (note.kind, note.times) == ("clock_words_damaged", 2)
    assert "1 damaged word of time, the first at byte" in note.what
    assert note.fix


@of_each_format
def test_a_damaged_word_among_repeated_ones_changes_no_time(
    write: Any, low_bits: int, high_bits: int
) -> None:
    true = [100, 100, 100, 101, 101, 101]
    words = [("high", high ^ (64 if k == 4 else 0)) for k, high in enumerate(true)]
    words = [word for k, high in enumerate(words) for word in (high, ("event", 5 + 10 * (k % 3)))]
    found = read(write(words))
    assert found.events.t.tolist() == [(high << low_bits) + 5 + 10 * (k % 3) for k, high in enumerate(true)]


@of_each_format
def test_a_clock_that_begins_anew_is_refused_with_its_place_or_joined(
    write: Any, low_bits: int, high_bits: int
) -> None:
    highs = [*range(1000, 1050), *range(100)]
    data = write(steps(highs))
    with pytest.raises(
        BadRecording, match=r"a\.raw: the clock begins anew at byte [\d,]+: after .* --set restart=join"
    ) as refused:
        read(data)
    assert refused.value.reason == "clock_restarts"
    with pytest.raises(BadRecording, match="begins anew"):
        read(data, sort=True)
    found = read(data, restart="join")
    assert found.events.t.tolist() == times([*range(1000, 1050), *range(1050, 1150)], low_bits)
    assert [note.kind for note in found.notes] == ["clock_restarts"]


@of_each_format
def test_a_small_step_back_is_neither_a_wrap_nor_a_restart(write: Any, low_bits: int, high_bits: int) -> None:
    highs = [100, 101, 100, 101, 102, 103]
    with pytest.raises(BadRecording, match=r"time runs backwards at event 4 .*--set sort=true"):
        read(write(steps(highs)))
    found = read(write(steps(highs)), sort=True)
    assert found.events.t.tolist() == sorted(times(highs, low_bits))
    assert [(note.kind, note.times) for note in found.notes] == [("steps_back", 1)]


@of_each_format
def test_a_wrap_is_undone_also_where_words_next_to_it_are_missing(
    write: Any, low_bits: int, high_bits: int
) -> None:
    top = 1 << high_bits
    true = [top - 9, top - 5, top - 2, top + 1, top + 2, top + 9]
    found = read(write(steps([high % top for high in true])))
    assert found.events.t.tolist() == times(true, low_bits)
    assert not found.notes


@of_each_format
def test_a_restart_that_looks_like_a_wrap_is_told_as_doubtful(
    write: Any, low_bits: int, high_bits: int
) -> None:
    top = 1 << high_bits
    highs = [*range(top - 1000, top - 950), *range(50)]
    found = read(write(steps(highs)))
    assert found.events.t.tolist() == times(highs[:50], low_bits) + times(
        [top + k for k in range(50)], low_bits
    )
    assert [note.kind for note in found.notes] == ["clock_leaps"]
    assert f"with a leap of {951 << low_bits:,} us" in found.notes[0].what


@of_each_format
def test_events_before_the_first_word_of_time_are_counted_and_left_out(
    write: Any, low_bits: int, high_bits: int
) -> None:
    found = read(write([("event", 3), ("event", 4), *steps([100, 101])]))
    assert found.events.t.tolist() == times([100, 101], low_bits)
    assert found.lost == {"before_clock": 2}


@of_each_format
@pytest.mark.parametrize("bit", [8, 10])
def test_a_damaged_first_word_gives_no_event_a_time(
    write: Any, low_bits: int, high_bits: int, bit: int
) -> None:
    highs = [100 | 1 << bit, *range(101, 110)]
    found = read(write(steps(highs)))
    assert found.events.t.tolist() == times(highs[1:], low_bits)
    assert found.lost == {"before_clock": 2}


@given(st.lists(st.integers(0, 3), min_size=3, max_size=60), st.integers(0, 4095))
@settings(deadline=None)
def test_a_clock_that_only_advances_is_taken_as_it_is(gaps: list[int], first: int) -> None:
    true = first + np.cumsum(gaps)
    clock = judged(true % 4096, 12)
    assert not clock.kinds.any()
    assert np.array_equal(clock.high, true - true[0] + true[0] % 4096)


@given(st.lists(st.integers(0, 4095), max_size=60))
@settings(deadline=None)
def test_any_words_are_judged(words: list[int]) -> None:
    clock = judged(np.array(words, np.int64), 12)
    assert set(clock.kinds.tolist()) <= {0, DAMAGED, RESTART}
    assert (clock.high[clock.kinds == RESTART] >= -4096).all()


def test_headers_of_older_and_other_writers_are_read() -> None:
    words = evt.evt2([(320, 10, 20, 1), (321, 11, 20, 0)])[len(evt.header("2.0")) :]
    for header, size in {
        b"% integrator_name Universit\xc3\xa9\n% evt 2.0\n% system_ID 21\n": (640, 480),
        b"% integrator_name Universit\xe9\n% evt 2.0\n% system_ID 28\n": (640, 480),
        b"% Date 2018-05-01 10:00:00\n% serial_number 00001621\n% system_ID 21\n": (640, 480),
        b"% evt 2.0\n% system_ID 31\n": (1280, 720),
        b"% format EVT2;height=320;width=300\0% generation 4.2\n% geometry 300x320\0% system_ID 49\n% end\n": (
            300,
            320,
        ),
        b"% evt 2.0\r\n% geometry 300x320\r\n% end\r\n": (300, 320),
        b"% evt 2.0\n": (12, 21),
    }.items():
        assert Evt.recognises(header + words), header
        found = read(header + words)
        assert found.events.t.tolist() == [320, 321], header
        assert found.events.sensor == size
    assert "told from its system_ID" in read(b"% system_ID 21\n" + words).notes[0].what


@pytest.mark.parametrize(
    "line", [b"% evt 5.0\n", b"% format EVT5;height=720;width=1280\n", b"% format AER-8b;height=320\n"]
)
def test_encodings_that_are_not_decoded_are_named_with_what_converts_them(line: bytes) -> None:
    data = b"% camera_integrator_name Prophesee\n" + line + b"% end\n" + bytes(8)
    assert Evt.recognises(data)
    with pytest.raises(
        BadRecording, match=r"its encoding is (5\.0|5|AER-8b); .*metavision_file_to_hdf5"
    ) as refused:
        read(data)
    assert "encoding =" not in str(refused.value)


def test_words_before_a_cut_and_events_on_the_sensor_can_be_had() -> None:
    data = evt.evt3([(5, 10, 20, 1), (6, 700, 20, 0), (7, 1, 2, 0)], SIZE) + b"x"
    found = read(data, salvage=True, outside="drop")
    assert found.events.t.tolist() == [5, 7]
    assert found.lost == {"cut_off": 1, "outside_sensor": 1}
