"""The inner loops of the event spike tensor: one pass over the events, one over the cells at each sampling time."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _measured(measure, since, span, polarity):  # type: ignore[no-untyped-def]
    """f of an event `since` us after the first: 0 its place in the span, 1 one, 2 its sign."""
    if measure == 0:
        return since / max(span, 1.0)
    return 1.0 if measure == 1 or polarity else -1.0


@njit(cache=True, nogil=True)
def spread_between(t, x, y, p, cuts, span, measure, width, area, flat):  # type: ignore[no-untyped-def]
    """Fill flat (B, cells): an event's measurement is shared by the two sampling times around it, the nearer the more.

    Events cuts[n] to cuts[n+1] lie between sampling times n and n + 1, so only two sums are open at a time.
    """
    bins = flat.shape[0]
    here, after = np.zeros(flat.shape[1]), np.zeros(flat.shape[1])
    start = np.uint64(t[0])
    for n in range(bins):
        for e in range(cuts[n], cuts[n + 1]):
            since = np.float64(np.uint64(t[e]) - start)
            share = min(max((bins - 1) * since / span - n, 0.0), 1.0)
            value = _measured(measure, since, span, p[e])
            cell = np.int64(p[e]) * area + np.int64(y[e]) * width + np.int64(x[e])
            here[cell] += value * (1.0 - share)
            after[cell] += value * share
        flat[n] = here
        here, after = after, here
        after[:] = 0.0


@njit(cache=True, nogil=True)
def spread_causal(t, x, y, p, cuts, span, tau, alpha, measure, width, area, flat):  # type: ignore[no-untyped-def]
    """Fill flat (B, cells) with sums of exp(-s / tau), or of e s / tau exp(-s / tau), s being an event's age.

    A sum of exponentials, and that of ages times exponentials, are brought from one sampling time to the next by one
    factor, so no event is looked at twice.
    """
    bins = flat.shape[0]
    step = span / bins
    decay = np.exp(-step / tau)
    plain, aged = np.zeros(flat.shape[1]), np.zeros(flat.shape[1] if alpha else 0)
    start = np.uint64(t[0])
    for n in range(bins):
        if alpha:
            for cell in range(flat.shape[1]):
                aged[cell] = decay * (aged[cell] + step * plain[cell])
        for cell in range(flat.shape[1]):
            plain[cell] *= decay
        now = (n + 1) * (span / bins)
        for e in range(cuts[n], cuts[n + 1]):
            since = np.float64(np.uint64(t[e]) - start)
            age = max(now - since, 0.0)
            value = _measured(measure, since, span, p[e]) * np.exp(-age / tau)
            cell = np.int64(p[e]) * area + np.int64(y[e]) * width + np.int64(x[e])
            plain[cell] += value
            if alpha:
                aged[cell] += age * value
        if alpha:
            for cell in range(flat.shape[1]):
                flat[n, cell] = np.e / tau * aged[cell]
        else:
            flat[n] = plain
