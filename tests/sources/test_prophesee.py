"""Prophesee RAW and DAT, Event Stream and AEDAT 4 against files written from the definition, and real recordings."""

from __future__ import annotations

import re
from functools import partial
from itertools import pairwise
from pathlib import Path

import faery
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import eventbench as eb
from eventbench.errors import BadRecording, BadSpec
from eventbench.files.temporary import as_file
from eventbench.sources.aedat4 import Aedat4
from eventbench.sources.dat import Dat
from eventbench.sources.event_stream import EventStream
from eventbench.sources.evt import Evt
from tests.support.formats import aedat4, dat, event_stream, evt


def rows(events: eb.Events) -> list[tuple[int, int, int, int]]:
    return list(zip(*(getattr(events, name).tolist() for name in "txyp"), strict=True))


@st.composite
def events_on(draw: st.DrawFn, width: int, height: int, longest: int, most: int = 25, first: int = 0):
    t, made = first, []
    for _ in range(draw(st.integers(0, most))):
        t += draw(st.integers(0, longest))
        made.append(
            (t, draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1)), draw(st.integers(0, 1)))
        )
    return made


@given(events_on(1280, 720, 100_000), st.booleans())
@settings(deadline=None, max_examples=40)
def test_evt2_gives_what_was_written(events, triggers):
    found = Evt().decode(evt.evt2(events, (1280, 720), triggers), "a.raw")
    assert rows(found) == events
    assert found.sensor == (1280, 720)


@given(events_on(1280, 720, 100_000))
@settings(deadline=None, max_examples=40)
def test_evt21_gives_what_was_written(events):
    assert rows(Evt().decode(evt.evt21(events, (1280, 720)), "a.raw")) == events


@given(events_on(1280, 720, 4_000_000))
@settings(deadline=None, max_examples=40)
def test_evt3_gives_what_was_written_past_the_wrap_of_its_24_bit_clock(events):
    assert rows(Evt().decode(evt.evt3(events, (1280, 720)), "a.raw")) == events


@pytest.mark.parametrize("step", [16, 5000, 40_000, 1_000_000, 6_000_000])
def test_evt3_wraps_also_where_the_words_of_time_next_to_the_wrap_are_missing(step):
    first = max(0, 2**24 - 3 * step)
    events = [(first + k * step, k, 2 * k, k % 2) for k in range(9)]
    words, high = [], -1
    for t, x, y, p in events:
        if t >> 12 != high:  # of a quiet scene whose readout leaves out times without events
            high = t >> 12
            words.append(0x8 << 12 | high % 4096)
        words += [0x6 << 12 | t % 4096, y, 0x2 << 12 | p << 11 | x]
    data = evt.header("3.0", (640, 480)) + b"".join(word.to_bytes(2, "little") for word in words)
    assert rows(Evt().decode(data, "a.raw")) == events


def test_evt3_passes_over_a_high_time_out_of_place_and_what_comes_before_the_first():
    words = [0x2005, 0x8FFF, 0x6001, 7, 0x2005, 0x8FFE, 0x6002, 0x2006, 0x8000, 0x8FFF, 0x6003, 0x2007]
    data = evt.header("3.0", (9, 9)) + b"".join(word.to_bytes(2, "little") for word in words)
    top = 4095 << 12
    assert rows(Evt().decode(data, "a.raw")) == [(top + 1, 5, 7, 0), (top + 2, 6, 7, 0), (2**24 + 3, 7, 7, 0)]


@given(events_on(1280, 720, 4_000_000))
@settings(deadline=None, max_examples=20)
def test_evt3_is_decoded_as_by_faery_where_the_sensor_writes_every_time(events):
    data = evt.evt3(events, (1280, 720))
    with as_file(data) as path, faery.evt.Decoder(path, (1280, 720), "evt3") as packets:
        theirs = [packet["events"] for packet in packets if packet.get("events") is not None]
    wanted = [(int(e["t"]), int(e["x"]), int(e["y"]), int(e["on"])) for part in theirs for e in part]
    if all(t >> 12 < 4094 for t, *_ in events[:1]):  # faery passes over a first high time of 4094 or more
        assert rows(Evt().decode(data, "a.raw")) == wanted


def test_evt2_goes_on_where_its_34_bit_clock_wraps():
    events = [(2**34 - 100, 1, 1, 0), (2**34 - 3, 2, 2, 1), (2**34 + 70, 3, 3, 0)]
    found = rows(Evt().decode(evt.evt2(events, (640, 480)), "a.raw"))
    assert [b[0] - a[0] for a, b in pairwise(found)] == [97, 73]


def test_evt21_words_hold_several_pixels_and_may_have_their_halves_swapped():
    words = [0x8 << 60 | 3 << 32, 1 << 60 | 5 << 54 | 96 << 43 | 7 << 32 | 0x80000003, 0xA << 60 | 1]
    wanted = [(197, 96, 7, 1), (197, 97, 7, 1), (197, 127, 7, 1)]
    plain = evt.header("2.1", (640, 480)) + b"".join(word.to_bytes(8, "little") for word in words)
    assert rows(Evt().decode(plain, "a.raw")) == wanted
    swapped = b"".join((word >> 32 | (word & 0xFFFFFFFF) << 32).to_bytes(8, "little") for word in words)
    old = b"% format EVT21;endianness=legacy;height=480;width=640\n% end\n" + swapped
    assert rows(Evt().decode(old, "a.raw")) == wanted


def test_evt3_vectors_are_the_pixels_whose_bits_are_set():
    data = evt.header("3.0", (1280, 720)) + evt.evt3_vector(4097, 100, 7, 1, 0b100000000011, 0b10000001)
    assert rows(Evt().decode(data, "a.raw")) == [(4097, x, 7, 1) for x in (100, 101, 111, 112, 119)]


def test_a_raw_file_without_a_size_takes_its_chips_or_the_smallest():
    events = [(5, 11, 3, 1), (6, 2, 9, 0)]
    assert Evt().decode(evt.evt2(events), "a.raw").sensor == (12, 10)
    named = evt.evt2(events).replace(b"% evt", b"% plugin_name hal_plugin_gen3_fx3\n% evt")
    assert Evt().decode(named, "a.raw").sensor == (640, 480)
    modern = b"% format EVT2;height=480;width=640\n% end\n" + evt.evt2(events)[len(evt.header("2.0")) :]
    assert Evt.recognises(modern)
    assert Evt().decode(modern, "a.raw").sensor == (640, 480)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (evt.evt2([(1, 2, 3, 1)], (9, 9))[:-1], "truncated: 3 bytes after the last whole word"),
        (evt.evt3([(1, 2, 3, 1)], (9, 9)) + b"x", "truncated: 1 bytes"),
        (evt.evt2([(1, 20, 3, 1)], (9, 9)), "x is 20|out of|range|overflow"),
        (evt.header("5.0") + bytes(8), "its encoding is 5.0; allowed: .*evt 2.0"),
        (bytes(40), "its encoding is not named"),
    ],
)
def test_raw_files_that_cannot_be_read_are_refused_in_one_line(data, message):
    with pytest.raises(BadRecording, match=rf"^a\.raw: .*(?:{message})"):
        Evt().decode(data, "a.raw")


@given(
    st.data(),
    st.sampled_from([(2, 1280, 720), (2, 16384, 16384), (1, 304, 240), (1, 512, 256), (None, 304, 240)]),
    st.sampled_from([0, 12]),
    st.booleans(),
    st.booleans(),
)
@settings(deadline=None, max_examples=80)
def test_dat_gives_what_was_written_laid_out_as_its_version_says(data, layout, kind, sized, end):
    version, width, height = layout
    events = data.draw(events_on(width, height, 2**29, first=2**32 - 2**31))
    whole = dat.write(events, kind, (width, height) if sized else None, end, version)
    assert Dat.recognises(whole)
    assert not Evt.recognises(whole)
    found = Dat().decode(whole, "a.dat", None if sized or events else (1, 1))
    assert rows(found) == events
    if sized:
        assert found.sensor == (width, height)


@given(st.data(), st.sampled_from([(2, 1280, 720), (1, 304, 240)]), st.sampled_from([0, 12]))
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_dat_is_read_as_faery_reads_it(tmp_path, data, layout, kind):
    version, width, height = layout
    path = tmp_path / "a.dat"
    events = data.draw(events_on(width, height, 10**6))
    path.write_bytes(dat.write(events, kind, (width, height), version=version))
    with faery.dat.Decoder(path, None, None) as packets:
        theirs = [row for packet in packets for row in packet.tolist()]
    assert rows(eb.read(path)) == theirs


def test_n_cars_files_are_of_event_type_0_and_version_2_and_say_no_size():
    events = [(1, 99, 119, 1), (1, 0, 83, 0), (99_999, 63, 2, 1)]
    whole = dat.N_CARS + dat.words(events, 2)
    assert Dat.recognises(whole)
    found = Dat().decode(whole, "obj_004397_td.dat")
    assert rows(found) == events
    assert found.sensor == (100, 120)


def test_dat_without_a_version_is_of_the_first_or_told_to_be_of_the_second():
    second = dat.write([(1, 2, 300, 1)], version=2).replace(b"% Version 2\n", b"")
    with pytest.raises(
        BadRecording,
        match=r"^a\.dat: the header gives no version, and the word of event 0, 0x104b0002, is not of version 1; .*format_version = 2",
    ):
        Dat().decode(second, "a.dat")
    assert rows(Dat(format_version=2).decode(second, "a.dat")) == [(1, 2, 300, 1)]
    assert rows(Dat(format_version=2).decode(dat.write([(1, 2, 3, 1)], version=1), "a.dat")) == [(1, 2, 3, 1)]
    with pytest.raises(BadSpec, match="format_version is 3; allowed: 0, 1 or 2"):
        Dat(format_version=3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (dat.write([(1, 2, 3, 1)])[:-3], "truncated: 0 events and 5 bytes more"),
        (dat.write([(1, 2, 3, 1)], kind=14), r"come the bytes \[14, 8\]; allowed: event type 0 or 12"),
        (dat.write([(1, 2, 3, 1)], version=3), "version 3 of the format; allowed: 1 or 2"),
        (bytes(40), "after 0 header lines"),
        (dat.write([(9, 2, 3, 1), (5, 2, 3, 1)]), "time runs backwards"),
        (dat.write([(5, 2, 3, 1), (9, 2, 3, 2)]), r"polarities are \[1, 2\]"),
        (dat.write([(9, 20, 3, 1)], size=(9, 9)), "x is 20"),
    ],
)
def test_dat_files_that_cannot_be_read_are_refused_in_one_line(data, message):
    with pytest.raises(BadRecording, match=rf"^a\.dat: .*{message}"):
        Dat().decode(data, "a.dat")


@given(events_on(30, 32, 1000))
@settings(deadline=None, max_examples=40)
def test_event_stream_gives_what_was_written_with_y_from_the_top(events):
    found = EventStream().decode(event_stream.write(events, (30, 32)), "a.es")
    assert rows(found) == events
    assert found.sensor == (30, 32)


def test_event_streams_of_other_events_are_refused_by_name():
    with pytest.raises(BadRecording, match="an event stream of colour events; allowed: DVS events"):
        EventStream().decode(event_stream.write([], (3, 3), kind=4), "a.es")


@given(
    events_on(100, 90, 10**9, most=90, first=2**50),
    st.integers(1, 40),
    st.sampled_from(
        [
            (aedat4.NONE, bytes),
            (aedat4.ZSTD, aedat4.zstd),
            (aedat4.LZ4, aedat4.lz4),
            (aedat4.LZ4 + 1, partial(aedat4.lz4, linked=False, checksums=True)),
        ]
    ),
    st.sampled_from([None, b"table"]),
)
@settings(deadline=None, max_examples=40)
def test_aedat4_gives_the_events_of_its_first_event_stream(events, each, packing, table):
    compression, pack = packing
    packets = [(1, pack(aedat4.events(events[k : k + each]))) for k in range(0, len(events), each)]
    whole = aedat4.write(
        [(0, b"not looked at"), *packets, (2, b"nor this")],
        compression=compression,
        table=table,
        kinds=("IMUS", "EVTS", "EVTS"),
    )
    found = Aedat4().decode(whole, "a.aedat4")
    assert rows(found) == events
    assert found.sensor == (100, 90)


ONE = (0, aedat4.events([(1, 2, 3, 1)]))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"#!AER-DAT4.0\r\n" + bytes(40), "the header at byte 14 goes beyond the end of the file"),
        (b"#!AER-DAT4.0\r\n" + b"\x28\0\0\0" + bytes(40), "its header is damaged"),
        (aedat4.write([ONE], kinds=("IMUS",)), "no event stream in it"),
        (
            aedat4.write([(0, b"no frame at all")], compression=aedat4.LZ4),
            "packet at byte .* does not unpack",
        ),
        (aedat4.write([(0, aedat4.lz4(ONE[1])[:-9])], compression=aedat4.LZ4), "does not unpack"),
        (aedat4.write([(0, b"no frame at all")], compression=aedat4.ZSTD), "does not state its size"),
        (aedat4.write([ONE], compression=7), "compression 7; allowed: none, LZ4 or Zstandard"),
        (aedat4.write([ONE], table=None)[:-1], r"truncated: the packet at byte [\d,]+ goes beyond the end"),
        (aedat4.write([ONE, ONE])[:-70], "truncated: the packet at byte"),
        (aedat4.write([(0, b"")]), "the packet at byte .* unpacks to too few bytes"),
        (aedat4.write([(0, aedat4.zstd(b"EVTS"))], compression=aedat4.ZSTD), "unpacks to too few bytes"),
        (aedat4.write([(0, b"no EVTS in here")]), "cannot be decoded: bad packet prefix"),
        (aedat4.write([(0, aedat4.zstd_zeros(40_000))], compression=aedat4.ZSTD), "unpacks to far more"),
        (aedat4.write([(0, aedat4.events([(1, 100, 3, 1)]))]), "x is 100 at event 0"),
    ],
)
def test_aedat4_files_that_cannot_be_read_are_refused_in_one_line(data, message):
    with pytest.raises(BadRecording, match=rf"^a\.aedat4: .*{message}"):
        Aedat4().decode(data, "a.aedat4")


@pytest.mark.parametrize(
    ("file", "count", "first", "last", "sensor"),
    [
        ("gen3_evt2.raw", 539_481, 1_317_888, 1_367_888, (640, 480)),
        ("evk3_evt3.raw", 219_596, 11_718_656, 11_727_457, (1280, 720)),
        ("evk4_rect_dat2.dat", 566_878, 4_781, 1_416_135, (1280, 720)),
        ("dvxplorer_lite.aedat4", 111_954, 1605537493718345, 1605537494308262, (320, 240)),
        ("pokerdvs_club.es", 2_628, 0, 14_727, (30, 32)),
    ],
)
def test_real_recordings_are_what_is_known_of_them(
    shared_data: Path, tmp_path: Path, file, count, first, last, sensor
):
    path = shared_data / "recordings" / file
    found = eb.read(path)
    assert (len(found), found.t[0], found.t[-1], found.sensor) == (count, first, last, sensor)
    renamed = tmp_path / "a.bin"
    renamed.write_bytes(path.read_bytes())
    assert eb.read(renamed) == found


def test_a_stream_of_another_id_is_refused(shared_data: Path):
    path = shared_data / "recordings" / "dvxplorer_lite.aedat4"
    with pytest.raises(
        BadRecording, match=rf"^{re.escape(str(path))}: no event stream 2; allowed: streams \[0\]"
    ):
        Aedat4(stream=2).read(path)
    assert np.array_equal(Aedat4(stream=0).read(path).t, Aedat4().read(path).t)


LATE = (0, aedat4.events([(50, 1, 1, 1), (60, 2, 2, 0)]))
EARLY = (0, aedat4.events([(10, 3, 3, 1), (20, 4, 4, 0)]))


def test_packets_out_of_order_keep_their_times_and_are_refused_or_sorted():
    data = aedat4.write([LATE, EARLY])
    with pytest.raises(
        BadRecording, match=r"time runs backwards at event 2 \(60 then 10 us\); .*--set sort=true"
    ):
        Aedat4().decode(data, "a.aedat4")
    found = Aedat4(sort=True).decode_counted(data, "a.aedat4")
    assert rows(found.events) == [(10, 3, 3, 1), (20, 4, 4, 0), (50, 1, 1, 1), (60, 2, 2, 0)]
    assert [(note.kind, note.times) for note in found.notes] == [("steps_back", 1)]


def test_a_second_event_stream_is_told_and_can_be_chosen():
    other = (2, aedat4.events([(7, 9, 9, 1)]))
    data = aedat4.write([EARLY, other], kinds=("EVTS", "IMUS", "EVTS"))
    found = Aedat4().decode_counted(data, "a.aedat4")
    assert len(found.events) == 2
    (note,) = found.notes
    assert note.what == "it holds 2 event streams, 0 (100x90), 2 (100x90): stream 0 is read"
    assert "stream = 2" in note.fix
    assert rows(Aedat4(stream=2).decode(data, "a.aedat4")) == [(7, 9, 9, 1)]


def test_whole_packets_before_a_cut_and_events_on_the_sensor_can_be_had_of_aedat4():
    outside = (0, aedat4.events([(30, 100, 3, 1), (31, 5, 5, 1), (32, -1, 5, 1)]))
    data = aedat4.write([EARLY, outside, LATE])[:-9]
    found = Aedat4(salvage=True, outside="drop").decode_counted(data, "a.aedat4")
    assert found.events.t.tolist() == [10, 20, 31]
    assert found.lost == {"cut_off": 1, "outside_sensor": 2}


@given(events_on(30, 32, 1000))
@settings(deadline=None, max_examples=20)
def test_event_stream_is_decoded_as_by_faery(events):
    data = event_stream.write(events, (30, 32))
    with as_file(data) as path, faery.es.Decoder(path, 0) as packets:
        theirs = [
            (int(e["t"]), int(e["x"]), 31 - int(e["y"]), int(e["on"])) for part in packets for e in part
        ]
    assert rows(EventStream().decode(data, "a.es")) == theirs


def test_a_cut_event_stream_is_refused_and_what_is_whole_can_be_had():
    data = event_stream.write([(5, 1, 2, 1), (300, 40, 3, 0), (301, 3, 4, 1)], (30, 32))[:-2]
    with pytest.raises(BadRecording, match=r"truncated: 2 events and 3 bytes more; .*--set salvage=true"):
        EventStream().decode(data, "a.es")
    found = EventStream(salvage=True, outside="drop").decode_counted(data, "a.es")
    assert rows(found.events) == [(5, 1, 2, 1)]
    assert found.lost == {"cut_off": 1, "outside_sensor": 1}


def test_dat_can_be_sorted_salvaged_and_rid_of_events_off_the_sensor():
    data = dat.write([(9, 2, 3, 1), (5, 2, 3, 0), (7, 20, 3, 1)], size=(9, 9)) + b"abc"
    found = Dat(sort=True, salvage=True, outside="drop").decode_counted(data, "a.dat")
    assert rows(found.events) == [(5, 2, 3, 0), (9, 2, 3, 1)]
    assert found.lost == {"cut_off": 1, "outside_sensor": 1}


def test_a_file_of_triggers_is_named():
    data = dat.write([(1, 2, 3, 1)], kind=14)
    assert Dat.recognises(data)
    with pytest.raises(BadRecording, match="these are external triggers, no events of the camera's pixels"):
        Dat().decode(data, "a.dat")


def test_a_size_of_nothing_in_a_header_of_dat_is_none():
    assert Dat().decode(dat.write([(1, 2, 3, 1)], size=(0, 0)), "a.dat").sensor == (3, 4)
