"""The box around an event cloud: how it is seen from a side, its edges, and the scales along three of them."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from PIL import ImageDraw

from eventbench.events import Events
from eventbench.pictures.lettering import SMALL, steps_to, unit_of, width_of, write
from eventbench.pictures.palette import Theme

LONG = 1.9  # the time's edge beside the sensor's longer side
AWAY = 4.2  # how far the eye is from the middle
DOWN = 0.36  # radians by which it looks down
START = -0.62  # radians: time runs to the right, and a little towards the back
MARGIN = (76, 48)  # pixels left for the scales


class View(NamedTuple):
    """One look at the box: the matrix (4, 4) of `_splat`, on a canvas of the picture's size."""

    matrix: np.ndarray

    def fine(self, times: int) -> np.ndarray:
        """The matrix for a canvas so many times as large."""
        matrix = self.matrix.copy()
        matrix[[0, 1, 3]] *= times
        return matrix

    def seen(self, points: np.ndarray) -> np.ndarray:
        """float64 (points, 3): right, down and depth on the canvas, of (time in us from the first, x, y) (points, 3)."""
        full = np.concatenate([points, np.ones((len(points), 1))], 1)
        right, up, depth = (full @ self.matrix[row] for row in range(3))
        near = 1 / (1 + depth)
        return np.stack([self.matrix[3, 0] + near * right, self.matrix[3, 1] - near * up, depth], 1)


class Box(NamedTuple):
    """`ends` (time in us, x, y) of a box that begins at 0, and the picture it has to fit, from every side."""

    ends: tuple[float, float, float]
    size: tuple[int, int]

    @classmethod
    def of(cls, events: Events, size: tuple[int, int]) -> Box:
        width, height = events.sensor
        return cls((float(max(1, events.duration_us)), float(width), float(height)), size)

    @property
    def corners(self) -> np.ndarray:
        """float64 (8, 3)."""
        return np.array(list(product(*((0.0, end) for end in self.ends))))

    def view(self, turn: float, still: bool) -> View:
        """As seen after a part of a whole turn about the upright axis; large if `still`, else as large for every turn."""
        matrix = self._turned(START + 2 * np.pi * turn)
        angles = [2 * np.pi * turn] if still else np.linspace(0, 2 * np.pi, 24, endpoint=False)
        flat = [View(self._turned(START + angle)).seen(self.corners)[:, :2] for angle in angles]
        low, high = np.min(flat, (0, 1)), np.max(flat, (0, 1))
        room = np.array(self.size) - 2 * np.array(MARGIN)
        scale = float((room / (high - low)).min())
        matrix[:2] *= scale
        matrix[3, :2] = np.array(self.size) / 2 - scale * (low + high) / 2
        return View(matrix)

    def _turned(self, angle: float) -> np.ndarray:
        """The matrix of unit scale; depth is in distances of the eye, so that 1 / (1 + depth) is the perspective."""
        time, width, height = self.ends
        longer = max(width, height)
        # (time, x, y, 1) to a box about the origin: along time, along x, upwards.
        placed = np.array(
            [
                [LONG / time, 0, 0, -LONG / 2],
                [0, 1 / longer, 0, -width / longer / 2],
                [0, 0, -1 / longer, height / longer / 2],
            ]
        )
        turn = np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        tilt = np.array([[1, 0, 0], [0, np.sin(DOWN), np.cos(DOWN)], [0, np.cos(DOWN), -np.sin(DOWN)]])
        matrix = np.zeros((4, 4))
        matrix[:3] = tilt @ turn @ placed
        matrix[2] /= AWAY
        return matrix


def draw_box(draw: ImageDraw.ImageDraw, box: Box, view: View, theme: Theme) -> None:
    """The twelve edges, and a scale with ticks along one edge of each direction, where it is out of the way."""
    corners = box.corners
    flat = view.seen(corners)
    pairs = [(i, j) for i in range(8) for j in range(i) if np.count_nonzero(corners[i] != corners[j]) == 1]
    for i, j in pairs:
        draw.line((*flat[i, :2], *flat[j, :2]), fill=theme.line, width=1)
    middle = flat[:, :2].mean(0)
    for axis in range(3):
        along = [(i, j) for i, j in pairs if corners[i, axis] != corners[j, axis]]
        at = np.array([flat[list(pair), :2].mean(0) for pair in along])
        # The lowest edge of time and of x; of y, the one farthest out.
        chosen = along[int(np.argmax(np.abs(at[:, 0] - middle[0]) if axis == 2 else at[:, 1]))]
        _scale(draw, box, view, axis, corners[list(chosen)], middle, theme)


def _scale(draw, box, view, axis, edge, middle, theme) -> None:  # type: ignore[no-untyped-def]
    end = box.ends[axis]
    divisor, unit = unit_of(end) if axis == 0 else (1, "xy"[axis - 1])
    ends = view.seen(edge)[:, :2]
    long = float(np.hypot(*(ends[1] - ends[0])))
    step = steps_to(end / divisor, max(1, min(6, int(long / 56))))
    outward = ends.mean(0) - middle
    if axis != 2:  # across the edge, away from the box
        across = np.array([ends[1][1] - ends[0][1], ends[0][0] - ends[1][0]])
        outward = across * np.sign(across @ outward)
    else:
        outward = np.array([np.sign(outward[0]), 0.0])
    outward = outward / max(float(np.hypot(*outward)), 1e-9)
    ticks = np.arange(0, int(end / divisor / step + 1e-9) + 1) * step
    points = np.repeat(edge[:1], len(ticks), 0)
    points[:, axis] = ticks * divisor
    said = [f"{tick:,.6g}" for tick in ticks]
    name = f"time, {unit}" if axis == 0 else unit
    widest = max(width_of(text, SMALL) for text in said)
    for (right, down, _), text in zip(view.seen(points), said, strict=True):
        at = np.array([right, down])
        draw.line((*at, *(at + 4 * outward)), fill=theme.soft)
        away = 12 + abs(outward[0]) * width_of(text, SMALL) / 2
        write(draw, tuple(at + away * outward), text, SMALL, theme.soft, "mm")
    away = 32 + abs(outward[0]) * (widest + width_of(name, SMALL) / 2)
    write(draw, tuple(ends.mean(0) + away * outward), name, SMALL, theme.ink, "mm")
