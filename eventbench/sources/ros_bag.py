"""Bags of ROS 1 (`.bag`) and ROS 2 (`.mcap`, `.db3`): the event messages of one topic. It takes `pip install eventbench[ros]`.

dvs_msgs and prophesee_event_msgs are arrays of x, y, a time of ROS and a polarity; packets of event_camera_msgs are in
Prophesee's EVT 3 (`evt3`), or iniVation's `libcaer` and `libcaer_cmp`. What the package rosbags does not survive of a damaged
file, an isolated process does not survive either.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from eventbench.files.content import file_head
from eventbench.files.isolated import call
from eventbench.files.temporary import as_file
from eventbench.sources._ros.bag_file import FOLDER, MAGICS, kind_of, require_rosbags, stream_of
from eventbench.sources._ros.payloads import Stream, columns_of
from eventbench.sources.base import (
    ONE_BIT,
    Decoded,
    Documentation,
    Note,
    RawColumns,
    Size,
    Source,
    how_to_set,
    smallest_sensor,
)
from eventbench.sources.evt import Evt


class RosBag(Source, frozen=True, forbid_unknown_fields=True):
    """Reader of bags of ROS. A folder of ROS 2, with its `metadata.yaml`, is read as one recording where it is named itself.

    Parameters
    ----------
    topic : the one to read; "" for the first in order of name that has event messages
    restart : of packets in EVT 3, "refuse" a clock that begins anew, or "join" the parts
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        what="bags of ROS 1 and 2 with dvs_msgs, prophesee_event_msgs or event_camera_msgs (`pip install eventbench[ros]`)",
        recognised="the first bytes `#ROSBAG V`, `\\x89MCAP0` or `SQLite format 3`",
        sensor="the messages; else the smallest that holds every event",
        unit="us, since 1970; of packets in EVT 3 the camera's own clock",
        polarity="1 is ON",
        traps=(
            "A bag may hold several cameras: one topic is read and the others are told, unless `topic` says which. Times of "
            "ROS have nanoseconds, of which whole microseconds are kept. Packets in EVT 3 hold the clock of the camera alone; "
            "what goes over from packet to packet is kept, and packets that were lost are told. Of a bag that was cut off, "
            "`salvage` takes the whole messages, but not of SQLite."
        ),
    )
    needs_file: ClassVar[bool] = True
    suffixes: ClassVar[tuple[str, ...]] = (".bag", ".mcap", ".db3")
    magics: ClassVar[tuple[bytes, ...]] = tuple(MAGICS)

    topic: str = ""
    restart: Literal["refuse", "join"] = "refuse"

    def decode_counted(self, data: bytes, name: str, sensor: Size | None = None) -> Decoded:
        """The events in a file's bytes. Raises BadRecording where it has none, is damaged, or rosbags is not installed."""
        kind = kind_of(data[:16], name)
        require_rosbags(kind[0], name)
        with as_file(data) as path:
            stream, cut = call(stream_of, len(data), name, path, kind, name, self.topic)
        return self._events(stream, cut, name, sensor)

    def read_counted(self, recording: Path | str, sensor: Size | None = None) -> Decoded:
        """As `decode_counted`, from the file itself, or from a folder of ROS 2."""
        path, name, notes = Path(recording), str(recording), []
        if path.is_dir():
            kind, size = FOLDER, sum(part.stat().st_size for part in path.iterdir() if part.is_file())
        else:
            head, size = file_head(path, 16)
            kind, notes = kind_of(head, name), _other_files(path)
        require_rosbags(kind[0], name)
        stream, cut = call(stream_of, size, name, path.absolute(), kind, name, self.topic)
        found = self._events(stream, cut, name, sensor)
        return found._replace(notes=(*notes, *found.notes))

    def _events(self, stream: Stream, cut: str, name: str, sensor: Size | None) -> Decoded:
        notes = [self.cut_off(cut, name)] if cut else []
        notes += _other_topics(stream, is_chosen=bool(self.topic)) + _lost_packets(stream)
        size = sensor or (stream.size if min(stream.size) > 0 else None)
        if stream.encoding == "evt3":
            camera = Evt(sort=self.sort, outside=self.outside, salvage=self.salvage, restart=self.restart)
            found = camera.decode_counted(b"% evt 3.0\n% end\n" + stream.payload.tobytes(), name, size)
            lost = {"cut_off": 1, **found.lost} if cut else found.lost
            return found._replace(notes=(*notes, *found.notes), lost=lost)
        columns = columns_of(stream, name)
        size = size or smallest_sensor(columns[1], columns[2], name)
        return self.checked(columns, sensor=size, name=name, notes=notes)

    def states_sensor(self, data: bytes) -> bool:  # noqa: ARG002  # whatever is in it
        """Always: messages have it."""
        return True

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # all messages have the same
        """One bit."""
        return ONE_BIT


def _other_topics(stream: Stream, *, is_chosen: bool) -> list[Note]:
    others = [topic for topic in stream.topics if topic != stream.topic]
    if not others:
        return []
    listed = ", ".join(f"{topic} ({count:,} messages)" for topic, count in stream.topics.items())
    what = f"it has event messages on {len(stream.topics)} topics, {listed}: {stream.topic} is read"
    fix = "" if is_chosen else f"for another one, {how_to_set('topic', others[0])}"
    return [Note("other_streams", what, len(others), fix)]


def _lost_packets(stream: Stream) -> list[Note]:
    """A note where the numbers of packets leave some out, or step back."""
    steps = np.diff(stream.seqs.astype(np.int64))
    places = int((steps != 1).sum())
    if not stream.seqs.any() or not places:
        return []
    lost = int((steps[steps > 1] - 1).sum())
    what = (
        f"packets do not follow each other at {places:,} places: {lost:,} were lost before they were recorded"
    )
    return [Note("lost_packets", what, places, "expect gaps there; nothing brings these events back")]


def _other_files(path: Path) -> list[Note]:
    """A note where a file is one of several of a bag."""
    others = [other for other in path.parent.glob(f"*{path.suffix}") if other != path]
    if not others or not (path.parent / "metadata.yaml").is_file():
        return []
    what = f"it is one of {len(others) + 1} files of the bag in its folder, and read alone"
    return [
        Note("other_files", what, len(others), 'to read all as one, name the folder, with source = "ros_bag"')
    ]
