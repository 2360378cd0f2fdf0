"""Event cloud: every event as a point in x, y and time, seen in perspective from one side or from all around.

Points are drawn on a canvas of twice the size, which is then halved to smooth them. Points on the same pixel add up, so
that dense regions are visible among a million events.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from PIL import Image, ImageDraw

from eventbench.files.progress import Progress, no_progress
from eventbench.pictures.bounding_box import BoundingBox, draw_box
from eventbench.pictures.palette import Theme, shade
from eventbench.pictures.panels import Panels
from eventbench.pictures.span import Span

MOST_POINTS = 1_000_000  # of more events a sample is drawn

_OVERSAMPLING = 2
_SIDES = (
    (9, 1_000),
    (7, 6_000),
    (5, 25_000),
    (3, 100_000),
    (2, 800_000),
)  # (side of a point in pixels, up to this many events)
_FAINTEST = 0.58  # strength of one event; that of the densest pixels is 1
_FARTHEST = 0.55  # strength of the farthest events; that of the nearest is 1


@njit(cache=True, nogil=True)
def _draw_points(t, x, y, p, first, view, side, on, off, depth):  # type: ignore[no-untyped-def]
    """Add a square of `side` pixels for each event to the planes on, off and depth (height, width).

    view (4, 4) is a matrix of BoundingBox.projection: right, up and depth of (time, x, y, 1), and the origin.
    """
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
            # Large points are rounded by leaving out their corners.
            inset = np.int64(side > 3 and (row == np.int64(v) or row == np.int64(v) + side - 1))
            for column in range(np.int64(u) + inset, np.int64(u) + side - inset):
                depth[row, column] += d
                if p[i]:
                    on[row, column] += 1
                else:
                    off[row, column] += 1


def cloud(
    span: Span, views: int, size: tuple[int, int], theme: Theme, progress: Progress = no_progress
) -> Panels:
    """The cloud from `views` sides, in a whole turn about the vertical axis; each panel has `size` (width, height).

    Of more than MOST_POINTS events a sample is drawn, which is read with `progress`. Raises BadRecording if there is no event.
    """
    span.require_events()
    events = span.sample(MOST_POINTS, progress)
    box = BoundingBox.of(span, size)
    side = next((side for side, limit in _SIDES if len(events) <= limit), 1)
    shape = (size[1] * _OVERSAMPLING, size[0] * _OVERSAMPLING)
    on, off, depth = (np.zeros(shape, np.float32) for _ in range(3))

    def draw(k: int) -> np.ndarray:
        projection = box.projection(k / views, still=views == 1)
        for plane in (on, off, depth):
            plane[:] = 0
        matrix = projection.enlarged(_OVERSAMPLING)
        _draw_points(events.t, events.x, events.y, events.p, span.first_us, matrix, side, on, off, depth)
        image = Image.new("RGB", size, theme.panel)
        draw_box(ImageDraw.Draw(image), box, projection, theme)
        return _overlay(np.asarray(image), on, off, depth, theme)

    note = f"a sample of {len(events):,}" if len(events) < len(span) else ""
    return Panels(size, [""] * views, None, note, draw, len(events))


def _overlay(
    background: np.ndarray, on: np.ndarray, off: np.ndarray, depth: np.ndarray, theme: Theme
) -> np.ndarray:
    """The background (H, W, 3), uint8, with the points drawn over it; the planes on, off and depth are (2 H, 2 W)."""
    covered = on + off > 0
    if not covered.any():
        return background
    count, on_count = (on + off)[covered], on[covered]
    densest = max(2.0, float(np.quantile(count, 0.995)))
    mean_depth = depth[covered] / count
    low, high = (float(limit) for limit in np.quantile(mean_depth, (0.01, 0.99)))
    nearness = 1 - (1 - _FARTHEST) * np.clip((mean_depth - low) / max(high - low, 1e-9), 0, 1)
    level = (_FAINTEST + (1 - _FAINTEST) * np.minimum(np.log(count) / np.log(densest), 1)) * nearness
    canvas = np.repeat(np.repeat(background, _OVERSAMPLING, 0), _OVERSAMPLING, 1).astype(np.uint16)
    canvas[covered] = shade(level, on_count / count, theme)
    rows = canvas[::_OVERSAMPLING] + canvas[1::_OVERSAMPLING]
    total = rows[:, ::_OVERSAMPLING] + rows[:, 1::_OVERSAMPLING]
    return ((total + _OVERSAMPLING) // _OVERSAMPLING**2).astype(np.uint8)
