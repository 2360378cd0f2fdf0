"""Bags of ROS read with the package `rosbags`, which is an extra: the event messages of one topic, in the order of the file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from eventbench.errors import BadRecording
from eventbench.sources._aedat.zstd import stated_size, unpacker
from eventbench.sources._decoded import how_to_set
from eventbench.sources._ros.messages import EVENT_TYPES, TIMES, EventMessage, event_message
from eventbench.sources._ros.payloads import WORD_BYTES, Stream
from eventbench.sources._ros.salvage import CUT_SUFFIXES, CutBag

MAGICS = {
    b"#ROSBAG V": ("a ROS 1 bag", ".bag"),
    b"\x89MCAP0\r\n": ("an MCAP file, as ROS 2 records", ".mcap"),
    b"SQLite format 3\0": ("an SQLite database, as bags of ROS 2 (.db3) are", ".db3"),
}
FOLDER = ("a bag of ROS 2", "")
CONVERT = (
    "take the events out first: event_camera_tools (bag_to_raw) makes .raw of event_camera_msgs, event_utils "
    "(rosbag_to_h5) makes HDF5 of dvs_msgs"
)
_MENDS = {
    "": "ros2 bag reindex",
    ".bag": "rosbag reindex",
    ".mcap": "mcap recover",
    ".db3": "sqlite3's .recover",
}
_ZSTD = b"\x28\xb5\x2f\xfd"
_MOST_PACKED = 1100  # bytes that a byte of a packed message may hold
_REFUSED = {"mono": "an old encoding of Prophesee's cameras", "trigger": "triggers, and no events"}


def kind_of(head: bytes, name: str) -> tuple[str, str]:
    """What a file is by its first bytes, and the ending of such files. Raises BadRecording where it is no bag."""
    for magic, kind in MAGICS.items():
        if head.startswith(magic):
            return kind
    raise BadRecording("no bag of ROS", where=name, allowed="a ROS 1 bag, MCAP, or SQLite as ROS 2 has it")


def require_rosbags(what: str, name: str) -> None:
    """Raises BadRecording, naming the extra, where the package is not installed."""
    try:
        is_installed = all(find_spec(f"rosbags.{part}") for part in ("rosbag1", "rosbag2"))
    except (ImportError, ValueError):
        is_installed = False
    if not is_installed:
        fix = f"pip install eventbench[ros]; or {CONVERT}"
        raise BadRecording(
            f"{what}, which takes the package rosbags to read", where=name, fix=fix, reason="missing_extra"
        )


def stream_of(path: Path, kind: tuple[str, str], name: str, topic: str) -> tuple[Stream, str]:
    """The event messages of `topic`, "" for the first that has some, and how the bag is cut off, "" where it is not.

    Raises BadRecording for whatever is wrong with the bag, unless event messages stand before a cut.
    """
    what, suffix = kind
    # rosbags goes by the ending, and puts the path into a URI as it is.
    with tempfile.TemporaryDirectory(prefix="eventbench-") as folder:
        bag = Path(folder) / f"bag{suffix}" if suffix else path
        try:
            if suffix:
                bag.symlink_to(path.absolute())
            is_ros2 = suffix != ".bag"
            return _stream(_reader(bag, is_ros2=is_ros2), what, name, topic, is_ros2=is_ros2), ""
        except (BadRecording, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  # rosbags, SQLite and unpackers raise a dozen unrelated types
            if stream := _before_cut(bag, what, name, topic):
                return stream, f"{what} without an end, {len(stream.lengths):,} event messages are whole"
            message = " ".join(str(error).replace(str(bag), "").split())[:160] or type(error).__name__
            raise BadRecording(
                f"{what}, not a readable one ({message})",
                where=name,
                fix=f"mend it with {_MENDS[suffix]}; or, where ROS reads it, {CONVERT}",
            ) from None


def _before_cut(bag: Path, what: str, name: str, topic: str) -> Stream | None:
    """The whole messages of a bag that rosbags does not open; None where there are none."""
    if bag.suffix not in CUT_SUFFIXES:
        return None
    try:
        reader = CutBag(bag)
        is_ros2 = bag.suffix != ".bag"
        stream = _stream(reader, what, name, topic, is_ros2=is_ros2) if reader.found else None
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # damaged, and not only cut: what rosbags says of it is told
        return None
    return stream if stream is not None and len(stream.lengths) else None


def _reader(path: Path, *, is_ros2: bool) -> Any:
    if is_ros2:
        from rosbags.rosbag2 import Reader

        return Reader(path)
    from rosbags.rosbag1 import Reader as Reader1

    return Reader1(path)


def _stream(reader: Any, what: str, name: str, topic: str, *, is_ros2: bool) -> Stream:
    with reader:
        connections = [one for one in reader.connections if one.msgtype in EVENT_TYPES]
        topics = dict.fromkeys(sorted(one.topic for one in connections), 0)
        for one in connections:
            topics[one.topic] += max(0, one.msgcount)
        if not topics:
            types = sorted({str(one.msgtype).replace("/msg/", "/") for one in reader.connections})
            raise BadRecording(
                f"{what}, without event messages: it has {', '.join(types)[:200] or 'none at all'}",
                where=name,
                allowed=", ".join(one.replace("/msg/", "/") for one in EVENT_TYPES),
            )
        chosen = topic or next((one for one, count in topics.items() if count), next(iter(topics)))
        if chosen not in topics:
            fix = how_to_set("topic", next(iter(topics)))
            raise BadRecording(
                f"no event messages on {topic!r}", where=name, allowed=", ".join(topics), fix=fix
            )
        wanted = [one for one in connections if one.topic == chosen]
        messages = [
            event_message(data, one.msgtype, name, is_ros2=is_ros2)
            for one, data in _unpacked(reader.messages(connections=wanted), name)
        ]
    return _joined(messages, chosen, topics, name, is_ros2=is_ros2)


def _unpacked(messages: Any, name: str) -> Iterator[tuple[Any, bytes]]:
    """Connections and bytes of messages, each of which may be packed with Zstandard where only metadata.yaml says so."""
    with unpacker() as unpack:
        for connection, _, packed in messages:
            data = bytes(packed)
            if data.startswith(_ZSTD):
                size = stated_size(data)
                unpacked = (
                    unpack(data, size) if size is not None and size <= _MOST_PACKED * len(data) else None
                )
                if unpacked is None:
                    raise BadRecording("a damaged message, packed with Zstandard", where=name)
                data = unpacked.tobytes()
            yield connection, data


def _joined(
    messages: list[EventMessage], topic: str, topics: dict[str, int], name: str, *, is_ros2: bool
) -> Stream:
    encodings = sorted({message.encoding for message in messages}) or [TIMES]
    sizes = sorted({message.size for message in messages}) or [(0, 0)]
    for what, values in (("encodings", encodings), ("sensors", sizes)):
        if len(values) > 1:
            listed = ", ".join(map(str, values[:5]))
            raise BadRecording(f"messages of several {what} on {topic}: {listed}", where=name)
    if (encoding := encodings[0]) not in WORD_BYTES:
        reason = f" ({_REFUSED[encoding]})" if encoding in _REFUSED else ""
        raise BadRecording(
            f"packets in the encoding {encoding[:40]!r}{reason}, which is not read",
            where=name,
            allowed="evt3, libcaer, libcaer_cmp",
        )
    lengths = np.array([len(message.payload) for message in messages], np.int64)
    if (lengths % WORD_BYTES[encoding]).any():
        at = int(np.flatnonzero(lengths % WORD_BYTES[encoding])[0])
        what = f"packet {at:,} of {topic} has {lengths[at]:,} bytes"
        raise BadRecording(what, where=name, allowed=f"words of {WORD_BYTES[encoding]} bytes")
    return Stream(
        topic,
        topics,
        encoding,
        is_ros2,
        sizes[0],
        np.frombuffer(b"".join(message.payload for message in messages), np.uint8),
        lengths,
        np.array([message.seq for message in messages], np.uint64),
        np.array([message.time_base for message in messages], np.uint64),
    )
