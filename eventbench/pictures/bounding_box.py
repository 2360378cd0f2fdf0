"""`BoundingBox`: the box around an event cloud, its projection from any side, and its edges with three scales."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from PIL import ImageDraw

from eventbench.pictures.lettering import SMALL, draw_text, tick_distance, time_unit, width_of
from eventbench.pictures.palette import Theme
from eventbench.pictures.span import Span

TIME_LENGTH = 1.9  # length of the edge along time, relative to the longer side of the sensor
EYE_DISTANCE = 4.2  # distance of the eye from the centre, in the same unit
EYE_DOWN = 0.36  # radians by which the eye looks downwards
EYE_TURN = -0.62  # radians at the start: time runs to the right, and a little towards the back
MARGIN = (76, 48)  # pixels left and right, above and below, for the scales


class Projection(NamedTuple):
    """The box seen from one side: the matrix (4, 4) for `cloud._draw_points` on a canvas of the picture's size."""

    matrix: np.ndarray

    def enlarged(self, factor: int) -> np.ndarray:
        """The matrix (4, 4) for a canvas that is `factor` times larger."""
        matrix = self.matrix.copy()
        matrix[[0, 1, 3]] *= factor
        return matrix

    def project(self, points: np.ndarray) -> np.ndarray:
        """float64 (points, 3): right, down and depth on the canvas, of (time in us from the first, x, y) (points, 3)."""
        homogeneous = np.concatenate([points, np.ones((len(points), 1))], 1)
        right, up, depth = (homogeneous @ self.matrix[row] for row in range(3))
        nearness = 1 / (1 + depth)
        return np.stack([self.matrix[3, 0] + nearness * right, self.matrix[3, 1] - nearness * up, depth], 1)


class BoundingBox(NamedTuple):
    """A box from 0 to `ends` (time in us, x, y), and the `size` (width, height) of the picture that it must fit from all sides."""

    ends: tuple[float, float, float]
    size: tuple[int, int]

    @classmethod
    def of(cls, span: Span, size: tuple[int, int]) -> BoundingBox:
        """The box of a recording: its duration by its sensor."""
        width, height = span.sensor
        return cls((float(max(1, span.duration_us)), float(width), float(height)), size)

    @property
    def corners(self) -> np.ndarray:
        """float64 (8, 3): (time in us, x, y) of each corner."""
        return np.array(list(product(*((0.0, end) for end in self.ends))))

    def projection(self, turn: float, still: bool) -> Projection:
        """The box after a fraction `turn` of a whole turn about the vertical axis.

        It fills the picture if `still`; otherwise its scale is the same for every turn, for a film.
        """
        matrix = self._turned(EYE_TURN + 2 * np.pi * turn)
        angles = [2 * np.pi * turn] if still else np.linspace(0, 2 * np.pi, 24, endpoint=False)
        corners = [
            Projection(self._turned(EYE_TURN + angle)).project(self.corners)[:, :2] for angle in angles
        ]
        low, high = np.min(corners, (0, 1)), np.max(corners, (0, 1))
        available = np.array(self.size) - 2 * np.array(MARGIN)
        scale = float((available / (high - low)).min())
        matrix[:2] *= scale
        matrix[3, :2] = np.array(self.size) / 2 - scale * (low + high) / 2
        return Projection(matrix)

    def _turned(self, angle: float) -> np.ndarray:
        """The matrix (4, 4) of unit scale; depth is relative to the eye's distance, so that 1 / (1 + depth) is the perspective."""
        time, width, height = self.ends
        longer = max(width, height)
        # (time, x, y, 1) to a box about the origin: along time, along x, upwards.
        centring = np.array(
            [
                [TIME_LENGTH / time, 0, 0, -TIME_LENGTH / 2],
                [0, 1 / longer, 0, -width / longer / 2],
                [0, 0, -1 / longer, height / longer / 2],
            ]
        )
        turn = np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        tilt = np.array(
            [[1, 0, 0], [0, np.sin(EYE_DOWN), np.cos(EYE_DOWN)], [0, np.cos(EYE_DOWN), -np.sin(EYE_DOWN)]]
        )
        matrix = np.zeros((4, 4))
        matrix[:3] = tilt @ turn @ centring
        matrix[2] /= EYE_DISTANCE
        return matrix


def draw_box(draw: ImageDraw.ImageDraw, box: BoundingBox, projection: Projection, theme: Theme) -> None:
    """Draw the twelve edges, and a scale with ticks along the outermost edge of each axis."""
    corners = box.corners
    projected = projection.project(corners)
    pairs = [(i, j) for i in range(8) for j in range(i) if np.count_nonzero(corners[i] != corners[j]) == 1]
    for i, j in pairs:
        draw.line((*projected[i, :2], *projected[j, :2]), fill=theme.line, width=1)
    centre = projected[:, :2].mean(0)
    for axis in range(3):
        parallel = [(i, j) for i, j in pairs if corners[i, axis] != corners[j, axis]]
        middles = np.array([projected[list(pair), :2].mean(0) for pair in parallel])
        # The lowest edge for time and x; for y, the one farthest out.
        outermost = np.argmax(np.abs(middles[:, 0] - centre[0]) if axis == 2 else middles[:, 1])
        edge = corners[list(parallel[int(outermost)])]
        _draw_scale(draw, box, projection, axis, edge, centre, theme)


def _draw_scale(
    draw: ImageDraw.ImageDraw,
    box: BoundingBox,
    projection: Projection,
    axis: int,
    edge: np.ndarray,
    centre: np.ndarray,
    theme: Theme,
) -> None:
    """Draw ticks, numbers and name of an axis along an `edge` (2, 3) of the box, whose centre in the picture is `centre` (2,)."""
    end = box.ends[axis]
    divisor, unit = time_unit(end) if axis == 0 else (1, "xy"[axis - 1])
    ends = projection.project(edge)[:, :2]
    edge_length = float(np.hypot(*(ends[1] - ends[0])))
    step = tick_distance(end / divisor, max(1, min(6, int(edge_length / 56))))
    outward = _outward(ends, centre, axis)
    ticks = np.arange(0, int(end / divisor / step + 1e-9) + 1) * step
    points = np.repeat(edge[:1], len(ticks), 0)
    points[:, axis] = ticks * divisor
    labels = [f"{tick:,.6g}" for tick in ticks]
    name = f"time, {unit}" if axis == 0 else unit
    for (right, down, _), label in zip(projection.project(points), labels, strict=True):
        tick = np.array([right, down])
        draw.line((*tick, *(tick + 4 * outward)), fill=theme.soft)
        distance = 12 + abs(outward[0]) * width_of(label, SMALL) / 2
        draw_text(draw, tuple(tick + distance * outward), label, SMALL, theme.soft, "mm")
    widest = max(width_of(label, SMALL) for label in labels)
    distance = 32 + abs(outward[0]) * (widest + width_of(name, SMALL) / 2)
    draw_text(draw, tuple(ends.mean(0) + distance * outward), name, SMALL, theme.ink, "mm")


def _outward(ends: np.ndarray, centre: np.ndarray, axis: int) -> np.ndarray:
    """float64 (2,): the direction of length 1 from a projected edge, `ends` (2, 2), away from the box."""
    outward = ends.mean(0) - centre
    if axis != 2:  # at right angles to the edge
        across = np.array([ends[1][1] - ends[0][1], ends[0][0] - ends[1][0]])
        outward = across * np.sign(across @ outward)
    else:
        outward = np.array([np.sign(outward[0]), 0.0])
    unit: np.ndarray = outward / max(float(np.hypot(*outward)), 1e-9)
    return unit
