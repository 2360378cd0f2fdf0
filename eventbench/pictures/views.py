"""What every kind of picture is made of: panels of one size, drawn one at a time, each with a caption."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from eventbench.errors import BadRecording
from eventbench.events import Events
from eventbench.pictures.lettering import moment, unit_of


class Views(NamedTuple):
    """`draw(k)` is panel k, uint8 (height, width, 3); `spans` are the times (us from the first event) each shows.

    `spans` is None where every panel shows all of the recording, as a cloud seen from several sides does.
    """

    size: tuple[int, int]
    captions: list[str]
    spans: list[tuple[float, float]] | None
    note: str
    draw: Callable[[int], np.ndarray]


def edges(events: Events, bins: int) -> np.ndarray:
    """float64 (bins + 1,): equal parts of the time from the first event to just after the last, in us from the first.

    Raises BadRecording where there is no event.
    """
    if not len(events):
        raise BadRecording("no event to draw")
    return np.linspace(0, events.duration_us + 1, bins + 1)


def parts(events: Events, bounds: np.ndarray) -> np.ndarray:
    """int64 (bins + 1,): the first event of each part, as `edges` gives their bounds."""
    return np.searchsorted(events.t, int(events.t[0]) + np.ceil(bounds).astype(np.int64), side="left")


def told_spans(bounds: np.ndarray) -> list[str]:
    whole = float(bounds[-1])
    unit = unit_of(whole)[1]
    return [f"{moment(a, whole)} to {moment(b, whole)} {unit}" for a, b in pairwise(bounds)]
