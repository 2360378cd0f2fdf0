"""`Timeline`: the strip under a picture with the numbers of events over time, ON above and OFF below a line."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageDraw

from eventbench.files.progress import Progress, no_progress
from eventbench.pictures.lettering import SMALL, draw_text, tick_distance, time_unit, width_of
from eventbench.pictures.palette import RGB, Theme
from eventbench.pictures.span import Span

HEIGHT = 78
_BAR, _GAP = 3, 1
_HALF = 26  # height of the ON or of the OFF bars


class Timeline:
    """`base` is the timeline without a mark; `marked` draws it with an interval marked; `on` is how many events are ON."""

    def __init__(self, span: Span, width: int, theme: Theme, progress: Progress = no_progress) -> None:
        self.theme, self.width = theme, width
        self.span = float(span.duration_us + 1)
        bars = max(1, width // (_BAR + _GAP))
        by_polarity = np.zeros((bars, 2), np.int64)
        for events in span.all(progress):
            bar_of = np.minimum((events.t - span.first_us) * (bars / self.span), bars - 1).astype(np.int64)
            by_polarity += np.bincount(bar_of * 2 + events.p, minlength=2 * bars).reshape(bars, 2)
        self.on = int(by_polarity[:, 1].sum())
        self.heights = np.ceil(_HALF * by_polarity / max(1, by_polarity.max())).astype(int)
        self._dimmed = self._drawn(0.45)
        self.base = self._drawn(1)

    def marked(self, interval: tuple[float, float]) -> Image.Image:
        """The timeline with `interval` (start, end) marked, in us from the first event."""
        image = self._dimmed.copy()
        draw = ImageDraw.Draw(image)
        left, right = (self.width * edge / self.span for edge in interval)
        right = max(right, left + 2)
        draw.rectangle((left, 0, right - 1, 2 * _HALF + 2), fill=self.theme.line)
        step = _BAR + _GAP
        inside = range(max(0, int(left - _BAR) // step), min(len(self.heights), int(right) // step + 1))
        self._bars(draw, [k for k in inside if k * step + _BAR > left and k * step < right], 1)
        return image

    def _drawn(self, strength: float) -> Image.Image:
        image = Image.new("RGB", (self.width, HEIGHT), self.theme.page)
        draw = ImageDraw.Draw(image)
        self._bars(draw, range(len(self.heights)), strength)
        self._scale(draw)
        return image

    def _bars(self, draw: ImageDraw.ImageDraw, numbers: Iterable[int], strength: float) -> None:
        """Draw bars, and the line between ON and OFF."""
        theme, middle = self.theme, _HALF + 1
        on_colour, off_colour = (_mixed(theme.page, hues[0], strength) for hues in (theme.on, theme.off))
        for k in numbers:
            x = k * (_BAR + _GAP)
            off, on = self.heights[k]
            for height, colour, sign in ((on, on_colour, -1), (off, off_colour, 1)):
                if height:
                    ends = sorted((middle + sign, middle + sign * int(height)))
                    draw.rectangle((x, ends[0], x + _BAR - 1, ends[1]), fill=colour)
        draw.line((0, middle, self.width, middle), fill=theme.line)

    def _scale(self, draw: ImageDraw.ImageDraw) -> None:
        divisor, unit = time_unit(self.span)
        step = tick_distance(self.span / divisor, max(2, min(10, self.width // 70)))
        y, k = 2 * _HALF + 6, 0
        while k * step * divisor <= self.span:
            x = self.width * k * step * divisor / self.span
            text = f"{k * step:,.6g}" + (f" {unit}" if k == 0 else "")
            half_width = width_of(text, SMALL) / 2
            draw.line((x, y - 3, x, y), fill=self.theme.soft)
            draw_text(
                draw,
                (min(max(x, half_width), self.width - half_width), y + 3),
                text,
                SMALL,
                self.theme.soft,
                "ma",
            )
            k += 1


def _mixed(a: RGB, b: RGB, share: float) -> RGB:
    """The mixture of `a` and `b` with a `share` of `b`."""
    red, green, blue = (round(p + (q - p) * share) for p, q in zip(a, b, strict=True))
    return red, green, blue
