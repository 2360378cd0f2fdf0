"""Files in pieces: what a source says of a long file so that any window of it is read without the rest.

`Source.scan` goes through a file once, a block at a time, and finds where it can be cut; `Source.decode_piece` decodes one
piece. The pieces in their order hold the very events of `Source.read_counted`, or `scan` raises what that raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np

from eventbench.sources._decoded import Note

PIECE_EVENTS = 1 << 18  # about so many events in a piece: a millisecond to decode, 3.4 MB of columns


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of a file that can be decoded without what is before it.

    start, stop : where it lies in the file; bytes or rows, as the source counts
    events : how many come out of it
    first_us, last_us : the lowest and the highest of their times
    state : what the decoder has to know where the piece begins; the source's own
    """

    start: int
    stop: int
    events: int
    first_us: int
    last_us: int
    state: tuple[int, ...] = ()


class Scan(NamedTuple):
    """What one pass over a file found. No piece is without events.

    sensor : (width, height), as given, as the file says, or the smallest that holds every event
    ordered : whether no event is earlier than the one before it; only a source with `sort` lets others through
    lost, notes : as in `Decoded`, of the whole file
    arrays : what else the decoder has to know, by name, such as the clock words of a damaged file
    """

    sensor: tuple[int, int]
    pieces: list[Piece]
    ordered: bool = True
    lost: Mapping[str, int] = {}
    notes: tuple[Note, ...] = ()
    arrays: Mapping[str, np.ndarray] = {}
