"""The colours of pictures: ON warm, OFF cold, which are distinguishable with colour blindness too."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

RGB = tuple[int, int, int]


class Theme(NamedTuple):
    """A set of colours; `on` and `off` are ramps from `panel` through a hue to the colour of the strongest activity."""

    page: RGB
    panel: RGB
    line: RGB
    soft: RGB
    ink: RGB
    on: tuple[RGB, RGB]
    off: tuple[RGB, RGB]


THEMES = {
    "dark": Theme(
        page=(13, 15, 19),
        panel=(22, 25, 31),
        line=(52, 57, 66),
        soft=(150, 157, 167),
        ink=(232, 232, 226),
        on=((255, 150, 40), (255, 236, 190)),
        off=((50, 130, 240), (190, 232, 255)),
    ),
    "light": Theme(
        page=(255, 255, 255),
        panel=(247, 247, 244),
        line=(212, 213, 208),
        soft=(98, 103, 109),
        ink=(29, 31, 33),
        on=((226, 96, 10), (140, 36, 0)),
        off=((36, 112, 200), (6, 44, 112)),
    ),
}

_HUE_AT = 0.6  # the position of the hue in a ramp


def ramp(theme: Theme, hues: tuple[RGB, RGB]) -> np.ndarray:
    """float32 (256, 3): from the panel's colour through the hue to the strongest."""
    positions = np.linspace(0, 1, 256)
    stops = np.array([theme.panel, *hues], np.float64)
    return np.stack([np.interp(positions, [0, _HUE_AT, 1], stops[:, c]) for c in range(3)], 1).astype(
        np.float32
    )


def shade(level: np.ndarray, on_share: np.ndarray, theme: Theme) -> np.ndarray:
    """Colours, uint8 (..., 3), of pixels with strength `level` (...) and share of ON events `on_share` (...), both in [0, 1]."""
    colours = np.empty((*level.shape, 3), np.uint8)
    flat = np.ascontiguousarray(level, np.float64).ravel(), np.ascontiguousarray(on_share, np.float32).ravel()
    _mix(*flat, ramp(theme, theme.on), ramp(theme, theme.off), colours.reshape(-1, 3))
    return colours


@njit(cache=True, nogil=True)
def _mix(level, on_share, on, off, colours):  # type: ignore[no-untyped-def]
    """Fill colours, uint8 (pixels, 3), from strengths and shares of ON, (pixels,), and the two ramps."""
    for i in range(level.shape[0]):
        k = np.int64(min(max(level[i] * 255 + 0.5, 0.0), 255.0))
        for c in range(3):
            mixed = off[k, c] + (on[k, c] - off[k, c]) * on_share[i]
            colours[i, c] = np.uint8(mixed + np.float32(0.5))


def gif_palette(theme: Theme) -> np.ndarray:
    """uint8 (256, 3): the 256 colours of a GIF in this theme."""
    ramps = []
    for on_share, n in ((1.0, 72), (0.0, 72), (0.25, 18), (0.5, 20), (0.75, 18)):
        level = np.linspace(0, 1, n)[None]
        ramps.append(shade(level, np.full(level.shape, on_share), theme)[0])
    lines = [(theme.page, theme.ink, 20), (theme.page, theme.soft, 12), (theme.panel, theme.line, 4)]
    dimmed = [(theme.page, theme.on[0], 10), (theme.page, theme.off[0], 10)]
    for a, b, n in lines + dimmed:
        ramps.append(np.linspace(a, b, n).round().astype(np.uint8))
    return np.concatenate(ramps)
