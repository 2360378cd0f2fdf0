"""Functions for several steps: checks of parameters, and events selected by a mask, sorted or cropped."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.steps._compaction import kept_columns


def check_whole(step: str, name: str, value: Any, least: int = 1, most: int = 2**62) -> None:
    """Raises BadSpec unless `value` is a whole number from `least` to `most`."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadSpec(f"{name} is {value!r}", where=step, allowed=f"a whole number from {least} to {most}")


def check_number(step: str, name: str, value: Any, least: float, most: float) -> None:
    """Raises BadSpec unless `value` is a number from `least` to `most`."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not least <= value <= most
        or math.isnan(value)
    ):
        raise BadSpec(f"{name} is {value!r}", where=step, allowed=f"a number from {least:g} to {most:g}")


def check_range(step: str, name: str, limits: tuple[Any, Any], least: float, most: float) -> None:
    """Raises BadSpec unless `limits` are two numbers from `least` to `most`, the first not above the second."""
    for limit in limits:
        check_number(step, name, limit, least, most)
    if limits[0] > limits[1]:
        raise BadSpec(f"{name} is {list(limits)}", where=step, allowed="the smaller number first")


def require_generator(step: str, generator: np.random.Generator | None) -> np.random.Generator:
    """The generator. Raises BadSpec if there is none: steps have no hidden generator."""
    if generator is None:
        raise BadSpec("no generator to draw from", where=step, fix="pass a numpy.random.Generator to apply")
    return generator


def select(events: Events, mask: np.ndarray) -> Events:
    """The events where `mask`, bool (events,), is true, in their order; `events` itself where it is true for all."""
    if mask.all():
        return events
    return Events.trusted(*kept_columns(events.t, events.x, events.y, events.p, mask), events.sensor)


def fits_uint32(number: int) -> bool:
    """Whether a kernel may count up to this number in 32 bits, in which tables of all pixels are half as large."""
    return 0 <= number < 2**32


def sorted_by_time(
    t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray, sensor: tuple[int, int]
) -> Events:
    """Events of columns (events,) in any order, sorted by time; events of equal time stay in their order."""
    if len(t) > 1 and (t[1:] < t[:-1]).any():
        order = np.argsort(t, kind="stable")
        t, x, y, p = t[order], x[order], y[order], p[order]
    return Events.trusted(t, x, y, p, sensor)


def cropped(events: Events, x: int, y: int, width: int, height: int) -> Events:
    """The events of the rectangle from (x, y), which lies inside the sensor; it becomes the sensor."""
    # Unsigned subtraction: coordinates left of or above the corner wrap to large numbers.
    columns, rows = events.x - np.uint16(x), events.y - np.uint16(y)
    inside = (columns < width) & (rows < height)
    return Events.trusted(*kept_columns(events.t, columns, rows, events.p, inside), (width, height))
