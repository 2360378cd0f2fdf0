"""Frames: the events of equal parts of a recording's time, ON and OFF in two colours, stronger where there are more."""

from __future__ import annotations

import numpy as np

from eventbench.events import Events
from eventbench.pictures.lens import Lens
from eventbench.pictures.palette import Theme, shade
from eventbench.pictures.views import Views, edges, parts, told_spans

FAINTEST = 0.42  # what one event is of the strongest: it has to be seen
SAMPLED = 16


def frames(events: Events, bins: int, room: int, theme: Theme) -> Views:
    """`bins` frames of equal times. The colour grows with the logarithm of a pixel's events, alike in all frames."""
    bounds = edges(events, bins)
    first = parts(events, bounds)
    lens = Lens.of(events.sensor, room)
    cells, size = lens.cells(events), lens.grid[0] * lens.grid[1]

    def counts(k: int) -> tuple[np.ndarray, np.ndarray]:
        here = slice(first[k], first[k + 1])
        both = np.bincount(cells[here] * 2 + events.p[here], minlength=2 * size).reshape(size, 2)
        return both[:, 0], both[:, 1]

    strongest = _strongest(counts, first)

    def draw(k: int) -> np.ndarray:
        off, on = counts(k)
        total = off + on
        grown = np.minimum(np.log1p(total) / np.log1p(strongest), 1) if strongest > 1 else total.clip(max=1)
        level = np.where(total > 0, FAINTEST + (1 - FAINTEST) * grown, 0)
        share = on / np.maximum(total, 1)
        shape = lens.grid[::-1]
        return lens.enlarge(shade(level.reshape(shape), share.reshape(shape), theme))

    return Views(
        lens.size,
        told_spans(bounds),
        list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)),
        "; ".join(filter(None, (lens.told, f"full strength from {strongest:,} events a pixel"))),
        draw,
    )


def _strongest(counts, first) -> int:  # type: ignore[no-untyped-def]
    """The count that only one active pixel in two hundred exceeds, over a sample of frames."""
    some = np.unique(np.linspace(0, len(first) - 2, SAMPLED).astype(int))
    totals = [sum(counts(k)) for k in some if first[k + 1] > first[k]]
    active = np.concatenate([total[total > 0] for total in totals]) if totals else np.ones(1, np.int64)
    return max(2, int(np.quantile(active, 0.995, method="higher")))
