"""The words of an EVT file to columns: in one go, or a block at a time for files that are cut into pieces.

Most files have a clock that only advances: their words are decoded as they come (`steady`). Where a word of the clock says
otherwise, all of them are judged first, by their neighbours, and the words are decoded again (`judged`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import NamedTuple

import numpy as np

from eventbench.events.memory import columns
from eventbench.sources._decoded import Columns
from eventbench.sources._evt import evt2, evt3, evt4, evt21
from eventbench.sources._evt.clock import LEAP as LEAP_FROM
from eventbench.sources._evt.clock import Clock, judged
from eventbench.sources._evt.state import BROKEN, DONE, LEAP, PARTS, USUAL, first_state
from eventbench.sources._file_blocks import Body
from eventbench.sources._pieces import PIECE_EVENTS

ENCODINGS: Mapping[str, ModuleType] = {"2": evt2, "21": evt21, "3": evt3, "4": evt4}

MARGIN = 1.1  # room for so many times the events that are expected
ROOM = 64  # that is left: one word has fewer events
PART_EVENTS = 1 << 18  # more than a block of any encoding's `steady` has


class Words(NamedTuple):
    """Words of an encoding; `parts` is what decoding them begins with (EVT 2.1: which half of a word is the upper one)."""

    body: Body
    encoding: ModuleType
    parts: int = 0

    def first_state(self) -> np.ndarray:
        """int64 (SLOTS,): before the first word."""
        state = first_state()
        state[PARTS] = self.parts
        return state

    def blocks(self) -> Iterator[np.ndarray]:
        """The words, a block at a time."""
        return self.body.blocks(self.encoding.WORD_TYPE)

    def events(self) -> int:
        """How many there are, or, of a large file with words of many, about how many: blocks all over it are looked at."""
        body, encoding, state = self.body, self.encoding, self.first_state()
        if not encoding.MANY:
            return body.words(encoding.WORD_BYTES)
        looked_at = body.spread(encoding.WORD_BYTES)
        counted = sum(
            encoding.room(block, state) for part in looked_at for block in part.blocks(encoding.WORD_TYPE)
        )
        if looked_at == [body]:
            return int(counted)
        share = sum(part.size for part in looked_at) / body.size
        return int(MARGIN * counted / share)

    def decoded(self, block: np.ndarray, state: np.ndarray, clock: Clock | None, into: Columns) -> int:
        """How many events of a block, with such a clock (None: one that only advances), are in the columns now."""
        if clock is None:
            return int(self.encoding.steady(block, state, *into))
        return int(self.encoding.judged(block, state, tuple(clock), *into))


class Judged(NamedTuple):
    """The words of the clock as they are written, unsigned (words,), where they are in the file, and what they say."""

    written: np.ndarray
    places: np.ndarray
    clock: Clock


def went_on(state: np.ndarray) -> bool:
    """Whether the clock only advanced, and never by so much that a wrap is in doubt."""
    return not state[BROKEN] and state[LEAP] <= LEAP_FROM * max(1, state[USUAL])


def judged_clock(words: Words) -> Judged:
    """All words of the clock, judged."""
    state, encoding = words.first_state(), words.encoding
    written, places, at = [], [], words.body.start
    for block in words.blocks():
        highs, where = np.empty(len(block), np.int64), np.empty(len(block), np.int64)
        n = encoding.clock_words(block, state, highs, where)
        written.append(highs[:n].copy())
        places.append(at + encoding.WORD_BYTES * where[:n])
        at += block.nbytes
    all_written = np.concatenate([np.empty(0, np.int64), *written])
    all_places = np.concatenate([np.empty(0, np.int64), *places])
    return Judged(all_written, all_places, judged(all_written, encoding.HIGH_BITS))


def all_events(
    words: Words, clock: Clock | None = None, state: np.ndarray | None = None, room: int | None = None
) -> tuple[Columns, np.ndarray]:
    """Every event, with such a clock, and the state after the last word; what it says of the clock decides if that holds.

    `state` is that before the first word, `room` about how many events are expected.
    """
    (t, x, y, p), n = tuple(columns(ROOM + (words.events() if room is None else room))), 0
    state, at = words.first_state() if state is None else state, words.body.start
    for block in words.blocks():
        rest = block
        while len(rest):
            n += words.decoded(rest, state, clock, (t[n:], x[n:], y[n:], p[n:]))
            at += words.encoding.WORD_BYTES * int(state[DONE])
            rest = rest[state[DONE] :]
            if len(rest):
                room = int(MARGIN * n / (at - words.body.start + 1) * words.body.size)
                t, x, y, p = _longer((t, x, y, p), n, max(room, ROOM + n + words.encoding.room(rest, state)))
        if clock is None and state[BROKEN]:
            break
    return (t[:n], x[:n], y[:n], p[:n]), state


def _longer(full: Columns, n: int, room: int) -> Iterator[np.ndarray]:
    """Columns of so many events, the first n of which are those."""
    for column, longer in zip(full, columns(room), strict=True):
        longer[:n] = column[:n]
        yield longer


def events_by_part(
    words: Words, blocks: Iterable[np.ndarray], clock: Clock | None, state: np.ndarray
) -> Iterator[tuple[int, Columns]]:
    """(where it ends in the file, its events) of one part after the other; the state goes along, the memory is used again."""
    at, (t, x, y, p) = words.body.start, tuple(columns(PART_EVENTS))
    for block in blocks:
        rest = block
        while len(rest):
            n = words.decoded(rest[:PIECE_EVENTS], state, clock, (t, x, y, p))
            at += words.encoding.WORD_BYTES * int(state[DONE])
            rest = rest[state[DONE] :]
            yield at, (t[:n], x[:n], y[:n], p[:n])
