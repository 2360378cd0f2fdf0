"""Payloads of event messages as columns: arrays with times of ROS, and libcaer's two encodings of event_camera_msgs.

The encodings are documented in event_camera_msgs and by the decoders in event_camera_codecs (B. Pfrommer).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventbench.errors import BadRecording
from eventbench.events.memory import columns
from eventbench.sources._decoded import Columns
from eventbench.sources._ros.messages import ROS_1_EVENT, ROS_2_EVENT, TIMES

ROS_1 = np.dtype([("x", "<u2"), ("y", "<u2"), ("s", "<u4"), ("ns", "<u4"), ("p", "u1")])
ROS_2 = np.dtype(
    {
        "names": ["x", "y", "s", "ns", "p"],
        "formats": ["<u2", "<u2", "<i4", "<u4", "u1"],
        "offsets": [0, 2, 6, 10, 14],
        "itemsize": ROS_2_EVENT,
    }
)
LIBCAER = np.dtype([("data", "<u4"), ("t", "<i4")])
HALF = 1 << 30  # of libcaer's clock, which has 31 bits
WORD_BYTES = {TIMES: 1, "libcaer": LIBCAER.itemsize, "libcaer_cmp": 2, "evt3": 2}
_TIME_HIGH, _TIME_LOW, _X, _Y, _BASE_Y, _EIGHT = range(6)


class Stream(NamedTuple):
    """All messages of one topic, in the order of the file.

    payload : uint8 (bytes,), the events of all messages end to end
    lengths : int64 (messages,), bytes of each
    seqs, time_bases : uint64 (messages,), of event_camera_msgs; 0 in the others. Time bases are in ns
    topics : every topic with event messages, and how many it has; `topic` is the one that was read
    """

    topic: str
    topics: dict[str, int]
    encoding: str
    is_ros2: bool
    size: tuple[int, int]
    payload: np.ndarray
    lengths: np.ndarray
    seqs: np.ndarray
    time_bases: np.ndarray


def columns_of(stream: Stream, name: str) -> Columns:
    """The columns t (us), x, y, p of a stream that is not in EVT 3. Raises BadRecording for words that are none."""
    if stream.encoding == TIMES:
        return _with_times(stream)
    return _libcaer(stream) if stream.encoding == "libcaer" else _libcaer_cmp(stream, name)


def _with_times(stream: Stream) -> Columns:
    size = ROS_2_EVENT if stream.is_ros2 else ROS_1_EVENT
    events = stream.payload[: len(stream.payload) // size * size].view(ROS_2 if stream.is_ros2 else ROS_1)
    t, x, y, p = columns(len(events))
    np.multiply(events["s"], 1_000_000, out=t, dtype=np.int64)
    t += events["ns"] // 1000
    x[:], y[:], p[:] = events["x"], events["y"], events["p"] != 0
    return t, x, y, p


def _libcaer(stream: Stream) -> Columns:
    """Eight bytes an event; the clock may wrap within a message, the next message's time base has the wrap in it."""
    events = stream.payload.view(LIBCAER)
    counts = stream.lengths // LIBCAER.itemsize
    t = events["t"].astype(np.int64)
    if len(t):
        wraps = np.concatenate(([0], np.cumsum(np.diff(t) < -HALF)))
        first = np.minimum(np.cumsum(counts) - counts, len(t) - 1)
        # Of the wraps before each event, those within its own message count.
        t += (wraps - np.repeat(wraps[first], counts)) << 31
    t += np.repeat(_us(stream.time_bases), counts)
    x, y = (events["data"] >> 17 & 0x7FFF).astype(np.uint16), (events["data"] >> 2 & 0x7FFF).astype(np.uint16)
    return t, x, y, (events["data"] >> 1 & 1).astype(np.uint8)


def _libcaer_cmp(stream: Stream, name: str) -> Columns:
    """Words of 16 bits: a type in four, then a part of the time (us after the message's time base), x, y or a vector of y."""
    words = stream.payload.view("<u2")
    kinds, values = words >> 12, (words & 0xFFF).astype(np.int64)
    if (unknown := np.flatnonzero(kinds > _EIGHT)).size:
        what = f"word {int(unknown[0]):,} of libcaer_cmp has the type {int(kinds[unknown[0]])}"
        raise BadRecording(what, where=name, allowed="types 0 to 5")
    counts = stream.lengths // 2
    start = np.repeat(np.cumsum(counts) - counts, counts)  # of each word's message
    vectors = np.flatnonzero(kinds == _EIGHT)
    of_vector, bit = np.nonzero(
        np.unpackbits(words[vectors].astype(np.uint8)[:, None], axis=1, bitorder="little")
    )
    events = (kinds == _Y).astype(np.int64)
    events[vectors] = np.bincount(of_vector, minlength=len(vectors))
    word = np.repeat(np.arange(len(words)), events)
    in_vector = kinds[word] == _EIGHT
    base = _latest(kinds == _BASE_Y, values, 0)
    # Each vector moves the base by its eight rows.
    before = np.cumsum(kinds == _EIGHT) - (kinds == _EIGHT)
    base_y = (base & 0x7FF) + 8 * (before - _latest(kinds == _BASE_Y, before, 0))
    y = np.where(in_vector, base_y[word], values[word] & 0x7FF)
    y[in_vector] += bit
    p = np.where(in_vector, base[word] >> 11, values[word] >> 11).astype(np.uint8)
    x = (_latest(kinds == _X, values, 0)[word] & 0x7FF).astype(np.uint16)
    high, low = (_latest(kinds == kind, values, start)[word] for kind in (_TIME_HIGH, _TIME_LOW))
    t = np.repeat(_us(stream.time_bases), counts)[word] + (high << 12 | low)
    return t, x, np.minimum(y, 65535).astype(np.uint16), p


def _latest(is_set: np.ndarray, values: np.ndarray, start: np.ndarray | int) -> np.ndarray:
    """int64 (words,): the value at the last word that sets it, 0 where none does since the word `start`."""
    if not len(values):
        return values
    last = np.maximum.accumulate(np.where(is_set, np.arange(len(values)), -1))
    return np.where(last >= start, values[np.maximum(last, 0)], 0)


def _us(time_bases: np.ndarray) -> np.ndarray:
    return (time_bases // np.uint64(1000)).astype(np.int64)
