"""EventBatch: many recordings of one sensor, concatenated in four columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from eventbench.errors import BadEvents
from eventbench.events.events import Events


class EventBatch:
    """Concatenated recordings: recording i is events offsets[i] to offsets[i+1] of the columns.

    Attributes
    ----------
    t, x, y, p : as in Events, (events of all recordings,); t is non-decreasing within a recording
    offsets : int64 (recordings + 1,)
    sensor : (width, height), the same for all recordings

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
        """A batch of columns that are known to be valid and of the stored types; nothing is checked. See also `of`."""
        self.t, self.x, self.y, self.p, self.offsets, self.sensor = t, x, y, p, offsets, sensor

    @classmethod
    def of(cls, recordings: Iterable[Events], sensor: Sequence[int] | None = None) -> EventBatch:
        """A batch with a copy of the columns of recordings.

        `sensor` is needed only if there are no recordings. Raises BadEvents if the sensors differ.
        """
        recordings = list(recordings)
        for recording in recordings:
            if not isinstance(recording, Events):
                raise BadEvents(f"got a {type(recording).__name__} in a batch", allowed="Events")
        sensors = {events.sensor for events in recordings} | ({tuple(sensor)} if sensor else set())
        if len(sensors) != 1:
            sizes = ", ".join(sorted(f"{width}x{height}" for width, height in sensors)) or "not given"
            raise BadEvents(f"the sensor of the batch is {sizes}", allowed="one sensor for all recordings")
        empty = Events.empty(sensors.pop())
        non_empty_list = [*recordings, empty]  # concatenate needs one item, whose dtypes it keeps
        columns = {name: np.concatenate([getattr(item, name) for item in non_empty_list]) for name in "txyp"}
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
        rows = slice(int(self.offsets[i]), int(self.offsets[i + 1]))
        return Events.trusted(self.t[rows], self.x[rows], self.y[rows], self.p[rows], self.sensor)

    def __iter__(self) -> Iterator[Events]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        width, height = self.sensor
        return f"EventBatch({len(self):,} recordings, {int(self.offsets[-1]):,} events on {width}x{height})"
