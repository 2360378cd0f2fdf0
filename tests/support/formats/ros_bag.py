"""Bags of ROS 1 and 2, written by the package rosbags: messages are serialised by its typestores from their definitions."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

HEADER = "std_msgs/Header header\nuint32 height\nuint32 width\n"
ARRAY = HEADER + "{package}/Event[] events\n"
EVENT = "uint16 x\nuint16 y\n{time} ts\nbool polarity\n"
PACKET = HEADER + "uint64 seq\nuint64 time_base\nstring encoding\nbool is_bigendian\nuint8[] events\n"
ARRAY_PACKAGES = ("dvs_msgs", "prophesee_event_msgs")
SENSOR = (346, 260)
FORMATS = ("bag", "mcap", "db3")


class Packet(NamedTuple):
    """A message of event_camera_msgs, but for its header."""

    encoding: str
    events: bytes
    seq: int = 0
    time_base: int = 0
    is_bigendian: bool = False


class Array(NamedTuple):
    """A message of dvs_msgs or prophesee_event_msgs: columns of events, times in nanoseconds."""

    columns: tuple[np.ndarray, ...]
    package: str = "dvs_msgs"


def written(
    folder: Path,
    format: str,
    topics: Mapping[str, Sequence[Array | Packet]],
    sensor: tuple[int, int] = SENSOR,
    **settings: Any,
) -> Path:
    """The bag file; one of ROS 2 lies with its metadata.yaml in a folder of its own."""
    if format == "bag":
        from rosbags.rosbag1 import Writer as Writer1

        path = folder / "a.bag"
        writer: Any = Writer1(path)
        for compression in settings.get("compression", ()):
            writer.set_compression(compression)
    else:
        from rosbags.rosbag2 import StoragePlugin, Writer

        path = folder / "a" / f"a.{format}"
        plugin = {"mcap": StoragePlugin.MCAP, "db3": StoragePlugin.SQLITE3}[format]
        writer = Writer(folder / "a", version=9, storage_plugin=plugin)
        if "compression" in settings:
            writer.set_compression(*settings["compression"])
    types, ros2 = _types(ros2=format != "bag"), format != "bag"
    serialise = types.serialize_cdr if ros2 else types.serialize_ros1
    with writer:
        for topic, messages in topics.items():
            kind = _kind(messages[0])
            connection = writer.add_connection(topic, kind, typestore=types)
            for number, message in enumerate(messages):
                made = _message(types, message, sensor, ros2=ros2)
                writer.write(connection, 10**18 + number, serialise(made, kind))
    return path


def seeds() -> list[bytes]:
    """Of each kind of bag: arrays; packets in EVT 3 and both encodings of libcaer."""
    t = 1_600_000_000_123_456_789 + np.arange(6) * 1_000_000
    columns = (t, np.arange(6), np.arange(6) + 3, np.arange(6) % 2)
    contents: list[Sequence[Array | Packet]] = [
        [Array(columns), Array((t + 10**9, *columns[1:]), "dvs_msgs")],
        # The second packet goes on with the time, the row and the column of the first.
        [
            Packet("evt3", words(0x8001, 0x6002, 0x0003, 0x2804, 0x3005, 0x4111), 1),
            Packet("evt3", words(0x6009, 0x4111), 2),
        ],
        [
            Packet("libcaer", libcaer((10, 5, 3, 1), (12, 6, 4, 0)), 1, 10**18),
            Packet("libcaer", libcaer((13, 7, 3, 1)), 2, 10**18),
        ],
        [
            Packet("libcaer_cmp", words(0x0001, 0x1002, 0x2003, 0x3804, 0x4005, 0x5011, 0x5002), 1, 10**18),
            Packet("libcaer_cmp", words(0x1007, 0x2009, 0x3001), 2, 10**18 + 10**8),
        ],
    ]
    files = []
    for format in FORMATS:
        for content in contents:
            with tempfile.TemporaryDirectory() as folder:
                files.append(written(Path(folder), format, {"/events": content}).read_bytes())
    return files


def words(*values: int) -> bytes:
    """Words of 16 bits."""
    return np.array(values, "<u2").tobytes()


def libcaer(*events: tuple[int, int, int, int]) -> bytes:
    """Events (t, x, y, p) of 64 bits as libcaer has them, marked as valid."""
    return np.array([(x << 17 | y << 2 | p << 1 | 1, t) for t, x, y, p in events], "<u4").tobytes()


def _kind(message: Array | Packet) -> str:
    return (
        "event_camera_msgs/msg/EventPacket"
        if isinstance(message, Packet)
        else f"{message.package}/msg/EventArray"
    )


def _types(*, ros2: bool) -> Any:
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE if ros2 else Stores.ROS1_NOETIC)
    for package in ARRAY_PACKAGES:
        time = "builtin_interfaces/Time" if ros2 else "time"
        store.register(get_types_from_msg(EVENT.format(time=time), f"{package}/msg/Event"))
        store.register(get_types_from_msg(ARRAY.format(package=package), f"{package}/msg/EventArray"))
    store.register(get_types_from_msg(PACKET, "event_camera_msgs/msg/EventPacket"))
    return store


def _message(types: Any, message: Array | Packet, sensor: tuple[int, int], *, ros2: bool) -> Any:
    known = types.types
    time = known["builtin_interfaces/msg/Time"]
    seq = {} if ros2 else {"seq": 7}
    header = known["std_msgs/msg/Header"](**seq, stamp=time(sec=5, nanosec=6), frame_id="camera")
    width, height = sensor
    if isinstance(message, Packet):
        return known[_kind(message)](
            header=header,
            height=height,
            width=width,
            **{**message._asdict(), "events": np.frombuffer(message.events, np.uint8)},
        )
    event = known[f"{message.package}/msg/Event"]
    events = [
        event(x=x, y=y, ts=time(sec=t // 10**9, nanosec=t % 10**9), polarity=bool(p))
        for t, x, y, p in zip(*(column.tolist() for column in message.columns), strict=True)
    ]
    return known[_kind(message)](header=header, height=height, width=width, events=events)
