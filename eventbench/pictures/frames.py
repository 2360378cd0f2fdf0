"""Frames: the events of equal parts of a recording's duration; ON and OFF in two colours, stronger for more events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eventbench.pictures.palette import Theme, shade
from eventbench.pictures.panels import Panels, bin_edges, span_captions
from eventbench.pictures.pixel_grid import PixelGrid
from eventbench.pictures.span import Span

FAINTEST = 0.42  # strength of one event, which has to be visible; that of the busiest pixels is 1
SAMPLED_FRAMES = 16  # number of frames in which the busiest pixels are searched


def frames(span: Span, bins: int, room: int, theme: Theme) -> Panels:
    """`bins` frames of equal durations, each at most about `room` pixels wide and high.

    Colours grow with the logarithm of a pixel's events, on the same scale in all frames. Raises BadRecording if there is no event.
    """
    edges = bin_edges(span, bins)
    grid = PixelGrid.of(span.sensor, room)
    shape = (grid.rows, grid.columns)

    def counts(k: int) -> tuple[np.ndarray, np.ndarray]:
        by_polarity = np.zeros((grid.rows * grid.columns, 2), np.int64)
        for events in span.pieces(edges[k], edges[k + 1]):
            grid.add(events, by_polarity)
        return by_polarity[:, 0], by_polarity[:, 1]

    busiest = _busiest_count(counts, bins)

    def draw(k: int) -> np.ndarray:
        off, on = counts(k)
        total = off + on
        strength = np.minimum(np.log1p(total) / np.log1p(busiest), 1) if busiest > 1 else total.clip(max=1)
        level = np.where(total > 0, FAINTEST + (1 - FAINTEST) * strength, 0)
        on_share = on / np.maximum(total, 1)
        return grid.enlarge(shade(level.reshape(shape), on_share.reshape(shape), theme))

    return Panels(
        grid.size,
        span_captions(edges),
        list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)),
        "; ".join(filter(None, (grid.description, f"full strength from {busiest:,} events a pixel"))),
        draw,
    )


def _busiest_count(counts: Callable[[int], tuple[np.ndarray, np.ndarray]], bins: int) -> int:
    """The number of events that one in two hundred active pixels exceeds, over a sample of frames; at least 2."""
    sample = np.unique(np.linspace(0, bins - 1, SAMPLED_FRAMES).astype(int))
    totals = (np.add(*counts(k)) for k in sample)
    active = np.concatenate([total[total > 0] for total in totals])
    return max(2, int(np.quantile(active, 0.995, method="higher"))) if len(active) else 2
