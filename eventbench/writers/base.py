"""What a writer is: the encoder of one format of recordings, with what the format cannot hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import msgspec

from eventbench.errors import BadEvents
from eventbench.events import Events

Size = tuple[int, int]
ANY_SIDE, LAST_US = 65_536, 2**63 - 1  # what Events can hold
FROM_ZERO = "write times from the first event on: --from-zero, or from_zero=True in save"
OTHER_WRITERS = "write another format: eventbench ls writers"


class Documentation(msgspec.Struct, frozen=True, kw_only=True):
    """What the documentation says of a format that is written: a cell of the table of writers each.

    what : the format, as it is written
    readers : what has read such files and given the same events, in tests
    sensor : where the sensor's size is in the file
    holds : what the format can hold
    traps : what whoever reads the file must know
    """

    what: str
    readers: str
    sensor: str
    holds: str
    traps: str


class Limits(NamedTuple):
    """What a format can hold: pixels of a side, times in microseconds, microseconds from the first event to the last."""

    side: int = ANY_SIDE
    first_us: int = -LAST_US
    last_us: int = LAST_US
    longest_us: int = LAST_US


class Writer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An encoder. Its fields are the parameters that `save` and `convert` may set.

    Attributes
    ----------
    about : what the documentation says of the format
    suffixes : endings of files that are written so where nobody says how; each is of one writer alone
    source : the name of the source that reads such files
    whole : whether the events have to be in memory all at once
    """

    about: ClassVar[Documentation]
    suffixes: ClassVar[tuple[str, ...]] = ()
    source: ClassVar[str]
    whole: ClassVar[bool] = False

    def limits(self) -> Limits:
        """What the format can hold, with these parameters."""
        return Limits()

    def reading(self, path: Path) -> Mapping[str, Any]:  # noqa: ARG002  # for formats whose files do not say all
        """Parameters of the source that a file at `path` does not tell by itself; none where it tells all."""
        return {}

    def states_sensor(self, path: Path) -> bool:  # noqa: ARG002  # for formats that do not
        """Whether a file at `path` says how large the sensor is."""
        return True

    def write(self, parts: Iterable[Events], sensor: Size, path: Path) -> None:
        """Write the events of the parts, in their order, on a (width, height) sensor, to the file at `path`.

        The parts are within the limits, and there may be none.
        """
        raise NotImplementedError

    def checked(self, parts: Iterable[Events], sensor: Size, where: object) -> Iterator[Events]:
        """The parts. Raises BadEvents, with the value, for what the format cannot hold; nothing is ever clamped."""
        limits = self.limits()
        if max(sensor) > limits.side:
            raise BadEvents(
                f"the sensor is {sensor[0]}x{sensor[1]}",
                where=where,
                allowed=f"up to {limits.side}x{limits.side} in this format",
                fix=f"crop the events first, or {OTHER_WRITERS}",
                reason="sensor_too_large",
            )
        return self._checked_times(parts, limits, where)

    def _checked_times(self, parts: Iterable[Events], limits: Limits, where: object) -> Iterator[Events]:
        start = None
        for part in parts:
            if len(part):
                start = int(part.t[0]) if start is None else start
                self._check_times(start, int(part.t[0]), int(part.t[-1]), limits, where)
            yield part

    def _check_times(self, start: int, first: int, last: int, limits: Limits, where: object) -> None:
        if first < limits.first_us:
            raise BadEvents(
                f"times begin at {first:,} us",
                where=where,
                allowed=f"{limits.first_us:,} us or more in this format",
                fix=FROM_ZERO,
                reason="time_too_early",
            )
        if last - start > min(limits.longest_us, limits.last_us - limits.first_us):
            raise BadEvents(
                f"the events last {last - start:,} us",
                where=where,
                allowed=f"up to {min(limits.longest_us, limits.last_us):,} us in this format",
                fix=f"take a part of them, --start-us and --stop-us of convert, or {OTHER_WRITERS}",
                reason="too_long",
            )
        if last > limits.last_us:
            raise BadEvents(
                f"times reach {last:,} us",
                where=where,
                allowed=f"up to {limits.last_us:,} us in this format",
                fix=FROM_ZERO,
                reason="time_too_late",
            )
