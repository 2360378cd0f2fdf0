"""Kernels of AEDAT against slow decoders, on sound and on harmed bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench.errors import BadRecording
from eventbench.sources._aedat import lz4, zstd
from eventbench.sources._aedat.aedat4_packets import events_of
from eventbench.sources._aedat.header import header_of, lines_with
from eventbench.sources._times import Clock, unwrapped, unwrapped_after
from eventbench.sources.aedat2 import Aedat2
from eventbench.sources.aedat4 import Aedat4
from eventbench.sources.aedat31 import Aedat31
from tests.support import slow_aedat
from tests.support.formats import aedat2, aedat4, aedat31

PIECES = [
    b"#",
    b"\n",
    b"\r\n",
    b"#!END-HEADER",
    b"#End Of ASCII Header",
    b"# Source 1: DVS128",
    b"a\tb",
    b"\x7f",
]
HEADERS = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=6)), max_size=14).map(b"".join)


@given(HEADERS)
@settings(deadline=None, max_examples=200)
def test_the_header_ends_where_the_slow_reader_ends_it(data: bytes) -> None:
    lines, end = slow_aedat.header_lines(data)
    assert header_of(data) == data[:end]
    for words in ((b"#",), (b"Source", b"END")):
        wanted = [line for line in lines if any(word in line for word in words)]
        assert lines_with(data[:end], *words) == wanted


@st.composite
def records(draw: st.DrawFn) -> bytes:
    """Records near each other in time, of which some step back or jump over half the clock, of any address."""
    out, clock = b"", draw(st.integers(0, 2**32 - 1))
    for _ in range(draw(st.integers(0, 40))):
        address = draw(st.integers(0, 2**32 - 1)) & draw(
            st.sampled_from([0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFBFF, 0x1E0EFBFF])
        )
        clock = (clock + draw(st.sampled_from([0, 1, 5, 2**30, 2**31 + 1, -1, -(2**31) - 2]))) % 2**32
        out += struct.pack(">II", address, clock)
    return out


@pytest.mark.slow
@given(
    records(),
    st.sampled_from(["DVS128", "DAVIS240", "DAVIS346", "DAVIS640"]),
    st.booleans(),
    st.sampled_from([1, 3, 40, 150]),
)
@settings(deadline=None, max_examples=100)
def test_aedat2_gives_what_the_slow_decoder_gives(body: bytes, camera: str, keep: bool, times: int) -> None:
    sizes = {"DVS128": (128, 128), "DAVIS240": (240, 180), "DAVIS346": (346, 260), "DAVIS640": (640, 480)}
    width, height = sizes[camera]
    body *= times  # over several blocks
    wanted, marked = slow_aedat.aedat2_events(body, camera != "DVS128", (width, height), keep)
    source = Aedat2(camera=camera, sort=True, outside="drop", marked="keep" if keep else "drop")
    data = aedat2.HEADER + body
    off = sum(x < 0 or y < 0 for _, x, y, _ in wanted)
    too_long = camera == "DVS128" and any(address > 0xFFFF for address, _ in struct.iter_unpack(">II", body))
    other_camera = camera != "DAVIS640" and off > max(1, 0.01 * len(wanted))
    if too_long or other_camera:
        with pytest.raises(BadRecording, match="more than 16 bits" if too_long else "they fit a DAVIS"):
            source.decode(data, "a")
        return
    found = source.decode_counted(data, "a")
    on_it = [row for row in wanted if row[1] >= 0 and row[2] >= 0]
    lost = {"outside_sensor": len(wanted) - len(on_it), "marked": 0 if keep else marked}
    events = found.events
    assert slow_aedat.rows_of((events.t, events.x, events.y, events.p)) == sorted(
        on_it, key=lambda row: row[0]
    )
    assert found.lost == {kind: number for kind, number in lost.items() if number}
    back = sum(on_it[k + 1][0] < on_it[k][0] for k in range(len(on_it) - 1))
    assert found.mended == ({"steps_back": back} if back else {})


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 1, 1, 3]),
            st.sampled_from([(8, 4), (8, 4), (12, 8), (9, 5)]),
            st.integers(-1, 2),
            st.integers(0, 50),
            st.sampled_from([1, 20, 130]),
            st.booleans(),
        ),
        max_size=5,
    ),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=80)
def test_aedat31_gives_what_the_slow_decoder_gives(
    packets: list[tuple[int, tuple[int, int], int, int, int, bool]], seed: int
) -> None:
    rng, body = np.random.default_rng(seed), b""
    for kind, (size, offset), overflow, number, times, all_valid in packets:
        events = rng.integers(0, 256, (number * times, size), np.uint8)
        events[:, 0] |= all_valid
        body += aedat31.packet(kind, events.tobytes(), size, len(events), overflow=overflow, offset=offset)
    wanted = sorted(slow_aedat.aedat31_events(body), key=lambda row: row[0])
    found = Aedat31(sort=True).decode(aedat31.write([body]), "a", (1 << 15, 1 << 15))
    assert slow_aedat.rows_of((found.t, found.x, found.y, found.p)) == wanted


SEQUENCE = st.tuples(
    st.binary(max_size=40), st.integers(1, 70), st.sampled_from([4, 5, 8, 12, 18, 19, 40, 300])
)


@st.composite
def packed(draw: st.DrawFn) -> tuple[bytes, int]:
    """A sound LZ4 frame of long and short literals and matches that overlap themselves, and its size unpacked."""
    frame = struct.pack("<IBBB", lz4.MAGIC, 0x40 | draw(st.sampled_from([0, 0x10])), 0x40, 0)
    size = 0
    for _ in range(draw(st.integers(1, 3))):
        block = b""
        for literals, back, length in draw(st.lists(SEQUENCE, min_size=1, max_size=12)) * draw(
            st.integers(1, 6)
        ):
            literals = literals or b"x" * (size == 0)
            size += len(literals)
            back = min(back, size)
            block += aedat4._lz4_sequence(literals, back, length)
            size += length
        last = draw(st.binary(min_size=1, max_size=30))
        block, size = block + aedat4._lz4_sequence(last, 0, 4), size + len(last)
        frame += struct.pack("<I", len(block)) + block + bytes(4 * (frame[4] >> 4 & 1))
    return frame + bytes(4), size


@pytest.mark.slow
@given(packed(), packed(), st.data())
@settings(deadline=None, max_examples=100)
def test_lz4_frames_unpack_as_they_do_slowly_alone_and_beside_another(
    one: tuple[bytes, int], other: tuple[bytes, int], data: st.DataObject
) -> None:
    frames = [bytearray(one[0]), bytearray(other[0])]
    for frame in frames[: data.draw(st.integers(0, 2))]:
        for at in data.draw(st.lists(st.integers(7, len(frame) - 1), max_size=3)):
            frame[at] = data.draw(st.integers(0, 255))
    wanted = [
        slow_aedat.lz4_frame(bytes(frame), size)
        for frame, size in zip(frames, (one[1], other[1]), strict=True)
    ]
    for frame, size, content in zip(frames, (one[1], other[1]), wanted, strict=True):
        unpacked = lz4.unpacked(np.frombuffer(bytes(frame), np.uint8), size)
        assert (None if unpacked is None else unpacked.tobytes()) == content
    raw = np.frombuffer(bytes(frames[0] + frames[1]), np.uint8)
    out, out_b = np.zeros(one[1] + 64, np.uint8), np.zeros(other[1] + 64, np.uint8)
    at, middle, to, to_b = raw.ctypes.data, len(frames[0]), out.ctypes.data, out_b.ctypes.data
    sound = lz4.unpack_two(at, 0, middle, to, one[1], middle, len(raw), to_b, other[1])
    assert list(sound) == [content is not None for content in wanted]
    for ok, content, array, size in zip(sound, wanted, (out, out_b), (one[1], other[1]), strict=True):
        assert not ok or array[:size].tobytes() == content
        assert not array[size:].any(), "written beyond the end"


def packets_of(frames: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    data, places = b"", []
    for frame in frames:
        places.append((0, len(data), len(data) + 8 + len(frame)))
        data += struct.pack("<II", 0, len(frame)) + frame
    return np.frombuffer(data, np.uint8), np.array(places, np.int64).reshape(-1, 3)


EVENTS_4 = st.lists(
    st.tuples(st.integers(-5, 2**62), st.integers(-3, 700), st.integers(-3, 500), st.integers(0, 1)),
    max_size=20,
)


@pytest.mark.slow
@given(st.lists(EVENTS_4, max_size=5), st.sampled_from([aedat4.NONE, aedat4.LZ4, aedat4.ZSTD]), st.data())
@settings(deadline=None, max_examples=100)
def test_packets_of_aedat4_give_what_the_slow_decoder_gives(
    packets: list[list[tuple[int, int, int, int]]], compression: int, data: st.DataObject
) -> None:
    contents = [bytearray(aedat4.events(rows)) for rows in packets]
    for content in contents[: data.draw(st.integers(0, 1))]:  # behind the size, which says how much to unpack
        for at in data.draw(st.lists(st.integers(4, min(len(content), 60) - 1), max_size=3)):
            content[at] = data.draw(st.integers(0, 255))
    packers: dict[int, Callable[[bytes], bytes]]
    packers = {aedat4.NONE: bytes, aedat4.LZ4: aedat4.lz4, aedat4.ZSTD: aedat4.zstd}
    raw, places = packets_of([packers[compression](bytes(content)) for content in contents])
    wanted = [slow_aedat.aedat4_events(bytes(content)) for content in contents]
    if any(rows is None for rows in wanted):
        bad = next(k for k, rows in enumerate(wanted) if rows is None)
        with pytest.raises(BadRecording, match=rf"^a: the packet at byte {places[bad, 1]:,} "):
            events_of(raw, places, compression, "a")
        return
    found = events_of(raw, places, compression, "a")
    rows = [row for part in wanted for row in part or []]
    assert slow_aedat.rows_of(found[:4]) == rows
    assert found.in_order == all(rows[k][0] <= rows[k + 1][0] for k in range(len(rows) - 1))
    assert found.highest == (
        max((x for _, x, _, _ in rows), default=0),
        max((y for _, _, y, _ in rows), default=0),
    )


def test_zstandard_is_read_without_its_functions_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(k, k % 100, k % 90, k % 2) for k in range(500)]
    packets = [(0, aedat4.zstd(aedat4.events(rows[:300]))), (0, aedat4.zstd(aedat4.events(rows[300:])))]
    data = aedat4.write(packets, compression=aedat4.ZSTD)
    wanted = Aedat4().decode(data, "a")
    assert slow_aedat.rows_of((wanted.t, wanted.x, wanted.y, wanted.p)) == rows
    damaged = data.replace(aedat4.zstd(b"")[:4], b"xxxx", 1)
    with pytest.raises(BadRecording) as with_functions:
        Aedat4().decode(damaged, "a")
    monkeypatch.setattr(zstd, "_library", lambda: None)
    assert Aedat4().decode(data, "a") == wanted
    with pytest.raises(BadRecording) as by_the_filter:
        Aedat4().decode(damaged, "a")
    assert str(by_the_filter.value) == str(with_functions.value)


def test_packets_that_together_unpack_to_far_too_much_are_refused() -> None:
    packets = [(0, aedat4.zstd_zeros(20))] * 300
    data = aedat4.write(packets, compression=aedat4.ZSTD)
    with pytest.raises(
        BadRecording, match=r"^a: the packet|^a: its packets unpack to far more than they can"
    ):
        Aedat4().decode(data, "a")


@given(
    st.lists(st.sampled_from([0, 1, 5, 2**30, 2**31 - 1, 2**31 + 1, -1, -(2**31) - 2]), max_size=30),
    st.lists(st.integers(0, 30), max_size=4),
    st.integers(0, 2**32 - 1),
)
def test_a_clock_goes_on_over_cuts_as_without_them(steps: list[int], cuts: list[int], start: int) -> None:
    clock = (np.cumsum([start, *steps]) % 2**32).astype(np.uint32)
    wanted, wraps = unwrapped(clock)
    parts, now = [], Clock()
    for part in np.split(clock, sorted(cuts)):
        t, now = unwrapped_after(part, now)
        parts.append(t)
    np.testing.assert_array_equal(np.concatenate(parts), wanted)
    assert now.wraps == wraps


def test_packets_beside_the_events_are_counted_in_a_note_that_is_no_warning() -> None:
    rows = [(k, k, k, k % 2) for k in range(20)]
    of_4 = aedat4.write([(1, b"imu"), (0, aedat4.events(rows)), (1, b"imu")])
    of_31 = aedat31.write([aedat31.special(1), aedat31.polarity(rows), aedat31.imu6(5)])
    for source, data in ((Aedat4(), of_4), (Aedat31(), of_31)):
        found = source.decode_counted(data, "a")
        (note,) = found.notes
        assert (note.kind, note.times, note.fix) == ("other_packets", 2, "")
        assert "2 packets of " in note.what
        assert found.lost == {}
