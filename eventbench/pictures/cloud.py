"""Event cloud: every event as a point of x, y and time, seen in perspective from one side or from all around.

Points are splatted onto a canvas of twice the size, which is then halved: that smooths them. Where several fall on
one pixel they add up, so that a million of events still show what is dense among them.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from PIL import Image, ImageDraw

from eventbench.events import Events
from eventbench.pictures.box import Box, draw_box
from eventbench.pictures.palette import Theme, shade
from eventbench.pictures.views import Views, edges

_FINE = 2
_SIDES = ((9, 1_000), (7, 6_000), (5, 25_000), (3, 100_000), (2, 800_000))  # of a point, up to so many events
_FAINTEST = 0.58
_FAR = 0.55  # how strong the farthest events are beside the nearest


@njit(cache=True, nogil=True)
def _splat(t, x, y, p, first, view, side, on, off, depth):  # type: ignore[no-untyped-def]
    """Add squares of `side` pixels at each event. view (3, 4): right, up and depth of (time, x, y, 1); see Box.view."""
    height, width = on.shape
    for i in range(t.shape[0]):
        a, b, c = np.float64(t[i] - first), np.float64(x[i]), np.float64(y[i])
        d = view[2, 0] * a + view[2, 1] * b + view[2, 2] * c + view[2, 3]
        nearness = 1.0 / (1.0 + d)
        u = view[3, 0] + nearness * (view[0, 0] * a + view[0, 1] * b + view[0, 2] * c + view[0, 3])
        v = view[3, 1] - nearness * (view[1, 0] * a + view[1, 1] * b + view[1, 2] * c + view[1, 3])
        if not (0 <= u < width - side and 0 <= v < height - side):
            continue
        for row in range(np.int64(v), np.int64(v) + side):
            # The corners are left out of large points: they become round.
            inset = np.int64(side > 3 and (row == np.int64(v) or row == np.int64(v) + side - 1))
            for column in range(np.int64(u) + inset, np.int64(u) + side - inset):
                depth[row, column] += d
                if p[i]:
                    on[row, column] += 1
                else:
                    off[row, column] += 1


def cloud(events: Events, views: int, size: tuple[int, int], theme: Theme) -> Views:
    """The cloud from `views` sides, a whole turn about the upright axis; (width, height) in pixels is each one's."""
    edges(events, 1)
    box = Box.of(events, size)
    side = next((side for side, most in _SIDES if len(events) <= most), 1)
    shape = (size[1] * _FINE, size[0] * _FINE)
    on, off, depth = (np.zeros(shape, np.float32) for _ in range(3))

    def draw(k: int) -> np.ndarray:
        view = box.view(k / views, still=views == 1)
        for plane in (on, off, depth):
            plane[:] = 0
        _splat(events.t, events.x, events.y, events.p, events.t[0], view.fine(_FINE), side, on, off, depth)
        image = Image.new("RGB", size, theme.panel)
        draw_box(ImageDraw.Draw(image), box, view, theme)
        return _over(np.asarray(image), on, off, depth, theme)

    return Views(size, [""] * views, None, "", draw)


def _over(ground: np.ndarray, on: np.ndarray, off: np.ndarray, depth: np.ndarray, theme: Theme) -> np.ndarray:
    """The points laid over a picture of half the canvas' size."""
    seen = on + off > 0
    if not seen.any():
        return ground
    count, lit = (on + off)[seen], on[seen]
    strongest = max(2.0, float(np.quantile(count, 0.995)))
    far = depth[seen] / count
    low, high = (float(edge) for edge in np.quantile(far, (0.01, 0.99)))
    near = 1 - (1 - _FAR) * np.clip((far - low) / max(high - low, 1e-9), 0, 1)
    level = (_FAINTEST + (1 - _FAINTEST) * np.minimum(np.log(count) / np.log(strongest), 1)) * near
    canvas = np.repeat(np.repeat(ground, _FINE, 0), _FINE, 1).astype(np.uint16)
    canvas[seen] = shade(level, lit / count, theme)
    rows = canvas[::_FINE] + canvas[1::_FINE]
    return ((rows[:, ::_FINE] + rows[:, 1::_FINE] + _FINE) // _FINE**2).astype(np.uint8)
