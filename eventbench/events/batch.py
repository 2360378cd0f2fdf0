"""EventBatch: many recordings of one sensor, end to end in four columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from eventbench.errors import BadEvents
from eventbench.events.events import Events


class EventBatch:
    """Recordings laid end to end: recording i is events offsets[i] to offsets[i+1] of the columns.

    Attributes
    ----------
    t, x, y, p : as in Events, (events of all recordings,); non-decreasing within a recording
    offsets : int64 (recordings + 1,)
    sensor : (width, height), the same for all

    >>> recording = Events(t=[0, 5], x=[1, 2], y=[0, 0], p=[1, 0], sensor=(4, 3))
    >>> batch = EventBatch.of([recording, recording[:1]])
    >>> len(batch), batch.lengths.tolist(), batch[1].t.tolist()
    (2, [2, 1], [0])
    """

    __slots__ = ("offsets", "p", "sensor", "t", "x", "y")

    def __init__(
        self,
        t: np.ndarray,
        x: np.ndarray,
        y: np.ndarray,
        p: np.ndarray,
        offsets: np.ndarray,
        sensor: tuple[int, int],
    ) -> None:
        """Columns known to be sound and of the stored types; nothing is checked. `of` makes a batch of Events."""
        self.t, self.x, self.y, self.p, self.offsets, self.sensor = t, x, y, p, offsets, sensor

    @classmethod
    def of(cls, recordings: Iterable[Events], sensor: Sequence[int] | None = None) -> EventBatch:
        """A batch of recordings, their columns copied.

        `sensor` is needed for a batch of no recordings. Raises BadEvents where the recordings' sensors differ.
        """
        recordings = list(recordings)
        for recording in recordings:
            if not isinstance(recording, Events):
                raise BadEvents(f"a batch is of Events, got {type(recording).__name__}")
        sensors = {events.sensor for events in recordings} | ({tuple(sensor)} if sensor else set())
        if len(sensors) != 1:
            sizes = ", ".join(sorted(f"{width}x{height}" for width, height in sensors)) or "not given"
            raise BadEvents(f"the sensor of the batch is {sizes}", allowed="one sensor for all recordings")
        empty = Events.empty(sensors.pop())
        parts = [*recordings, empty]  # concatenate needs one, and takes the types of the columns from it
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in "txyp"}
        offsets = np.cumsum([0, *(len(events) for events in recordings)], dtype=np.int64)
        return cls(**columns, offsets=offsets, sensor=empty.sensor)

    @property
    def lengths(self) -> np.ndarray:
        """int64 (recordings,): the number of events of each."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> Events:
        i = range(len(self))[i]
        part = slice(int(self.offsets[i]), int(self.offsets[i + 1]))
        return Events.trusted(self.t[part], self.x[part], self.y[part], self.p[part], self.sensor)

    def __iter__(self) -> Iterator[Events]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        width, height = self.sensor
        return f"EventBatch({len(self):,} recordings, {int(self.offsets[-1]):,} events on {width}x{height})"
