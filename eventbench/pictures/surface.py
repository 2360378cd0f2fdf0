"""Time surface: at a given time, each pixel is as bright as its last event is recent, exp(-(time - event time) / tau).

Lagorce et al. 2017, "HOTS: a hierarchy of event-based time-surfaces for pattern recognition".
"""

from __future__ import annotations

import numpy as np

from eventbench.errors import BadSpec
from eventbench.pictures.lettering import format_duration, format_time, tick_distance, time_unit
from eventbench.pictures.palette import Theme, shade
from eventbench.pictures.panels import Panels, bin_edges
from eventbench.pictures.pixel_grid import PixelGrid
from eventbench.pictures.span import Span

VISIBLE_TAUS = (
    6.3  # an older event is fainter than half of one of the 255 steps of a colour: exp(-6.3) * 255 < 0.5
)


def default_tau_us(span: Span) -> float:
    """About an eighth of the recording, but at most 50 ms: 1, 2 or 5 times a power of ten, in us."""
    return max(1.0, min(50_000.0, tick_distance(span.duration_us + 1, 12)))


def surface(span: Span, bins: int, room: int, theme: Theme, tau_us: float | None = None) -> Panels:
    """The surface at the ends of `bins` equal parts of the duration; the colour is the polarity of the last event.

    Raises BadSpec for a `tau_us` that is not above 0, BadRecording if there is no event.
    """
    tau = default_tau_us(span) if tau_us is None else tau_us
    if not tau > 0:
        raise BadSpec(f"tau_us is {tau}", where="time surface", allowed="above 0")
    edges = bin_edges(span, bins)
    grid = PixelGrid.of(span.sensor, room)
    shape = (grid.rows, grid.columns)
    # The time of each cell's last event before `done`, in us from the first, and its polarity.
    last, on = np.full(grid.rows * grid.columns, -1, np.int64), np.zeros(grid.rows * grid.columns, np.uint8)
    done = 0.0

    def draw(k: int) -> np.ndarray:
        nonlocal done
        end = float(edges[k + 1])
        if end < done:  # an earlier panel than the previous one: start again
            last[:], done = -1, 0.0
        for events in span.pieces(max(done, end - VISIBLE_TAUS * tau), end):
            cells = grid.cells(events)
            # With several events in a cell, the last assignment counts.
            last[cells], on[cells] = events.t - span.first_us, events.p
        done = end
        level = np.where(last >= 0, np.exp((np.minimum(last, end) - end) / tau), 0)
        return grid.enlarge(shade(level.reshape(shape), on.reshape(shape), theme))

    duration = float(edges[-1])
    return Panels(
        grid.size,
        [f"at {format_time(end, duration)} {time_unit(duration)[1]}" for end in edges[1:]],
        list(zip(np.maximum(edges[1:] - tau, 0).tolist(), edges[1:].tolist(), strict=True)),
        "; ".join(filter(None, (grid.description, f"tau {format_duration(tau)}"))),
        draw,
    )
