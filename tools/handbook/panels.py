"""An array (T, C, H, W) as rows of panels: OFF cold and ON warm, one scale for all of a row."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from eventbench.pictures.lettering import BODY, SMALL, fitted, write
from eventbench.pictures.palette import THEMES, shade
from eventbench.representations.base import PictureRow

THEME = THEMES["dark"]
WIDE, MARGIN, GAP, HEAD, FOOT = 1112, 16, 8, 24, 26
LARGEST = 256
FAINTEST = 0.3  # what the least value is of the strongest: it has to be seen

Panel = tuple[np.ndarray, np.ndarray, str]  # level (H, W) and share of ON (H, W), both 0 to 1, and a caption


def rows_of(array: np.ndarray, row: PictureRow) -> list[list[Panel]]:
    """The panels of one array, a list a line of the picture.

    Two channels share a panel a step; one channel is ON where it is positive and OFF where it is negative; of more, a
    line holds those of OFF and the next those of ON, as representations stack them.
    """
    steps, channels = array.shape[:2]
    if channels == 1:
        strong = level(np.abs(array), row)
        return [[(strong[t, 0], array[t, 0] > 0, caption(row, t)) for t in range(steps)]]
    strong = level(array, row)
    if channels == 2 and row.separate:
        return [
            [
                (strong[t, c], np.full(array.shape[2:], c), ("OFF", "ON")[c])
                for t in range(steps)
                for c in (0, 1)
            ]
        ]
    if channels == 2:
        return [
            [(strong[t].max(0), share_of_on(strong[t]), caption(row, t)) for t in range(steps)],
        ]
    half = channels // 2
    return [
        [
            (strong[t, p * half + k], np.full(array.shape[2:], p), f"{word}, {caption(row, k)}")
            for t in range(steps)
            for k in range(half)
        ]
        for p, word in enumerate(("OFF", "ON"))
    ]


def caption(row: PictureRow, number: int) -> str:
    """What is written below a panel."""
    return row.caption.format(number, number + 1) if row.caption else ""


def share_of_on(strong: np.ndarray) -> np.ndarray:
    """float (H, W): how much of a pixel's colour is ON's, of levels (P, H, W)."""
    share: np.ndarray = strong[1] / np.maximum(strong.sum(0), 1e-9)
    return share


def level(array: np.ndarray, row: PictureRow) -> np.ndarray:
    """How strong each value is drawn, 0 to 1.

    Of scale "count" it grows with the logarithm, up to what one positive value in two hundred exceeds.
    """
    values = array.astype(np.float64)
    if row.invert:
        values = values.max() - values
        values /= max(float(values.max()), 1e-9)
    if row.scale == "unit":
        return np.clip(values, 0, 1)
    positive = values[values > 0]
    if not positive.size:
        return np.zeros_like(values)
    top = max(float(np.quantile(positive, 0.995, method="higher")), 1e-9)
    grown = np.minimum(np.log1p(9 * values / top) / np.log(10), 1)
    return np.where(values > 0, FAINTEST + (1 - FAINTEST) * grown, 0)


def page(lines: list[tuple[str, list[Panel]]]) -> Image.Image:
    """The lines of panels below one another, each below its title ("" for a line that goes with the one above)."""
    sizes = [_size(panels) for _, panels in lines]
    heights = [
        (HEAD if title else 0) + size[1] + (FOOT if any(c for *_, c in panels) else GAP)
        for (title, panels), size in zip(lines, sizes, strict=True)
    ]
    across = max(len(panels) * (wide + GAP) for (_, panels), (wide, _) in zip(lines, sizes, strict=True))
    image = Image.new("RGB", (across - GAP + 2 * MARGIN, sum(heights) + MARGIN), THEME.page)
    draw, top = ImageDraw.Draw(image), MARGIN // 2
    for (title, panels), (wide, high), height in zip(lines, sizes, heights, strict=True):
        at = top
        if title:
            write(draw, (MARGIN, top), fitted(title, BODY, across - GAP), BODY, THEME.ink)
            at += HEAD
        for k, (strong, share, words) in enumerate(panels):
            x = MARGIN + k * (wide + GAP)
            drawn = Image.fromarray(shade(strong, np.asarray(share, np.float64), THEME))
            image.paste(drawn.resize((wide, high), Image.Resampling.NEAREST), (x, at))
            write(draw, (x, at + high + 3), fitted(words, SMALL, wide), SMALL, THEME.soft)
        top += height
    return image


def _size(panels: list[Panel]) -> tuple[int, int]:
    """(width, height) in which panels of one line are drawn: enlarged by the largest whole number that fits."""
    height, width = panels[0][0].shape
    room = min(LARGEST, (WIDE - 2 * MARGIN - (len(panels) - 1) * GAP) // len(panels))
    times = max(1, room // max(width, height))
    return width * times, height * times
