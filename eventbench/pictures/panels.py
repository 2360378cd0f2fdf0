"""`Panels`: the content of any picture: small pictures of one size with captions, drawn one at a time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from eventbench.pictures.lettering import format_time, time_unit
from eventbench.pictures.span import Span


class Panels(NamedTuple):
    """`draw(k)` returns panel k, uint8 (height, width, 3); `spans[k]` is the time it shows, in us from the first event.

    `spans` is None if every panel shows the whole recording, as the views of a cloud do. `note` is text for the heading.
    `points` is the number of events that a cloud is drawn of.
    """

    size: tuple[int, int]
    captions: list[str]
    spans: list[tuple[float, float]] | None
    note: str
    draw: Callable[[int], np.ndarray]
    points: int | None = None


def bin_edges(span: Span, bins: int) -> np.ndarray:
    """float64 (bins + 1,): edges of equal parts of the time from the first event to just after the last, in us from the first.

    Raises BadRecording if there is no event.
    """
    span.require_events()
    return np.linspace(0, span.duration_us + 1, bins + 1)


def span_captions(edges: np.ndarray) -> list[str]:
    """The times of each bin as text, "0 to 25.0 ms"."""
    duration = float(edges[-1])
    unit = time_unit(duration)[1]
    return [f"{format_time(a, duration)} to {format_time(b, duration)} {unit}" for a, b in pairwise(edges)]
