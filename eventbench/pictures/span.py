"""`Span`: what of a recording is drawn, all of it or the time between two moments, read in stretches as it is needed."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from eventbench.errors import BadRecording
from eventbench.events import Events
from eventbench.files.progress import Progress, no_progress
from eventbench.recordings.recording import Recording
from eventbench.sources.base import PIECE_EVENTS

_GOLDEN = (5**0.5 - 1) / 2  # multiples of it, less their whole part, spread evenly over 0 to 1


class Span:
    """Events of a recording from one time to another; memory does not grow with their number.

    Attributes
    ----------
    sensor : (width, height)
    first_us, last_us : times of the first and the last of the events, or of the recording's first where there is none
    after_us : how long after the recording's first event the first of these is
    """

    def __init__(
        self, recording: Recording | Events, from_us: int | None = None, to_us: int | None = None
    ) -> None:
        """`from_us` and `to_us` count from the recording's first event: from_us <= t < to_us; None leaves it open."""
        self._recording = Recording.of(recording) if isinstance(recording, Events) else recording
        start = self._recording.first_us or 0
        whole = len(self._recording)
        self._first = 0 if from_us is None else self._recording.number_at(start + from_us)
        self._stop = whole if to_us is None else max(self._first, self._recording.number_at(start + to_us))
        self.sensor = self._recording.sensor
        self.first_us = self.last_us = start
        if len(self):
            self.first_us, self.last_us = self._time_of(self._first), self._time_of(self._stop - 1)
        self.after_us = self.first_us - start

    def __len__(self) -> int:
        return self._stop - self._first

    @property
    def duration_us(self) -> int:
        """Time from the first event to the last; 0 if there are fewer than two."""
        return self.last_us - self.first_us

    def _time_of(self, number: int) -> int:
        return int(self._recording.events(number, number + 1).t[0])

    def require_events(self) -> None:
        """Raises BadRecording if there is no event."""
        if not len(self):
            raise BadRecording("no event to draw")

    def pieces(self, start: float, stop: float) -> Iterator[Events]:
        """The events from `start` to before `stop`, in us from the first, in pieces of 262,144 at most."""
        first, end = self.first_us + math.ceil(start), min(self.first_us + math.ceil(stop), self.last_us + 1)
        yield from self._recording.windows(events=PIECE_EVENTS, start_us=first, stop_us=end)

    def all(self, progress: Progress = no_progress) -> Iterator[Events]:
        """All events, in pieces of 262,144 at most; `progress` is told of the pieces."""
        firsts = range(self._first, self._stop, PIECE_EVENTS)
        for first in progress(firsts, of="read", unit="piece", total=len(firsts)):
            yield self._recording.events(first, min(first + PIECE_EVENTS, self._stop))

    def sample(self, most: int, progress: Progress = no_progress) -> Events:
        """All events, or `most` of more at most: one out of each of as many parts of equal numbers of events."""
        if len(self) <= most:
            return self._recording.events(self._first, self._stop)
        parts = np.arange(most)
        taken = np.unique(((parts + parts * _GOLDEN % 1) * (len(self) / most)).astype(np.int64))
        columns, before = [], 0
        for events in self.all(progress):
            rows = taken[slice(*np.searchsorted(taken, [before, before + len(events)]).tolist())] - before
            columns.append((events.t[rows], events.x[rows], events.y[rows], events.p[rows]))
            before += len(events)
        t, x, y, p = (np.concatenate(column) for column in zip(*columns, strict=True))
        return Events.trusted(t, x, y, p, self.sensor)
