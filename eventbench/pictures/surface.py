"""Time surface: at a moment, each pixel as bright as its last event is recent, exp(-(moment - time) / tau).

Lagorce et al. 2017, "HOTS: a hierarchy of event-based time-surfaces for pattern recognition".
"""

from __future__ import annotations

import numpy as np

from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.pictures.lettering import length, moment, steps_to, unit_of
from eventbench.pictures.palette import Theme, shade
from eventbench.pictures.panels import Panels, bin_edges, first_events
from eventbench.pictures.pixel_grid import PixelGrid


def default_tau_us(events: Events) -> float:
    """About an eighth of the recording, but at most 50 ms: 1, 2 or 5 times a power of ten, in us."""
    return max(1.0, min(50_000.0, steps_to(events.duration_us + 1, 12)))


def surface(events: Events, bins: int, room: int, theme: Theme, tau_us: float | None = None) -> Panels:
    """The surface at the ends of `bins` equal parts of the recording's time; the colour is the last event's polarity.

    Raises BadSpec for a `tau_us` that is not above 0, BadRecording where there is no event.
    """
    tau = default_tau_us(events) if tau_us is None else tau_us
    if not tau > 0:
        raise BadSpec(f"tau_us is {tau}", where="time surface", allowed="above 0")
    edges = bin_edges(events, bins)
    first = first_events(events, edges)
    grid = PixelGrid.of(events.sensor, room)
    shape, cells = (grid.rows, grid.columns), grid.cells(events)
    last = np.full(
        grid.rows * grid.columns, -1, np.int64
    )  # the index of each cell's last event before `done`
    done = 0

    def draw(k: int) -> np.ndarray:
        nonlocal done
        if first[k + 1] < done:  # an earlier panel than the one before: start again
            last[:], done = -1, 0
        last[cells[done : first[k + 1]]] = np.arange(
            done, first[k + 1]
        )  # of several in a cell the last one stays
        done = int(first[k + 1])
        t = events.t[last] - events.t[0]
        level = np.where(last >= 0, np.exp((np.minimum(t, edges[k + 1]) - edges[k + 1]) / tau), 0)
        on_share = np.where(last >= 0, events.p[last], 0)
        return grid.enlarge(shade(level.reshape(shape), on_share.reshape(shape), theme))

    duration = float(edges[-1])
    return Panels(
        grid.size,
        [f"at {moment(end, duration)} {unit_of(duration)[1]}" for end in edges[1:]],
        list(zip(np.maximum(edges[1:] - tau, 0).tolist(), edges[1:].tolist(), strict=True)),
        "; ".join(filter(None, (grid.description, f"tau {length(tau)}"))),
        draw,
    )
