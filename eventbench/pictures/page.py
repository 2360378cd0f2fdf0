"""`Page`: the page around the panels, with title, facts, legend, captions, and a timeline at the bottom."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from eventbench.files.progress import Progress, no_progress
from eventbench.pictures.lettering import BODY, SMALL, TITLE, draw_text, format_duration, shortened, width_of
from eventbench.pictures.palette import Theme
from eventbench.pictures.panels import Panels
from eventbench.pictures.span import Span
from eventbench.pictures.timeline import HEIGHT, Timeline

MARGIN, GAP, CAPTION_HEIGHT = 24, 12, 20
HEADING_HEIGHT = 62
MIN_WIDTH = 560


class Heading(NamedTuple):
    """The text above the panels: the name of the recording and a few numbers about it."""

    title: str
    facts: str

    @classmethod
    def of(cls, title: str, span: Span, on: int) -> Heading:
        """The heading of a recording of which so many events are ON."""
        width, height = span.sensor
        facts = f"{len(span):,} events in {format_duration(span.duration_us)}"
        facts += f" from {format_duration(span.after_us)} on" if span.after_us else ""
        return cls(title, f"{facts}, {on / len(span):.0%} ON, on {width}x{height}")


class Page:
    """A page for all panels in so many columns, None for one panel a page; what all pages of a film share is drawn once."""

    def __init__(
        self,
        title: str,
        panels: Panels,
        span: Span,
        theme: Theme,
        columns: int | None = None,
        progress: Progress = no_progress,
    ) -> None:
        self.panels, self.theme, self.columns = panels, theme, columns or 1
        rows = -(-len(panels.captions) // columns) if columns else 1
        panel_width, panel_height = panels.size
        grid = self.columns * panel_width + (self.columns - 1) * GAP
        self.width = max(MIN_WIDTH, grid + 2 * MARGIN)
        self.left = (self.width - grid) // 2
        self.captioned = any(panels.captions)
        self.below = CAPTION_HEIGHT if self.captioned else 4
        end = HEADING_HEIGHT + rows * (panel_height + self.below) + (rows - 1) * GAP
        self.timeline_top = end + 16
        # Video encoders need even sizes.
        self.width += self.width % 2
        self.height = self.timeline_top + HEIGHT + 14
        self.height += self.height % 2
        self.timeline = Timeline(span, self.width - 2 * MARGIN, theme, progress)
        self.base = self._base(Heading.of(title, span, self.timeline.on))

    def _base(self, heading: Heading) -> Image.Image:
        """The page without panels."""
        theme = self.theme
        image = Image.new("RGB", (self.width, self.height), theme.page)
        draw = ImageDraw.Draw(image)
        right = self.width - MARGIN
        for word, hues in (("OFF", theme.off), ("ON", theme.on)):
            right -= width_of(word, BODY)
            draw_text(draw, (right, 16), word, BODY, theme.ink)
            draw.rounded_rectangle((right - 18, 18, right - 6, 30), 3, fill=hues[0])
            right -= 36
        draw_text(draw, (MARGIN, 11), shortened(heading.title, TITLE, right - MARGIN), TITLE, theme.ink)
        text_width = self.width - 2 * MARGIN
        facts = heading.facts
        with_note = f"{facts}; {self.panels.note}" if self.panels.note else facts
        line = with_note if width_of(with_note, SMALL) <= text_width else facts
        draw_text(draw, (MARGIN, 37), shortened(line, SMALL, text_width), SMALL, theme.soft)
        image.paste(self.timeline.base, (MARGIN, self.timeline_top))
        return image

    def panel_corner(self, k: int) -> tuple[int, int]:
        """The upper left corner of panel number k on the page."""
        row, column = divmod(k, self.columns)
        panel_width, panel_height = self.panels.size
        return self.left + column * (panel_width + GAP), HEADING_HEIGHT + row * (
            panel_height + self.below + GAP
        )

    def paste_panel(self, image: Image.Image, k: int, panel: np.ndarray, caption: str) -> None:
        """Paste a panel, uint8 (height, width, 3), at position k on the page, with its caption below."""
        x, y = self.panel_corner(k)
        image.paste(Image.fromarray(panel), (x, y))
        if caption:
            draw_text(
                ImageDraw.Draw(image), (x, y + panel.shape[0] + 5), shortened(caption, SMALL, panel.shape[1]),
                SMALL, self.theme.soft,
            )  # fmt: skip

    def sheet(self, progress: Progress = no_progress) -> Image.Image:
        """All panels on one page."""
        image, captions = self.base.copy(), self.panels.captions
        for k, caption in progress(enumerate(captions), of="drawn", unit="panel", total=len(captions)):
            self.paste_panel(image, k, self.panels.draw(k), caption)
        return image

    def film_page(self, k: int, note: str) -> np.ndarray:
        """uint8 (height, width, 3): panel k alone, its time marked in the timeline, `note` after its caption."""
        image = self.base.copy()
        caption = self.panels.captions[k]
        self.paste_panel(image, 0, self.panels.draw(k), ", ".join(filter(None, (caption, note))))
        if self.panels.spans is not None:
            image.paste(self.timeline.marked(self.panels.spans[k]), (MARGIN, self.timeline_top))
        return np.asarray(image)


def columns_for(panels: int, size: tuple[int, int]) -> int:
    """The number of columns for a sheet that is about 1.6 times as wide as high and has few empty positions."""

    def badness(columns: int) -> float:
        rows = -(-panels // columns)
        aspect_ratio = columns * (size[0] + GAP) / (rows * (size[1] + CAPTION_HEIGHT + GAP))
        return abs(math.log(aspect_ratio / 1.6)) + 1.5 * (rows * columns - panels) / panels

    return min(range(1, panels + 1), key=badness)
