"""`Windows`: a recording cut into windows of one length, read one by one as they are asked for."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from eventbench.errors import BadEvents
from eventbench.events import Events

if TYPE_CHECKING:
    from eventbench.recordings.recording import Recording


class Windows(Sequence[Events]):
    """The windows of a recording, in order: `len`, by number, or one after another.

    `starts` are where they begin and `length` how long they are, in microseconds, or in events where `by_number` is set;
    none goes beyond `end`.
    """

    def __init__(
        self, recording: Recording, starts: range, length: int, end: int, *, by_number: bool
    ) -> None:
        self.recording, self.starts, self.length = recording, starts, length
        self.end, self.by_number = end, by_number

    @classmethod
    def of(
        cls,
        recording: Recording,
        *,
        duration_us: int | None,
        events: int | None,
        stride_us: int | None,
        stride_events: int | None,
        start_us: int | None,
        stop_us: int | None,
        partial: bool,
    ) -> Windows:
        """The windows that `Recording.windows` describes."""
        if (duration_us is None) == (events is None):
            raise BadEvents("how long a window is was not said", allowed="one of duration_us= and events=")
        by_number = events is not None
        if (stride_us if by_number else stride_events) is not None:
            raise BadEvents(
                "the stride is of another kind than the window",
                allowed="events= with stride_events=" if by_number else "duration_us= with stride_us=",
            )
        length = _positive("events", events) if by_number else _positive("duration_us", duration_us)
        stride = stride_events if by_number else stride_us
        name = "stride_events" if by_number else "stride_us"
        stride = length if stride is None else _positive(name, stride)
        begin = recording.first_us or 0 if start_us is None else whole_number("start_us", start_us)
        end = _after(recording) if stop_us is None else whole_number("stop_us", stop_us)
        if by_number:
            begin, end = recording.number_at(begin), recording.number_at(end)
        starts = range(begin, end if partial else end - length + 1, stride)
        return cls(recording, starts, length, end, by_number=by_number)

    def bounds(self, number: int) -> tuple[int, int]:
        """(start, stop) of a window, in microseconds or in events."""
        start = self.starts[number]
        return start, min(start + self.length, self.end)

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, number: int) -> Events: ...
    @overload
    def __getitem__(self, number: slice) -> Windows: ...
    def __getitem__(self, number: int | slice) -> Events | Windows:
        if isinstance(number, slice):
            return Windows(
                self.recording, self.starts[number], self.length, self.end, by_number=self.by_number
            )
        start, stop = self.bounds(number)
        return self.recording.events(start, stop) if self.by_number else self.recording.window(start, stop)

    def __iter__(self) -> Iterator[Events]:
        return (self[number] for number in range(len(self)))

    def __repr__(self) -> str:
        unit = "events" if self.by_number else "us"
        return f"Windows({len(self):,} of {self.length:,} {unit} of {self.recording.path.name})"


def whole_number(name: str, value: Any) -> int:
    """A whole number, which may be written as 20e6. Raises BadEvents for any other value."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    try:
        return operator.index(value)
    except TypeError:
        raise BadEvents(f"{name} is {value!r}", allowed="a whole number") from None


def _positive(name: str, value: Any) -> int:
    number = whole_number(name, value)
    if number < 1:
        raise BadEvents(f"{name} is {number}", allowed="1 or more")
    return number


def _after(recording: Recording) -> int:
    """The first time after the last event."""
    return (recording.first_us or 0) if recording.last_us is None else recording.last_us + 1
