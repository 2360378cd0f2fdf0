"""What steps share: checked parameters, events by mask, events put back into order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from eventbench.errors import BadSpec
from eventbench.events import Events


def whole(step: str, name: str, value: Any, least: int = 1, most: int = 2**62) -> None:
    """Raises BadSpec unless `value` is a whole number from `least` to `most`."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadSpec(f"{name} is {value!r}", where=step, allowed=f"a whole number from {least} to {most}")


def number(step: str, name: str, value: Any, least: float, most: float) -> None:
    """Raises BadSpec unless `value` is a number from `least` to `most`."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not least <= value <= most
        or math.isnan(value)
    ):
        raise BadSpec(f"{name} is {value!r}", where=step, allowed=f"a number from {least:g} to {most:g}")


def spread(step: str, name: str, pair: Any, least: float, most: float) -> None:
    """Raises BadSpec unless `pair` is two numbers, the first not above the second, both within the limits."""
    for value in pair:
        number(step, name, value, least, most)
    if pair[0] > pair[1]:
        raise BadSpec(f"{name} is {list(pair)}", where=step, allowed="the smaller number first")


def drawn_from(step: str, generator: np.random.Generator | None) -> np.random.Generator:
    """The generator. Raises BadSpec where there is none: nothing here draws from a hidden one."""
    if generator is None:
        raise BadSpec("no generator to draw from", where=step, fix="give apply a numpy.random.Generator")
    return generator


def kept(events: Events, mask: np.ndarray) -> Events:
    """The events at which `mask` bool (events,) is true, in their order."""
    return Events.trusted(events.t[mask], events.x[mask], events.y[mask], events.p[mask], events.sensor)


def in_order(t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray, sensor: tuple[int, int]) -> Events:
    """Events of columns whose times may step back: sorted by time, those of one time in the order they came in."""
    if len(t) > 1 and (t[1:] < t[:-1]).any():
        order = np.argsort(t, kind="stable")
        t, x, y, p = t[order], x[order], y[order], p[order]
    return Events.trusted(t, x, y, p, sensor)


def cut_out(events: Events, x: int, y: int, width: int, height: int) -> Events:
    """The events of a rectangle inside the sensor, which becomes the sensor."""
    # Unsigned: what lies left of or above the corner becomes huge.
    columns, rows = events.x - np.uint16(x), events.y - np.uint16(y)
    inside = (columns < width) & (rows < height)
    return Events.trusted(events.t[inside], columns[inside], rows[inside], events.p[inside], (width, height))
