"""The renderer: log intensity of capsules over a textured background, blended in linear intensity."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from eventbench.simulate.arithmetic import log
from eventbench.simulate.random import uniform

_EDGE = 1.0  # width in pixels of the soft edge of a part


@njit(cache=True, nogil=True)
def background(key, height, width, level, contrast, grain):  # type: ignore[no-untyped-def]
    """A background's reflectance, float64 (height, width): value noise of three octaves.

    `level` is its mean, `contrast` the largest deviation relative to the mean, `grain` the coarsest cell in
    pixels; each further octave has half the cell size and half the strength.
    """
    picture = np.full((height, width), 0.0)
    strength, total = 1.0, 0.0
    for octave in range(3):
        for y in range(height):
            row = y / grain
            top = math.floor(row)
            down = _smooth(row - top)
            for x in range(width):
                column = x / grain
                side = math.floor(column)
                across = _smooth(column - side)
                corner = (octave * 4096 + int(top)) * 4096 + int(side)
                upper = _interpolated(uniform(key, corner), uniform(key, corner + 1), across)
                lower = _interpolated(uniform(key, corner + 4096), uniform(key, corner + 4097), across)
                picture[y, x] += strength * (_interpolated(upper, lower, down) - 0.5)
        total += 0.5 * strength
        strength *= 0.5
        grain *= 0.5
    for y in range(height):
        for x in range(width):
            picture[y, x] = level * (1.0 + contrast * picture[y, x] / total)
    return picture


@njit(cache=True, nogil=True)
def _smooth(fraction):  # type: ignore[no-untyped-def]
    return fraction * fraction * (3.0 - 2.0 * fraction)


@njit(cache=True, nogil=True)
def _interpolated(first, second, fraction):  # type: ignore[no-untyped-def]
    return first + (second - first) * fraction


@njit(cache=True, nogil=True)
def render(parts, picture, light, dark):  # type: ignore[no-untyped-def]
    """Log intensity, float64 (frames, height, width), of capsules over a background.

    `parts` is (frames, parts, 6) as `figure.capsules` makes them, `picture` the background's reflectance
    (height, width), `light` the illumination (height, width), `dark` the intensity of a pixel without light.
    Pixel (x, y) is the point (x, y); how far a part covers it depends on the distance from the part's edge.
    """
    frames = len(parts)
    height, width = picture.shape
    without_parts = np.empty((height, width))
    for y in range(height):
        for x in range(width):
            without_parts[y, x] = log(light[y, x] * picture[y, x] + dark)
    log_frames = np.empty((frames, height, width))
    reflectances = picture.copy()
    touched = np.zeros((height, width), np.bool_)
    for frame in range(frames):
        log_frames[frame] = without_parts
        for part in range(parts.shape[1]):
            _draw(parts[frame, part], reflectances, touched)
        for y in range(height):
            for x in range(width):
                if touched[y, x]:
                    log_frames[frame, y, x] = log(light[y, x] * reflectances[y, x] + dark)
                    reflectances[y, x] = picture[y, x]
                    touched[y, x] = False
    return log_frames


@njit(cache=True, nogil=True)
def _draw(part, reflectances, touched):  # type: ignore[no-untyped-def]
    """Draw one capsule over `reflectances` (height, width), and mark the pixels it changes in `touched`."""
    height, width = reflectances.shape
    x0, y0, x1, y1, radius, reflectance = part
    margin = radius + _EDGE
    left, right = math.floor(min(x0, x1) - margin), math.ceil(max(x0, x1) + margin)
    top, bottom = math.floor(min(y0, y1) - margin), math.ceil(max(y0, y1) + margin)
    left, right = max(left, 0), min(right, width - 1)
    top, bottom = max(top, 0), min(bottom, height - 1)
    dx, dy = x1 - x0, y1 - y0
    length = dx * dx + dy * dy
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            along = 0.0
            if length > 0.0:
                along = min(max(((x - x0) * dx + (y - y0) * dy) / length, 0.0), 1.0)
            off_x, off_y = x - x0 - along * dx, y - y0 - along * dy
            distance = math.sqrt(off_x * off_x + off_y * off_y)
            cover = min(max((radius - distance) / _EDGE + 0.5, 0.0), 1.0)
            if cover > 0.0:
                reflectances[y, x] = reflectances[y, x] * (1.0 - cover) + reflectance * cover
                touched[y, x] = True
