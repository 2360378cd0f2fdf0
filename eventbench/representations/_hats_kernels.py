"""The inner loops of averaged time surfaces: events sorted by cell and polarity, then surfaces summed list by list.

A list (the events of a cell and polarity, in order of time) is summed in one of two ways that differ in rounding only.
Where few events share a window, each event looks back at each earlier one. Where many do (a hot pixel, a long
window) that would be quadratic: there each pixel of the cell keeps one decayed sum of its events in the window, and an
event looks at the pixels around it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

FIRST = np.iinfo(np.int64).min
LAST = np.float32(2**63 - 2**39)  # the greatest float32 that int64 holds
FINE, LOW = np.uint64(8), np.uint64(255)
FAR = 32.0  # time constants after which decayed sums are brought up to date: exp(FAR) is far from overflow


@njit(cache=True, nogil=True)
def sort_by_list(t, x, y, p, tonic, cell_size, width, height):  # type: ignore[no-untyped-def]
    """(t, x, y) of the events in order of list and time, and where lists start: list i is starts[i] to starts[i+1].

    The list of polarity p and cell (row, column) is (p * rows + row) * columns + column. tonic's times are float32.
    """
    n, rows, columns = t.shape[0], -(-height // cell_size), -(-width // cell_size)
    starts = np.zeros(2 * rows * columns + 2, np.int64)
    row_of, column_of = np.arange(height) // cell_size, np.arange(width) // cell_size
    lists = np.empty(n, np.int64)
    for i in range(n):
        lists[i] = (np.int64(p[i]) * rows + row_of[y[i]]) * columns + column_of[x[i]]
        starts[lists[i] + 2] += 1
    for i in range(2, starts.shape[0]):
        starts[i] += starts[i - 1]
    ts, xs, ys = np.empty(n, np.int64), np.empty(n, np.int32), np.empty(n, np.int32)
    for i in range(n):
        to = starts[lists[i] + 1]
        starts[lists[i] + 1] = to + 1
        xs[to], ys[to] = x[i], y[i]
        ts[to] = np.int64(min(np.float32(t[i]), LAST)) if tonic else t[i]
    return ts, xs, ys, starts


@njit(cache=True, nogil=True)
def draw_surfaces(t, x, y, starts, window, tonic, tau, linear, fine, coarse, cell_size, side, drawn):  # type: ignore[no-untyped-def]
    """Fill drawn (P, rows * side, columns * side) with the mean surface of each list.

    coarse[age >> FINE] * fine[age & LOW] is the weight of a whole age where there is a coarse one; else it is computed.
    """
    polarities, rows, columns = drawn.shape[0], drawn.shape[1] // side, drawn.shape[2] // side
    cells = rows * columns
    surface = np.zeros(side * side + 1)
    padded = np.zeros((2, cell_size + side - 1, cell_size + side - 1))
    for i in range(polarities * cells):
        first, stop = starts[i], starts[i + 1]
        polarity, row, column = i // cells, i % cells // columns, i % columns
        into = drawn[polarity, row * side : (row + 1) * side, column * side : (column + 1) * side]
        if first == stop:
            into[:] = 0
            continue
        ts, xs, ys = t[first:stop], x[first:stop], y[first:stop]
        surface[:] = 0.0
        crowded = _crowded(ts, window, tonic, side * side // 2)
        if crowded or not _look_back(ts, xs, ys, window, tonic, tau, linear, fine, coarse, side, surface):
            surface[:] = 0.0
            padded[:] = 0.0
            xs -= np.int32(column * cell_size)
            ys -= np.int32(row * cell_size)
            _keep_sums(ts, xs, ys, window, tonic, tau, linear, side, padded[0], padded[1], surface)
        count = stop - first
        if tonic:
            surface[side * side // 2] += count
        else:
            other = (i + cells) % (2 * cells)
            count += starts[other + 1] - starts[other]
        share = 1.0 / count
        for dy in range(side):
            for dx in range(side):
                into[dy, dx] = surface[dy * side + dx] * share


@njit(cache=True, nogil=True)
def _since(time, window, tonic):  # type: ignore[no-untyped-def]
    """The start of an event's window: tonic's is computed in float32 and never before 0."""
    if tonic:
        return np.int64(max(np.float32(time) - np.float32(window), np.float32(0)))
    return time - window if time >= FIRST + window else FIRST


@njit(cache=True, nogil=True)
def _weight(age, tau, linear):  # type: ignore[no-untyped-def]
    return 1.0 - age / (3.0 * tau) if linear else np.exp(-age / tau)


@njit(cache=True, nogil=True)
def _crowded(ts, window, tonic, many):  # type: ignore[no-untyped-def]
    """Whether events see more than `many` earlier ones, judged by a few of them."""
    if ts.shape[0] <= many:
        return False
    visible = 0
    for quarter in range(1, 5):
        i = (ts.shape[0] - 1) * quarter // 4
        since, low, high = _since(ts[i], window, tonic), 0, i
        while low < high:
            middle = (low + high) >> 1
            if ts[middle] < since:
                low = middle + 1
            else:
                high = middle
        visible += i - low
    return visible > 4 * many


@njit(cache=True, nogil=True)
def _look_back(ts, xs, ys, window, tonic, tau, linear, fine, coarse, side, surface):  # type: ignore[no-untyped-def]
    """Add to surface (side * side + 1,) what each event sees; or give up, False, where that takes too many looks.

    The last place takes what is beyond the surface: a place to put it is quicker than a branch around it.
    """
    size, known, radius = np.uint32(side), np.uint64(coarse.shape[0]) << FINE, side // 2
    looks = 4 * side * side * ts.shape[0]
    for i in range(1, ts.shape[0]):
        time, left, top = ts[i], xs[i] - radius, ys[i] - radius
        since, j = _since(time, window, tonic), i - 1
        while not tonic and j >= 0 and ts[j] == time:
            j -= 1
        while j >= 0 and ts[j] >= since:
            # Unsigned: what is left of or above the surface is beyond its side too.
            dx, dy = np.uint32(xs[j] - left), np.uint32(ys[j] - top)
            place = dy * size + dx if (dx < size) & (dy < size) else size * size
            age = np.uint64(time - ts[j])
            if age < known:
                surface[place] += coarse[age >> FINE] * fine[age & LOW]
            else:
                surface[place] += _weight(np.float64(age), tau, linear)
            j -= 1
        looks -= i - 1 - j
        if looks < 0:
            return False
    return True


@njit(cache=True, nogil=True)
def _keep_sums(ts, xs, ys, window, tonic, tau, linear, side, sums, counts, surface):  # type: ignore[no-untyped-def]  # noqa: C901  # one pass, whose state would have to be handed around
    """As `_look_back`, in side * side steps an event; x and y are from the corner of the cell.

    For each pixel of the cell, in a margin of the radius, `sums` has what its events in the window weigh, as it was at
    the time `base`, and `counts` how many they are. Events leave in order of time, so none that leaves weighs more
    than those that stay: taking it away cannot lose them in rounding.
    """
    radius, base, tau3 = side // 2, ts[0], 3.0 * tau
    flat_sums, flat_counts, pitch = sums.reshape(-1), counts.reshape(-1), np.uint64(sums.shape[1])
    oldest, newest = 0, 0  # the sums are of events oldest to newest
    for i in range(1, ts.shape[0]):
        time, since = ts[i], _since(ts[i], window, tonic)
        while oldest < newest and ts[oldest] < since:
            a, b = ys[oldest] + radius, xs[oldest] + radius
            sums[a, b] -= _weight(np.float64(base - ts[oldest]), tau, linear)
            counts[a, b] -= 1.0
            if counts[a, b] == 0.0:
                sums[a, b] = 0.0
            oldest += 1
        if oldest == newest:
            base = time
        elif np.float64(time - base) > FAR * tau:
            passed, base = np.float64(time - base), time
            if linear:
                sums -= passed / tau3 * counts
            else:
                sums *= np.exp(-passed / tau)
        while newest < i and (tonic or ts[newest] < time):
            if ts[newest] >= since:
                a, b = ys[newest] + radius, xs[newest] + radius
                sums[a, b] += _weight(np.float64(base - ts[newest]), tau, linear)
                counts[a, b] += 1.0
            else:
                oldest += 1
            newest += 1
        passed = np.float64(time - base)
        fade, slope = (1.0, passed / tau3) if linear else (np.exp(-passed / tau), 0.0)
        corner, into = np.uint64(ys[i]) * pitch + np.uint64(xs[i]), np.uint64(0)
        for _ in range(side):
            for dx in range(np.uint64(side)):
                surface[into + dx] += fade * flat_sums[corner + dx]
            if linear:
                for dx in range(np.uint64(side)):
                    surface[into + dx] -= slope * flat_counts[corner + dx]
            into, corner = into + np.uint64(side), corner + pitch
