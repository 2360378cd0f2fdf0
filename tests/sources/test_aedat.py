"""AEDAT 2.0 and 3.1 against files written from the definition, and real recordings."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventbench as eb
from eventbench.errors import BadRecording, BadSpec
from eventbench.sources.aedat2 import Aedat2
from eventbench.sources.aedat31 import Aedat31
from tests.support.formats import aedat2, aedat31

CAMERAS = {"DVS128": (128, 128), "DAVIS240C": (240, 180), "DAVIS346B": (346, 260)}


@st.composite
def events_of(draw: st.DrawFn, size: tuple[int, int], most: int = 30) -> list[tuple[int, int, int, int]]:
    ts = sorted(draw(st.lists(st.integers(0, 2**33), max_size=most)))
    # A 32-bit clock can only be followed where it wraps at most once between neighbours.
    for i in range(1, len(ts)):
        ts[i] = min(ts[i], ts[i - 1] + 2**31 - 1)
    if ts:
        ts = [t - ts[0] + ts[0] % 2**32 for t in ts]
    width, height = size
    return [
        (t, draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1)), draw(st.integers(0, 1)))
        for t in ts
    ]


def rows(events: eb.Events) -> list[tuple[int, int, int, int]]:
    return list(zip(*(getattr(events, name).tolist() for name in "txyp"), strict=True))


@given(st.data(), st.sampled_from(sorted(CAMERAS)))
@settings(deadline=None, max_examples=60)
def test_aedat2_gives_the_events_that_were_written_and_no_other_word(data, chip):
    size = CAMERAS[chip]
    events = data.draw(events_of(size))
    others = [0x8000 | 5] * 3 if chip == "DVS128" else [0x80000000 | 7, 1 << 10, 0x80000400]
    found = Aedat2().decode(aedat2.write(events, chip, others=others), "a.aedat")
    assert rows(found) == events
    assert found.sensor == size


def test_aedat2_as_stored_gives_the_bits_of_the_word():
    found = Aedat2(as_stored=True).decode(aedat2.write([(1, 3, 5, 1)]), "a.aedat")
    assert rows(found) == [(1, 124, 122, 0)]


def test_aedat2_takes_negative_times_as_jaer_writes_them_past_2_to_the_31():
    events = [(2**31 - 1, 1, 1, 0), (2**31 + 5, 1, 1, 0), (2**32 - 1, 1, 1, 0), (2**32 + 3, 1, 1, 0)]
    data = aedat2.write(events)
    assert struct.unpack(">i", data[-20:-16])[0] < 0
    assert rows(Aedat2().decode(data, "a.aedat")) == events


def test_aedat2_without_a_chip_line_is_a_dvs128_where_addresses_have_16_bits():
    events = [(1, 3, 5, 1), (2, 127, 0, 0)]
    assert rows(Aedat2().decode(aedat2.write(events, named=False), "a.aedat")) == events
    davis = aedat2.write([(1, 3, 5, 1)], "DAVIS240C", named=False)
    with pytest.raises(BadRecording, match=r"names no chip.*camera = "):
        Aedat2().decode(davis, "a.aedat")
    assert rows(Aedat2(camera="DAVIS240").decode(davis, "a.aedat")) == [(1, 3, 5, 1)]


def test_aedat2_refuses_steps_back_in_time_unless_it_is_told_to_sort():
    data = aedat2.write([(9, 1, 1, 0), (3, 2, 2, 1), (9, 3, 3, 0)])
    with pytest.raises(BadRecording, match=r"a\.aedat: time runs backwards at event 1 .*sort = true"):
        Aedat2().decode(data, "a.aedat")
    assert [t for t, *_ in rows(Aedat2(sort=True).decode(data, "a.aedat"))] == [3, 9, 9]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (aedat2.write([(1, 2, 3, 1)])[:-3], "truncated: 0 records and 5 bytes more"),
        (aedat2.write([(1, 2, 3, 1)], "CochleaAMS1c"), "the chip CochleaAMS1c, which is no event camera"),
        (b"#!AER-DAT1.0\r\n" + bytes(6), "AEDAT 1.0"),
        (
            aedat2.write([(1, 2, 3, 1)], "DAVIS240C").replace(b"DAVIS240C", b"DVS128"),
            "address of more than 16 bits",
        ),
    ],
)
def test_aedat2_refuses_in_one_line_what_it_cannot_read(data, message):
    with pytest.raises(BadRecording, match=rf"^a\.aedat: .*{message}"):
        Aedat2().decode(data, "a.aedat")


def test_an_unknown_camera_is_refused():
    with pytest.raises(BadSpec, match="camera is 'dvs'; allowed: DVS128"):
        Aedat2(camera="dvs")


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_aedat31_gives_the_valid_polarity_events_of_all_packets(data):
    packets, wanted, now = [], [], 0
    for _ in range(data.draw(st.integers(0, 5))):
        kind = data.draw(st.sampled_from(["polarity", "special", "imu6", "empty"]))
        if kind != "polarity":
            packets.append(
                {"special": aedat31.special(5), "imu6": aedat31.imu6(5), "empty": aedat31.polarity([])}[kind]
            )
            continue
        now += data.draw(st.sampled_from([0, 7, 2**31]))
        overflow = now >> 31
        inside = [
            (
                min(now + k, (overflow + 1) * 2**31 - 1),
                *data.draw(st.tuples(*[st.integers(0, 127)] * 2, st.integers(0, 1))),
            )
            for k in range(data.draw(st.integers(0, 6)))
        ]
        invalid = data.draw(st.lists(st.integers(0, 5), max_size=3))
        packets.append(aedat31.polarity(inside, overflow, invalid))
        wanted += [event for k, event in enumerate(inside) if k not in invalid]
        now = inside[-1][0] if inside else now
    found = Aedat31().decode(aedat31.write(packets), "a.aedat")
    assert rows(found) == wanted
    assert found.sensor == (128, 128)


@pytest.mark.parametrize("cut", [1, 8, 20, 30, 40])
def test_aedat31_cut_anywhere_is_refused_with_the_place(cut):
    whole = aedat31.write([aedat31.polarity([(1, 2, 3, 1)] * 2), aedat31.polarity([(5, 2, 3, 1)] * 2)])
    at = len(whole) - 44
    with pytest.raises(BadRecording, match=rf"truncated: the packet at byte {at:,} goes beyond"):
        Aedat31().decode(whole[:-cut], "a.aedat")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"#!AER-DAT3.1\r\n#Format: RAW\r\n", "the header has no end"),
        (aedat31.write([]).replace(b"RAW", b"PNGFrames"), "its packets are packed"),
        (
            aedat31.write([aedat31.packet(1, bytes(8), 4, 2)]),
            "the sizes in the head of the packet at byte .* make no sense",
        ),
        (aedat31.write([aedat31.packet(1, bytes(8), 8, -1)]), "make no sense"),
        (aedat31.write([aedat31.packet(1, bytes(8), 8, 1, offset=6)]), "make no sense"),
        (aedat31.write([], b"CochleaAMS"), "no event camera"),
    ],
)
def test_aedat31_refuses_in_one_line_what_it_cannot_read(data, message):
    with pytest.raises(BadRecording, match=rf"^a\.aedat: .*{message}"):
        Aedat31().decode(data, "a.aedat")


def test_aedat31_takes_the_sensor_from_the_source_line_or_the_events():
    data = [aedat31.polarity([(1, 200, 100, 1)])]
    assert Aedat31().decode(aedat31.write(data, b"DAVIS240C"), "a").sensor == (240, 180)
    unnamed = aedat31.write(data, b"X").replace(b"#Source 1: X\r\n", b"")
    assert Aedat31().decode(unnamed, "a").sensor == (201, 101)


@pytest.mark.parametrize(
    ("file", "events", "sensor", "span"),
    [
        ("davis240c_mixed", range(162_771, 162_772), (240, 180), 2_072_651),
        ("dvs128_walking", range(1, 10**7), (128, 128), None),
        ("dvs128_checkerboard_noheaderchip", range(30_350, 76_733), (128, 128), None),
    ],
)
def test_real_aedat2_recordings_are_what_is_known_of_them(shared_data: Path, file, events, sensor, span):
    found = eb.read(shared_data / "recordings" / f"{file}.aedat")
    assert len(found) in events
    assert found.sensor == sensor
    assert span in (None, found.duration_us)
    assert 0 < np.mean(found.p) < 1


def test_a_cochlea_is_refused_by_name(shared_data: Path):
    path = shared_data / "recordings" / "cochlea_not_a_camera.aedat"
    with pytest.raises(
        BadRecording,
        match=rf"^{re.escape(str(path))}: the header names the chip CochleaLP, which is no event camera",
    ):
        eb.read(path)


@pytest.mark.parametrize("end", [b"", b"#End Of ASCII Header\r\n"])
@pytest.mark.parametrize("y", [36, 37, 38, 39])
@pytest.mark.parametrize("x", range(0, 240, 7))
def test_a_first_record_that_begins_with_the_byte_of_a_header_line_is_a_record(end, y, x):
    events = [(10 + 1000 * k, (x + k) % 240, y if k == 0 else k, k % 2) for k in range(20)]
    written = aedat2.write(events, "DAVIS240C")
    start = written.index(b"DAVIS240C\r\n") + len(b"DAVIS240C\r\n")
    assert written[start : start + 1] == b"#"
    found = Aedat2().decode(written[:start] + end + written[start:], "a.aedat")
    assert list(zip(*(getattr(found, name).tolist() for name in "txyp"), strict=True)) == events


def test_aedat_3_0_whose_y_counts_from_the_bottom_is_refused_by_name():
    data = aedat31.write([aedat31.polarity([(1, 2, 3, 1)])]).replace(b"DAT3.1", b"DAT3.0")
    with pytest.raises(
        BadRecording, match=r"^a\.aedat: of version '3\.0'; in AEDAT 3\.0 y counts from the bottom"
    ):
        Aedat31().decode(data, "a.aedat")


def test_a_chip_is_known_by_its_family_and_what_it_is_called_elsewhere():
    davis = aedat2.write([(1, 3, 5, 1), (2, 200, 170, 0)], "DAVIS240C")
    dvs = aedat2.write([(1, 3, 5, 1), (2, 120, 17, 0)])
    for data, written, stated in [
        (davis, b"DAVIS240C", b"SBret10"),
        (davis, b"DAVIS240C", b"DAViS240"),
        (dvs, b"DVS128", b"Tmpdiff128"),
        (dvs, b"DVS128", b"DVS128_FX2"),
    ]:
        expected = Aedat2().decode(data, "a.aedat")
        assert Aedat2().decode(data.replace(written, stated), "a.aedat") == expected
    other = aedat2.write([(1, 3, 5, 1)], "DAVIS346B")
    assert Aedat2().decode(other.replace(b"DAVIS346B", b"DAVI346"), "a.aedat").sensor == (346, 260)


@pytest.mark.parametrize("chip", ["DVS128", "DAVIS240C", "DAVIS346B"])
@pytest.mark.parametrize("stated", [b"NewChip9", b""])
def test_the_advice_for_an_unknown_chip_leads_to_the_events(chip: str, stated: bytes):
    width, height = CAMERAS[chip]
    events = [(k, (k * 7) % width, (k * 11) % height, k % 2) for k in range(400)]
    data = aedat2.write(events, chip)
    named = aedat2.CHIP % chip.encode()
    data = data.replace(named, aedat2.CHIP % stated if stated else b"")
    if chip == "DVS128" and not stated:
        assert rows(Aedat2().decode(data, "a.aedat")) == events
        return
    with pytest.raises(BadRecording, match=r"--set camera=") as refused:
        Aedat2().decode(data, "a.aedat")
    camera = re.search(r"--set camera=(\w+)", str(refused.value))
    assert camera is not None
    assert rows(Aedat2(camera=camera[1]).decode(data, "a.aedat")) == events
    if not stated:
        assert rows(Aedat2().decode(data, "a.aedat", CAMERAS[chip])) == events


def test_words_of_another_camera_than_the_header_names_are_refused_with_the_one_they_fit():
    events = [(k, k % 240, k % 180, k % 2) for k in range(400)]
    data = aedat2.write(events, "DAVIS240C").replace(b"DAVIS240C", b"DAVIS208")
    with pytest.raises(
        BadRecording, match=r"off the 208x192 pixels of a DAVIS208; they fit a DAVIS240: set camera"
    ):
        Aedat2().decode(data, "a.aedat")
    assert rows(Aedat2(camera="DAVIS240").decode(data, "a.aedat")) == events


def test_stray_events_and_a_cut_of_aedat2_can_be_left_out_and_are_counted():
    stray = struct.pack(">II", 300 << 22 | 5 << 12, 15)
    data = aedat2.write([(10, 1, 1, 1)], "DAVIS346B") + stray + b"abc"
    found = Aedat2(outside="drop", salvage=True).decode_counted(data, "a.aedat")
    assert rows(found.events) == [(10, 1, 1, 1)]
    assert found.lost == {"outside_sensor": 1, "cut_off": 1}


def test_one_damaged_time_is_no_wrap_of_the_clock():
    data = aedat2.write([(100, 1, 1, 1), (2**31 + 300, 2, 2, 1), (102, 3, 3, 1), (103, 4, 4, 1)])
    with pytest.raises(BadRecording, match="time runs backwards at event 2"):
        Aedat2().decode(data, "a.aedat")
    assert Aedat2(sort=True).decode(data, "a.aedat").t.tolist() == [100, 102, 103, 2**31 + 300]


@pytest.mark.parametrize(
    ("source", "sensor"),
    [(b"DVXplorer", (10, 8)), (b"Dynapse", (10, 8)), (b"NoiseFilter\r\n#-Source 1: DVS128", (128, 128))],
)
def test_aedat31_of_any_source_is_read(source: bytes, sensor: tuple[int, int]):
    events = [(1, 9, 3, 1), (5, 2, 7, 0)]
    found = Aedat31().decode_counted(aedat31.write([aedat31.polarity(events)], source), "a.aedat")
    assert rows(found.events) == events
    assert found.events.sensor == sensor
    assert bool(found.notes) == (sensor != (128, 128))


@pytest.mark.parametrize("cut", [3, 9, 20, 40])
def test_whole_events_before_a_cut_of_aedat31_can_be_had(cut: int):
    events = [(k, k, k, k % 2) for k in range(6)]
    data = aedat31.write([aedat31.polarity(events[:3]), aedat31.polarity(events[3:])])[:-cut]
    with pytest.raises(BadRecording, match=r"truncated: the packet at byte .*--set salvage=true"):
        Aedat31().decode(data, "a.aedat")
    found = Aedat31(salvage=True).decode_counted(data, "a.aedat")
    assert rows(found.events) == events[: 6 - -(-min(cut, 24) // 8)]
    assert found.lost == {"cut_off": 1}


def test_events_that_v2e_marks_as_noise_are_counted_and_can_be_kept():
    events = [(10, 1, 1, 1), (20, 2, 2, 0), (30, 3, 3, 1)]
    marked = aedat2.address(9, 9, 1, "DAVIS346B") | 1 << 10
    data = aedat2.write(events, "DAVIS346B", others=[1 << 10, marked])
    found = Aedat2().decode_counted(data, "a.aedat")
    assert rows(found.events) == events
    assert found.lost == {"marked": 1}
    kept = Aedat2(marked="keep").decode_counted(data, "a.aedat")
    assert rows(kept.events) == [(10, 1, 1, 1), (10, 9, 9, 1), *events[1:]]
    assert not kept.lost
