"""Events: a recording in memory, independent of the format it was read from."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from eventbench.errors import BadEvents
from eventbench.events.structured import fields_of, kernels_can_read

if TYPE_CHECKING:
    from eventbench.recordings.save import Saved

KERNEL_MIN_EVENTS = 1 << 14  # with fewer events, loading Numba takes longer than copying without it
STRUCTURED = np.dtype([("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")])


class Events:
    """A recording of an event camera: four columns of equal length, checked once and then read-only.

    Attributes
    ----------
    t : int64 (events,), microseconds, non-decreasing
    x, y : uint16 (events,), pixels from the top left, 0 <= x < width, 0 <= y < height
    p : uint8 (events,), 0 OFF (darker), 1 ON (brighter)
    sensor : (width, height)

    Polarity may be bool, 0/1 or -1/+1; it is stored as 0/1. Columns that already have the stored type are not copied.

    Raises BadEvents if a column is not one-dimensional or not of whole numbers, if lengths differ, if a pixel is outside
    the sensor, if time runs backwards, or if polarities have none of the three forms.

    >>> events = Events(t=[0, 5], x=[1, 2], y=[0, 0], p=[-1, 1], sensor=(4, 3))
    >>> len(events), events.p.tolist(), events.duration_us
    (2, [0, 1], 5)
    """

    __slots__ = ("p", "sensor", "t", "x", "y")

    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    p: np.ndarray
    sensor: tuple[int, int]

    def __init__(self, *, t: Any, x: Any, y: Any, p: Any, sensor: Sequence[int]) -> None:
        width, height = checked_sensor(sensor)
        columns = {name: _integers(name, values) for name, values in zip("txyp", (t, x, y, p), strict=True)}
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise BadEvents(f"columns of different lengths: {lengths}")
        _check_range("x", columns["x"], width, "width")
        _check_range("y", columns["y"], height, "height")
        time = columns["t"]
        if time.dtype == np.uint64 and len(time) and time.max() > np.iinfo(np.int64).max:
            raise BadEvents(f"t reaches {time.max()}", allowed="signed 64-bit microseconds")
        time = time.astype(np.int64, copy=False)
        if len(time) > 1 and not (ordered := time[1:] >= time[:-1]).all():
            index = int(np.argmin(ordered))
            raise BadEvents(
                f"time runs backwards at event {index + 1} ({time[index]} then {time[index + 1]} us)",
                fix="sort the events by time (stable) before building Events",
                reason="time_runs_backwards",
            )
        self._freeze(
            time,
            columns["x"].astype(np.uint16, copy=False),
            columns["y"].astype(np.uint16, copy=False),
            _polarity(columns["p"]),
            (width, height),
        )

    def _freeze(
        self, t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray, sensor: tuple[int, int]
    ) -> None:
        for name, column in zip("txyp", (t, x, y, p), strict=True):
            column = np.ascontiguousarray(column).view()
            column.setflags(write=False)
            object.__setattr__(self, name, column)
        object.__setattr__(self, "sensor", sensor)

    @classmethod
    def trusted(
        cls, t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray, sensor: tuple[int, int]
    ) -> Events:
        """Events of columns (events,) that are known to be valid and of the stored types; nothing is checked."""
        events = object.__new__(cls)
        events._freeze(t, x, y, p, sensor)
        return events

    @classmethod
    def empty(cls, sensor: Sequence[int]) -> Events:
        """A recording without events."""
        column = np.empty(0, np.int64)
        return cls(t=column, x=column, y=column, p=column, sensor=sensor)

    @classmethod
    def from_structured(cls, array: np.ndarray, *, sensor: Sequence[int]) -> Events:
        """Events from a structured array with fields t (or ts), x, y, p (or on, polarity), in any order.

        Accepts arrays of tonic, Prophesee (EventCD), faery and expelliarmus. Raises BadEvents as Events does.
        """
        fields, size = fields_of(array), checked_sensor(sensor)
        if len(array) >= KERNEL_MIN_EVENTS and kernels_can_read(fields, size):
            from eventbench.events.structured_kernels import copy_columns

            t, x, y, p = columns = [np.empty(len(array), STRUCTURED[name]) for name in "txyp"]
            if copy_columns(list(fields.values()), columns, *size):
                return cls.trusted(t, x, y, p, size)
            # The constructor below finds what is wrong, or accepts polarities of -1 and 1.
        return cls(**{name: np.ascontiguousarray(field) for name, field in fields.items()}, sensor=size)

    def to_structured(self) -> np.ndarray:
        """A NumPy structured array (events,) with fields t int64, x uint16, y uint16, p uint8."""
        array = np.empty(len(self), STRUCTURED)
        for name in "txyp":
            array[name] = getattr(self, name)
        return array

    def save(self, path: str | PathLike[str], writer: str = "", **options: Any) -> Saved:
        """Write them to a file, in the format that its ending says or `writer` names; see `eventbench.save`."""
        import eventbench  # the package's own door: files are above events

        return eventbench.save(self, path, writer, **options)

    @property
    def duration_us(self) -> int:
        """Time from the first event to the last; 0 if there are fewer than two."""
        return int(self.t[-1]) - int(self.t[0]) if len(self) else 0

    def __len__(self) -> int:
        return len(self.t)

    def __getitem__(self, rows: slice) -> Events:
        """The events of a slice with positive step, as views."""
        if not isinstance(rows, slice) or (rows.step is not None and rows.step < 1):
            raise BadEvents(f"events cannot be indexed by {rows!r}", allowed="a slice with positive step")
        columns = (self.t[rows], self.x[rows], self.y[rows], self.p[rows])
        return Events.trusted(*columns, self.sensor)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Events):
            return NotImplemented
        return self.sensor == other.sensor and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in "txyp"
        )

    __hash__ = None  # type: ignore[assignment]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Events are frozen: cannot set {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"Events are frozen: cannot delete {name}")

    def __reduce__(self) -> tuple[Any, ...]:
        return Events.trusted, (self.t, self.x, self.y, self.p, self.sensor)

    def __repr__(self) -> str:
        width, height = self.sensor
        return f"Events({len(self):,} in {self.duration_us:,} us on {width}x{height})"


def checked_sensor(sensor: Sequence[int]) -> tuple[int, int]:
    """(width, height) as ints. Raises BadEvents unless both are whole numbers from 1 to 65536."""
    try:
        width, height = (operator.index(side) for side in sensor)
    except (TypeError, ValueError):
        raise BadEvents(f"sensor is {sensor!r}", allowed="(width, height)") from None
    if not (1 <= width <= 65536 and 1 <= height <= 65536):
        raise BadEvents(f"sensor is {width}x{height}", allowed="sides of 1 to 65536 pixels")
    return width, height


def _integers(name: str, column: Any) -> np.ndarray:
    try:
        array = np.asarray(column)
    except ValueError:
        raise BadEvents(
            f"{name} is not an array: a {type(column).__name__} of items of different lengths",
            allowed="one dimension",
        ) from None
    if array.ndim != 1:
        raise BadEvents(f"{name} has {array.ndim} dimensions", allowed="one")
    if array.size == 0 and array.dtype.kind == "f":
        return array.astype(np.int64)  # np.asarray([]) is always float64
    if array.dtype.kind not in "iub" or (array.dtype.kind == "b" and name != "p"):
        unit = " of microseconds" if name == "t" else ""
        raise BadEvents(
            f"{name} is {array.dtype}",
            allowed=f"whole numbers{unit}" + (" or bool" if name == "p" else ""),
            fix="convert it first, and choose how to round",
        )
    return array


def _check_range(name: str, column: np.ndarray, limit: int, side: str) -> None:
    if not len(column):
        return
    low, high = int(column.min()), int(column.max())
    if low < 0 or high >= limit:
        outside = column < 0 if low < 0 else column >= limit
        first = int(np.argmax(outside))
        raise BadEvents(
            f"{name} is {int(column[first])} at event {first} ({int(outside.sum())} in total)",
            allowed=f"0 to {limit - 1} ({side} {limit})",
            fix="give the true sensor size, or drop these events with a step",
            reason="outside_sensor",
        )


def _polarity(column: np.ndarray) -> np.ndarray:
    if column.dtype == np.bool_:
        return column.view(np.uint8)
    if not len(column):
        return column.astype(np.uint8)
    low, high = int(column.min()), int(column.max())
    if low >= 0 and high <= 1:
        return column.astype(np.uint8, copy=False)
    if low == -1 and high <= 1 and not (column == 0).any():
        return (column > 0).view(np.uint8)
    values = sorted({int(value) for value in np.unique(column)[:5]})
    raise BadEvents(f"polarities are {values}", allowed="bool, 0/1, or -1/+1", reason="unknown_polarity")
