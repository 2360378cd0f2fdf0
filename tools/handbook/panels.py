"""Draw an array (T, C, H, W) as rows of panels: OFF in cold and ON in warm colours, one scale for each row."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from eventbench.pictures.lettering import BODY, SMALL, draw_text, shortened
from eventbench.pictures.palette import THEMES, shade
from eventbench.representations.base import PictureRow

THEME = THEMES["dark"]
PAGE_WIDTH, MARGIN, GAP, HEAD, FOOT = 1112, 16, 8, 24, 26  # pixels
MAX_PANEL_SIZE = 256  # pixels
FAINTEST = 0.3  # level of the smallest value, so that it can be seen; the largest has 1

Panel = tuple[np.ndarray, np.ndarray, str]  # level (H, W) and share of ON (H, W), both 0 to 1, and a caption


def rows_of(array: np.ndarray, row: PictureRow) -> list[list[Panel]]:
    """The panels of one array, a list for each line of the picture.

    One channel: a panel for each step, ON where it is positive and OFF where it is negative. Two channels: a panel for each
    step, or two if `row.separate`. More: a line with the channels of OFF and one with those of ON, as representations
    stack them.
    """
    steps, channels = array.shape[:2]
    if channels == 1:
        levels = level(np.abs(array), row)
        return [[(levels[t, 0], array[t, 0] > 0, caption(row, t)) for t in range(steps)]]
    levels = level(array, row)
    if channels == 2 and row.separate:
        return [
            [
                (levels[t, c], np.full(array.shape[2:], c), ("OFF", "ON")[c])
                for t in range(steps)
                for c in (0, 1)
            ]
        ]
    if channels == 2:
        return [
            [(levels[t].max(0), share_of_on(levels[t]), caption(row, t)) for t in range(steps)],
        ]
    half = channels // 2
    return [
        [
            (levels[t, p * half + k], np.full(array.shape[2:], p), f"{polarity}, {caption(row, k)}")
            for t in range(steps)
            for k in range(half)
        ]
        for p, polarity in enumerate(("OFF", "ON"))
    ]


def caption(row: PictureRow, number: int) -> str:
    """The text below a panel."""
    return row.caption.format(number, number + 1) if row.caption else ""


def share_of_on(levels: np.ndarray) -> np.ndarray:
    """The share of ON in the colour of each pixel, float (H, W), from levels (P, H, W)."""
    share: np.ndarray = levels[1] / np.maximum(levels.sum(0), 1e-9)
    return share


def level(array: np.ndarray, row: PictureRow) -> np.ndarray:
    """The brightness of each value, 0 to 1.

    For the scale "count" it grows with the logarithm, and is 1 from the 99.5 % quantile of the positive values on.
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
    logarithm = np.minimum(np.log1p(9 * values / top) / np.log(10), 1)
    return np.where(values > 0, FAINTEST + (1 - FAINTEST) * logarithm, 0)


def page(lines: list[tuple[str, list[Panel]]]) -> Image.Image:
    """A picture of lines of panels, each below its title ("" for a line that belongs to the one above)."""
    sizes = [_size(panels) for _, panels in lines]
    heights = [
        (HEAD if title else 0) + size[1] + (FOOT if any(c for *_, c in panels) else GAP)
        for (title, panels), size in zip(lines, sizes, strict=True)
    ]
    content_width = max(
        len(panels) * (width + GAP) - GAP for (_, panels), (width, _) in zip(lines, sizes, strict=True)
    )
    image = Image.new("RGB", (content_width + 2 * MARGIN, sum(heights) + MARGIN), THEME.page)
    draw, top = ImageDraw.Draw(image), MARGIN // 2
    for (title, panels), (width, height), line_height in zip(lines, sizes, heights, strict=True):
        y = top
        if title:
            draw_text(draw, (MARGIN, top), shortened(title, BODY, content_width), BODY, THEME.ink)
            y += HEAD
        for index, (levels, share, text) in enumerate(panels):
            x = MARGIN + index * (width + GAP)
            panel = Image.fromarray(shade(levels, np.asarray(share, np.float64), THEME))
            image.paste(panel.resize((width, height), Image.Resampling.NEAREST), (x, y))
            draw_text(draw, (x, y + height + 3), shortened(text, SMALL, width), SMALL, THEME.soft)
        top += line_height
    return image


def _size(panels: list[Panel]) -> tuple[int, int]:
    """(width, height) of the panels of one line: enlarged by the largest whole factor that fits."""
    height, width = panels[0][0].shape
    available = min(MAX_PANEL_SIZE, (PAGE_WIDTH - 2 * MARGIN - (len(panels) - 1) * GAP) // len(panels))
    factor = max(1, available // max(width, height))
    return width * factor, height * factor
