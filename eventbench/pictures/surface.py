"""Time surface: at a moment, each pixel as bright as its last event is recent, exp(-(moment - time) / tau).

Lagorce et al. 2017, "HOTS: a hierarchy of event-based time-surfaces for pattern recognition".
"""

from __future__ import annotations

import numpy as np

from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.pictures.lens import Lens
from eventbench.pictures.lettering import length, moment, steps_to, unit_of
from eventbench.pictures.palette import Theme, shade
from eventbench.pictures.views import Views, edges, parts


def own_tau_us(events: Events) -> float:
    """About an eighth of the recording, but at most 50 ms: 1, 2 or 5 times a power of ten, in us."""
    return max(1.0, min(50_000.0, steps_to(events.duration_us + 1, 12)))


def surface(events: Events, bins: int, room: int, theme: Theme, tau_us: float | None = None) -> Views:
    """The surface at the ends of `bins` equal parts of the recording's time; the colour is the last event's polarity."""
    tau = own_tau_us(events) if tau_us is None else tau_us
    if not tau > 0:
        raise BadSpec(f"tau_us is {tau}", where="time surface", allowed="above 0")
    bounds = edges(events, bins)
    first = parts(events, bounds)
    lens = Lens.of(events.sensor, room)
    cells = lens.cells(events)
    last = np.full(lens.grid[0] * lens.grid[1], -1, np.int64)  # the index of each block's last event
    done = 0

    def draw(k: int) -> np.ndarray:
        nonlocal done
        if first[k + 1] < done:
            last[:], done = -1, 0
        here = slice(done, first[k + 1])
        last[cells[here]] = np.arange(here.start, here.stop)  # of several in a cell the last one stays
        done = int(first[k + 1])
        t = events.t[last] - events.t[0]
        level = np.where(last >= 0, np.exp((np.minimum(t, bounds[k + 1]) - bounds[k + 1]) / tau), 0)
        share = np.where(last >= 0, events.p[last], 0)
        shape = lens.grid[::-1]
        return lens.enlarge(shade(level.reshape(shape), share.reshape(shape), theme))

    whole = float(bounds[-1])
    return Views(
        lens.size,
        [f"at {moment(end, whole)} {unit_of(whole)[1]}" for end in bounds[1:]],
        list(zip(np.maximum(bounds[1:] - tau, 0).tolist(), bounds[1:].tolist(), strict=True)),
        "; ".join(filter(None, (lens.told, f"tau {length(tau)}"))),
        draw,
    )
