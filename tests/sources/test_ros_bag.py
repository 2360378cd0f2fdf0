"""Bags of ROS 1 and 2, written by rosbags: arrays of events, and packets in EVT 3 and libcaer's encodings."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import eventbench as eb
from eventbench.errors import BadRecording
from eventbench.recordings.read import Reading, read_counted
from tests.support.formats import ros_bag
from tests.support.formats.ros_bag import ARRAY_PACKAGES, FORMATS, Array, Packet, libcaer, words, written

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
T_US = 1_600_000_000_000_000
RNG = np.random.default_rng(11)
T, X, Y, P = np.sort(RNG.integers(0, 9_000_000, 500)), *(RNG.integers(0, n, 500) for n in (346, 260, 2))


@pytest.fixture
def rosbags() -> None:
    pytest.importorskip("rosbags", reason="bags are written with rosbags: pip install eventbench[ros]")


def array(start: int = 0, stop: int = 500, package: str = "dvs_msgs", later_us: int = 0) -> Array:
    ns = (T_US + T + later_us) * 1000 + 999
    return Array(tuple(column[start:stop] for column in (ns, X, Y, P)), package)


def wanted() -> eb.Events:
    return eb.Events(t=T_US + T, x=X, y=Y, p=P, sensor=ros_bag.SENSOR)


@pytest.mark.parametrize("package", ARRAY_PACKAGES)
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.usefixtures("rosbags")
def test_arrays_of_events_come_out_as_they_were_written(format: str, package: str, tmp_path: Path) -> None:
    parts = [array(*part, package) for part in ((0, 1), (1, 3), (3, 3), (3, 250), (250, 500))]
    path = written(tmp_path, format, {"/dvs/events": parts})
    assert eb.read(path) == wanted()
    assert read_counted(path).notes == ()
    if format != "bag":
        assert eb.read(path.parent, source="ros_bag") == wanted()
    assert eb.read(path.rename(tmp_path / f"a b#?%20.{format}")) == wanted()


@pytest.mark.usefixtures("rosbags")
def test_packed_bags_are_read(tmp_path: Path) -> None:
    from rosbags.rosbag1 import Writer
    from rosbags.rosbag2.enums import CompressionFormat, CompressionMode

    for number, kind in enumerate(Writer.CompressionFormat):
        (folder := tmp_path / str(number)).mkdir()
        path = written(folder, "bag", {"/events": [array()]}, compression=[kind])
        assert eb.read(path) == wanted()
    for format in ("mcap", "db3"):
        (folder := tmp_path / format).mkdir()
        packed = (CompressionMode.MESSAGE, CompressionFormat.ZSTD)
        path = written(folder, format, {"/events": [array()]}, compression=packed)
        assert eb.read(path) == eb.read(path.parent, source="ros_bag") == wanted()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.usefixtures("rosbags")
def test_one_of_several_topics_is_read_and_the_others_are_told(format: str, tmp_path: Path) -> None:
    topics = {"/left/events": [array(0, 100)], "/right/events": [array(100, 500)]}
    path = written(tmp_path, format, topics)
    found = read_counted(path)
    assert len(found.events) == 100
    (note,) = found.notes
    assert note.kind == "other_streams"
    assert (
        "2 topics, /left/events (1 messages), /right/events (1 messages): /left/events is read" in note.what
    )
    assert "--set topic=/right/events" in note.fix
    assert len(eb.read(path, topic="/right/events")) == 400
    with pytest.raises(BadRecording, match=r"no event messages on '/middle'.*/left/events, /right/events"):
        eb.read(path, topic="/middle")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.usefixtures("rosbags")
def test_packets_in_evt3_give_the_events_of_the_raw_file(
    format: str, tmp_path: Path, shared_data: Path
) -> None:
    raw = (shared_data / "recordings" / "evk3_evt3.raw").read_bytes()
    start = raw.index(b"\n", raw.rindex(b"\n% ") + 1) + 1
    payload = raw[start:100_000]
    sizes = [2 * int(size) for size in RNG.integers(1, 900, 100)]
    cuts = [0, *(at for at in np.cumsum(sizes).tolist() if at < len(payload)), len(payload)]
    packets = [
        Packet("evt3", payload[a:b], number, 77) for number, (a, b) in enumerate(itertools.pairwise(cuts))
    ]
    assert len(packets) > 20
    path = written(tmp_path, format, {"/events": packets}, (1280, 720))
    (tmp_path / "a.raw").write_bytes(raw[:100_000])
    assert eb.read(path) == eb.read(tmp_path / "a.raw")
    assert read_counted(path).notes == ()


@pytest.mark.usefixtures("rosbags")
def test_packets_that_were_lost_are_told(tmp_path: Path) -> None:
    packets = [Packet("evt3", words(0x8001, 0x6000 + k, 0x0003, 0x2804), k) for k in (3, 4, 9)]
    found = read_counted(written(tmp_path, "db3", {"/events": packets}))
    assert found.events.t.tolist() == [4099, 4100, 4105]
    (note,) = found.notes
    assert (note.kind, "1 places: 4 were lost" in note.what) == ("lost_packets", True)


@pytest.mark.usefixtures("rosbags")
def test_libcaer_wraps_within_a_message_and_not_between_them(tmp_path: Path) -> None:
    base, top = 1_700_000_000_000_000_000, 2**31
    packets = [
        Packet("libcaer", libcaer((top - 2, 345, 259, 1), (1, 0, 7, 0)), 1, base),
        Packet("libcaer", b"", 2, base + top * 1000),
        Packet("libcaer", libcaer((5, 2, 3, 1)), 3, base + top * 1000),
    ]
    events = eb.read(written(tmp_path, "mcap", {"/events": packets}))
    assert (events.t - base // 1000).tolist() == [top - 2, top + 1, top + 5]
    assert [column.tolist() for column in (events.x, events.y, events.p)] == [
        [345, 0, 2],
        [259, 7, 3],
        [1, 0, 1],
    ]


@pytest.mark.usefixtures("rosbags")
def test_compressed_libcaer_agrees_with_a_decoder_of_one_word_at_a_time(tmp_path: Path) -> None:
    packets, expected, x, base_y, on = [], [], 0, 0, 0
    for number in range(30):
        content, t = [], 0
        time_base = (10**9 + number * 10**5) * 1000
        for _ in range(40):
            t += int(RNG.integers(0, 900))
            x, row, on = (int(RNG.integers(n)) for n in (346, 200, 2))
            content += [t >> 12, 1 << 12 | t & 0xFFF, 2 << 12 | x]
            if RNG.random() < 0.5:
                content.append(3 << 12 | on << 11 | row)
                expected.append((time_base // 1000 + t, x, row, on))
            else:
                content.append(4 << 12 | on << 11 | row)
                base_y = row
                for bits in RNG.integers(0, 256, int(RNG.integers(1, 4))).tolist():
                    content.append(5 << 12 | bits)
                    expected += [
                        (time_base // 1000 + t, x, base_y + k, on) for k in range(8) if bits >> k & 1
                    ]
                    base_y += 8
        packets.append(Packet("libcaer_cmp", words(*content), number, time_base))
    found = read_counted(written(tmp_path, "bag", {"/events": packets}), Reading())
    events = found.events
    assert list(zip(*(c.tolist() for c in (events.t, events.x, events.y, events.p)), strict=True)) == expected
    assert found.notes == ()


@pytest.mark.parametrize(
    ("packets", "says"),
    [
        ([Packet("mono", bytes(8))], r"encoding 'mono' \(an old encoding"),
        ([Packet("trigger", bytes(8))], r"encoding 'trigger' \(triggers, and no events\)"),
        ([Packet("evt4", bytes(8))], r"encoding 'evt4', which is not read.*evt3, libcaer, libcaer_cmp"),
        ([Packet("evt3", bytes(3))], r"packet 0 of /events has 3 bytes.*words of 2 bytes"),
        ([Packet("evt3", bytes(8), is_bigendian=True)], "big-endian"),
        ([Packet("libcaer_cmp", words(0x6001))], "has the type 6"),
        ([Packet("libcaer", bytes(8)), Packet("evt3", bytes(8))], "several encodings.*: evt3, libcaer"),
        ([array(5, 9), array(0, 4)], "time runs backwards.*--set sort=true"),
    ],
)
@pytest.mark.usefixtures("rosbags")
def test_what_is_not_read_is_named(packets: list[Array | Packet], says: str, tmp_path: Path) -> None:
    path = written(tmp_path, "mcap", {"/events": packets})
    with pytest.raises(BadRecording, match=says):
        eb.read(path)


@pytest.mark.usefixtures("rosbags")
def test_parameters_of_every_source_work(tmp_path: Path) -> None:
    path = written(tmp_path, "bag", {"/events": [array(250), array(0, 250)]}, (300, 260))
    found = read_counted(path, Reading(parameters={"sort": True, "outside": "drop"}))
    off = int((X >= 300).sum())
    assert found.lost == {"outside_sensor": off}
    assert len(found.events) == 500 - off


@pytest.mark.usefixtures("rosbags")
def test_a_bag_without_event_messages_says_what_it_has(tmp_path: Path) -> None:
    from rosbags.rosbag1 import Writer
    from rosbags.typesys import Stores, get_typestore

    types = get_typestore(Stores.ROS1_NOETIC)
    with Writer(tmp_path / "a.bag") as bag:
        bag.add_connection("/imu", "sensor_msgs/msg/Imu", typestore=types)
    with pytest.raises(
        BadRecording, match=r"without event messages: it has sensor_msgs/Imu.*dvs_msgs/EventArray"
    ):
        eb.read(tmp_path / "a.bag")


@pytest.mark.usefixtures("rosbags")
def test_a_file_of_a_bag_of_several_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, "mcap", {"/events": [array()]})
    (path.parent / "b.mcap").write_bytes(path.read_bytes())
    (note,) = read_counted(path).notes
    assert (note.kind, 'source = "ros_bag"' in note.fix) == ("other_files", True)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("packing", ["", "bz2", "lz4", "zstd"])
@pytest.mark.usefixtures("rosbags")
def test_of_a_bag_that_was_cut_off_the_whole_messages_can_be_salvaged(
    format: str, packing: str, tmp_path: Path
) -> None:
    from rosbags.rosbag1 import Writer
    from rosbags.rosbag2.enums import CompressionFormat, CompressionMode

    settings: dict[str, Any] = {}
    if packing == "zstd" and format == "mcap":
        settings["compression"] = (CompressionMode.STORAGE, CompressionFormat.ZSTD)
    elif packing in ("bz2", "lz4") and format == "bag":
        settings["compression"] = [Writer.CompressionFormat[packing.upper()]]
    elif packing:
        pytest.skip(f"{format} has no {packing}")
    path = written(tmp_path, format, {"/events": [array(k, k + 20) for k in range(0, 500, 20)]}, **settings)
    data = path.read_bytes()
    path.write_bytes(data[: -len(data) // 4])
    if format == "db3":
        with pytest.raises(BadRecording, match=r"not a readable one .*\.recover.*rosbag_to_h5"):
            eb.read(path, salvage=True)
        return
    if packing:  # one chunk, which lost its end
        path.write_bytes(data[:-60])
    with pytest.raises(BadRecording, match=r"truncated: .* event messages are whole; .*--set salvage=true"):
        eb.read(path)
    found = read_counted(path, Reading(parameters={"salvage": "true"}))
    assert found.lost == {"cut_off": 1}
    count = len(found.events)
    assert count == 500 if packing else 100 < count < 480
    assert found.events.t.tolist() == (T_US + T[:count]).tolist()
    assert count % 20 == 0


@pytest.mark.parametrize(
    ("first", "what"),
    [
        (b"#ROSBAG V2.0\n", "ROS 1 bag"),
        (b"\x89MCAP0\r\n", "MCAP file"),
        (b"SQLite format 3\0", r"bags of ROS 2 \(\.db3\)"),
    ],
)
def test_without_rosbags_the_line_names_the_extra(
    first: bytes, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.bin").write_bytes(first + bytes(200))
    for name in [name for name in sys.modules if name.partition(".")[0] == "rosbags"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rosbags", None)
    says = rf"{what}.*package rosbags.*pip install eventbench\[ros\].*bag_to_raw.*rosbag_to_h5"
    with pytest.raises(BadRecording, match=says) as refusal:
        eb.read(tmp_path / "a.bin")
    assert refusal.value.reason == "missing_extra"


@pytest.mark.parametrize(
    ("name", "what"),
    [("d5_ros1.bag", "a ROS 1 bag"), ("d6_ros2.mcap", "an MCAP file"), ("d7_ros2.db3", "ROS 2")],
)
def test_the_cases_which_are_beginnings_of_bags_are_named(name: str, what: str) -> None:
    if not CASES.is_dir():
        pytest.skip(f"{CASES} is not here: files of this test lie there")
    with pytest.raises(BadRecording, match=what):
        eb.read(CASES / name)
