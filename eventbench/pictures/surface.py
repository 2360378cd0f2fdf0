"""Time surface: at a given time, each pixel is as bright as its last event is recent, exp(-(time - event time) / tau).

Lagorce et al. 2017, "HOTS: a hierarchy of event-based time-surfaces for pattern recognition".
"""

from __future__ import annotations

import numpy as np

from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.pictures.lettering import format_duration, format_time, tick_distance, time_unit
from eventbench.pictures.palette import Theme, shade
from eventbench.pictures.panels import Panels, bin_edges, first_events
from eventbench.pictures.pixel_grid import PixelGrid


def default_tau_us(events: Events) -> float:
    """About an eighth of the recording, but at most 50 ms: 1, 2 or 5 times a power of ten, in us."""
    return max(1.0, min(50_000.0, tick_distance(events.duration_us + 1, 12)))


def surface(events: Events, bins: int, room: int, theme: Theme, tau_us: float | None = None) -> Panels:
    """The surface at the ends of `bins` equal parts of the duration; the colour is the polarity of the last event.

    Raises BadSpec for a `tau_us` that is not above 0, BadRecording if there is no event.
    """
    tau = default_tau_us(events) if tau_us is None else tau_us
    if not tau > 0:
        raise BadSpec(f"tau_us is {tau}", where="time surface", allowed="above 0")
    edges = bin_edges(events, bins)
    first = first_events(events, edges)
    grid = PixelGrid.of(events.sensor, room)
    shape, cells = (grid.rows, grid.columns), grid.cells(events)
    # The index of each cell's last event before `done`.
    last = np.full(grid.rows * grid.columns, -1, np.int64)
    done = 0

    def draw(k: int) -> np.ndarray:
        nonlocal done
        if first[k + 1] < done:  # an earlier panel than the previous one: start again
            last[:], done = -1, 0
        # With several events in a cell, the last assignment counts.
        last[cells[done : first[k + 1]]] = np.arange(done, first[k + 1])
        done = int(first[k + 1])
        t = events.t[last] - events.t[0]
        level = np.where(last >= 0, np.exp((np.minimum(t, edges[k + 1]) - edges[k + 1]) / tau), 0)
        on_share = np.where(last >= 0, events.p[last], 0)
        return grid.enlarge(shade(level.reshape(shape), on_share.reshape(shape), theme))

    duration = float(edges[-1])
    return Panels(
        grid.size,
        [f"at {format_time(end, duration)} {time_unit(duration)[1]}" for end in edges[1:]],
        list(zip(np.maximum(edges[1:] - tau, 0).tolist(), edges[1:].tolist(), strict=True)),
        "; ".join(filter(None, (grid.description, f"tau {format_duration(tau)}"))),
        draw,
    )
