"""`Recording`: a long recording that is not held in memory, from which windows are read by time or by number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from eventbench.errors import BadEvents, BadRecording
from eventbench.events import Events
from eventbench.recordings._held import Columns, HeldEvents
from eventbench.recordings.index_files import Index
from eventbench.recordings.window_list import Windows, whole_number
from eventbench.sources.base import PIECE_EVENTS, Decoded


class EventsOf(Protocol):
    """Where the events of a recording come from; times and numbers as in `Recording`."""

    def window(self, start_us: int, stop_us: int) -> Columns:
        """The events with start_us <= t < stop_us."""

    def numbered(self, first: int, stop: int) -> Columns:
        """Events number `first` to before `stop`."""

    def number_at(self, time_us: int) -> int:
        """How many events are earlier than a time."""


class Recording:
    """An open recording; its events are read when they are asked for, and memory does not grow with its length.

    Events are those of `eb.read` of the same file, in the same order. It can be iterated over, in stretches of 262,144
    events; it can be sent to another process, which opens the file again.

    Attributes
    ----------
    path : the file
    sensor : (width, height)
    first_us, last_us : times of the first and the last event, on the recording's own clock; None where there is no event
    lost, notes : what of the file is not among the events, and what else was done, of the whole file; as in `Decoded`

    >>> from eventbench.recordings.recording import Recording
    >>> recording = Recording.of(Events(t=[0, 10, 20], x=[0, 1, 1], y=[0, 0, 1], p=[1, 0, 1], sensor=(2, 2)))
    >>> len(recording), recording.duration_us, recording.window(5, 20).t.tolist()
    (3, 20, [10])
    >>> [events.t.tolist() for events in recording.windows(duration_us=15)]
    [[0, 10], [20]]
    """

    def __init__(
        self,
        path: Path,
        index: Index,
        load: Callable[[], EventsOf],
        again: Callable[[], Recording] | None = None,
    ) -> None:
        """A recording whose events `load` gives at first use; `again` opens it in another process, by a pickle of itself.

        Without `again` its events are sent there.
        """
        self.path, self.sensor = path, index.sensor
        self.first_us, self.last_us = index.first_us, index.last_us
        self.lost, self.notes = dict(index.lost), index.notes
        self.index, self._again = index, again
        self._load: Callable[[], EventsOf] | None = load
        self._loaded: EventsOf | None = None

    @classmethod
    def of(cls, decoded: Decoded | Events, path: Path = Path()) -> Recording:
        """A recording of events that are in memory."""
        decoded = decoded if isinstance(decoded, Decoded) else Decoded(decoded)
        events = decoded.events
        columns = HeldEvents((events.t, events.x, events.y, events.p), mapped=False)
        return cls(path, Index.of(decoded, {}), lambda: columns)

    def __len__(self) -> int:
        return self.index.events

    def __bool__(self) -> bool:
        return True  # a recording without events is one

    @property
    def duration_us(self) -> int:
        """Time from the first event to the last; 0 where there are fewer than two."""
        if self.first_us is None or self.last_us is None:
            return 0
        return self.last_us - self.first_us

    def window(self, start_us: int, stop_us: int) -> Events:
        """The events with start_us <= t < stop_us; none where the recording has none there.

        Raises BadEvents where it stops before it starts, BadRecording where the file was changed since it was opened.
        """
        start_us, stop_us = whole_number("start_us", start_us), whole_number("stop_us", stop_us)
        if stop_us < start_us:
            raise BadEvents(f"the window goes from {start_us} to {stop_us} us", allowed="start_us <= stop_us")
        return self._made(self._source.window(start_us, stop_us))

    def events(self, first: int, stop: int) -> Events:
        """Events number `first` to before `stop`, counted from 0 in order of time; fewer where the recording ends before.

        Raises BadEvents for numbers below 0 or a stop before the first, BadRecording as `window` does.
        """
        first, stop = whole_number("first", first), whole_number("stop", stop)
        if not 0 <= first <= stop:
            raise BadEvents(f"events number {first} to {stop}", allowed="0 <= first <= stop")
        return self._made(self._source.numbered(min(first, len(self)), min(stop, len(self))))

    def windows(
        self,
        *,
        duration_us: int | None = None,
        events: int | None = None,
        stride_us: int | None = None,
        stride_events: int | None = None,
        start_us: int | None = None,
        stop_us: int | None = None,
        partial: bool = True,
    ) -> Windows:
        """The recording cut into windows of one duration, or of one number of events, as a sequence of Events.

        Parameters
        ----------
        duration_us, events : how long a window is; one of the two
        stride_us, stride_events : from the start of a window to that of the next; without it, as long as a window is
        start_us : where the first begins; without it, at the first event
        stop_us : nothing from there on is in any window; without it, all to the last event is
        partial : whether windows that the end cuts short are among them

        Windows of a duration begin at start_us, start_us + stride_us and so on, as long as that is before the end; where
        nothing happened a window is empty. Raises BadEvents for what cannot be.
        """
        return Windows.of(
            self,
            duration_us=duration_us,
            events=events,
            stride_us=stride_us,
            stride_events=stride_events,
            start_us=start_us,
            stop_us=stop_us,
            partial=partial,
        )

    def number_at(self, time_us: int) -> int:
        """How many events are earlier than a time in us: the number of the first event that is not. Raises as `window` does."""
        if self.first_us is None or self.last_us is None or time_us <= self.first_us:
            return 0
        return len(self) if time_us > self.last_us else self._source.number_at(time_us)

    def __iter__(self) -> Iterator[Events]:
        for first in range(0, len(self), PIECE_EVENTS):
            yield self.events(first, first + PIECE_EVENTS)

    def close(self) -> None:
        """Let go of what is decoded or mapped; events that were read stay."""
        self._load = self._loaded = None

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        if self._again is None:
            return Recording.of, (Decoded(self.events(0, len(self)), self.lost, self.notes), self.path)
        return _open_again, (self._again, self.index.made_from)

    def __repr__(self) -> str:
        width, height = self.sensor
        return f"Recording({self.path.name}: {len(self):,} events in {self.duration_us:,} us on {width}x{height})"

    @property
    def _source(self) -> EventsOf:
        if self._loaded is None:
            if self._load is None:
                raise BadRecording("the recording was closed", where=self.path, fix="open it again")
            self._loaded = self._load()
        return self._loaded

    def _made(self, columns: Columns) -> Events:
        t, x, y, p = columns
        return Events.trusted(t, x, y, p, self.sensor)


def _open_again(again: Callable[[], Recording], made_from: dict[str, Any]) -> Recording:
    """The recording in another process. Raises BadRecording where the file is not what it was."""
    recording = again()
    if recording.index.made_from != made_from:
        raise BadRecording("the file changed since it was opened", where=recording.path, fix="open it again")
    return recording
