"""Event messages of ROS 1 and 2, taken apart without an object an event: what the package `rosbags` hands over is raw bytes.

Definitions: dvs_msgs (rpg_dvs_ros), prophesee_event_msgs (prophesee_ros_wrapper), event_camera_msgs. ROS 1 packs fields end to
end; ROS 2 (CDR) aligns each to its size, counted from the end of a head of four bytes.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from eventbench.errors import BadRecording

ARRAYS = ("dvs_msgs/msg/EventArray", "prophesee_event_msgs/msg/EventArray")
PACKET = "event_camera_msgs/msg/EventPacket"
EVENT_TYPES = (*ARRAYS, PACKET)
TIMES = "times"  # the "encoding" of arrays of events: x, y, a time of ROS and a polarity each
ROS_1_EVENT, ROS_2_EVENT = 13, 16  # bytes of an event in an array
_LITTLE_ENDIAN = 1


class EventMessage(NamedTuple):
    """One message: the events' bytes as `encoding` has them, the (width, height) that it states, and its place in the stream."""

    encoding: str
    payload: bytes
    size: tuple[int, int]
    seq: int = 0
    time_base: int = 0


class _Fields:
    """The fields of a message, one after another. Raises BadRecording where it is too short."""

    def __init__(self, data: bytes, name: str, *, is_ros2: bool) -> None:
        self.data, self.name, self.is_ros2 = data, name, is_ros2
        self.at = 4 if is_ros2 else 0
        if is_ros2 and (len(data) < 4 or data[1] != _LITTLE_ENDIAN):
            raise BadRecording("a message that is not in little-endian CDR", where=name)

    def number(self, kind: str) -> int:
        size = struct.calcsize(f"<{kind}")
        if self.is_ros2:
            self.at += -(self.at - 4) % size
        (value,) = struct.unpack(f"<{kind}", self.take(size))
        return int(value)

    def take(self, size: int) -> bytes:
        taken = self.data[self.at : self.at + size]
        if len(taken) < size:
            raise BadRecording(
                f"truncated: a message of {len(self.data):,} bytes, {self.at + size:,} in what it says",
                where=self.name,
                reason="truncated",
            )
        self.at += size
        return taken

    def text(self) -> str:
        return self.take(self.number("I")).rstrip(b"\0").decode("ascii", "replace")

    def header(self) -> None:
        if not self.is_ros2:
            self.number("I")  # seq, which ROS 2 has no more
        self.number("I")
        self.number("I")
        self.text()


def event_message(data: bytes, message_type: str, name: str, *, is_ros2: bool) -> EventMessage:
    """A message of one of EVENT_TYPES. Raises BadRecording where it ends too early."""
    fields = _Fields(data, name, is_ros2=is_ros2)
    fields.header()
    height, width = fields.number("I"), fields.number("I")
    if message_type != PACKET:
        events = _array_ros2(fields) if is_ros2 else fields.take(fields.number("I") * ROS_1_EVENT)
        return EventMessage(TIMES, events, (width, height))
    seq, time_base = fields.number("Q"), fields.number("Q")
    encoding = fields.text()
    if fields.number("B"):
        raise BadRecording("packets of events in big-endian words, which are not read", where=name)
    return EventMessage(encoding, fields.take(fields.number("I")), (width, height), seq, time_base)


def _array_ros2(fields: _Fields) -> bytes:
    """Events of 16 bytes each: x and y, 2 unused, seconds, nanoseconds, polarity and 1 unused.

    The first event lies on a multiple of four and has no unused bytes after y; all others lie two bytes beside one.
    """
    count = fields.number("I")
    if not count:
        return b""
    body = fields.take(ROS_2_EVENT * count - 3)
    return body[:4] + b"\0\0" + body[4:] + b"\0"
