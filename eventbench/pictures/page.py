"""The page around panels: a title and facts, a legend, captions, and the recording's activity along the bottom."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from eventbench.events import Events
from eventbench.pictures.lettering import BODY, SMALL, TITLE, fitted, length, width_of, write
from eventbench.pictures.palette import Theme
from eventbench.pictures.timeline import HEIGHT, Timeline
from eventbench.pictures.views import Views

MARGIN, GAP, CAPTION = 24, 12, 20
HEAD = 62
NARROWEST = 560


class Story(NamedTuple):
    """What stands above the panels: the recording's name and what its events come to."""

    title: str
    facts: str

    @classmethod
    def of(cls, title: str, events: Events) -> Story:
        width, height = events.sensor
        on = int(np.count_nonzero(events.p))
        lasts = length(events.duration_us)
        return cls(
            title, f"{len(events):,} events in {lasts}, {on / len(events):.0%} ON, on {width}x{height}"
        )


class Page:
    """Room for `rows` x `columns` panels; what does not change from one film frame to the next is drawn once."""

    def __init__(
        self, story: Story, views: Views, events: Events, theme: Theme, columns: int, rows: int
    ) -> None:
        self.views, self.theme, self.columns, self.rows = views, theme, columns, rows
        wide, high = views.size
        grid = columns * wide + (columns - 1) * GAP
        self.width = max(NARROWEST, grid + 2 * MARGIN)
        self.left = (self.width - grid) // 2
        self.captioned = any(views.captions)
        self.below = CAPTION if self.captioned else 4
        end = HEAD + rows * (high + self.below) + (rows - 1) * GAP
        self.strip_at = end + 16
        # Video is coded in blocks of two by two pixels.
        self.width += self.width % 2
        self.height = self.strip_at + HEIGHT + 14
        self.height += self.height % 2
        self.timeline = Timeline(events, self.width - 2 * MARGIN, theme)
        self.base = self._base(story)

    def _base(self, story: Story) -> Image.Image:
        theme = self.theme
        image = Image.new("RGB", (self.width, self.height), theme.page)
        draw = ImageDraw.Draw(image)
        right = self.width - MARGIN
        for word, hues in (("OFF", theme.off), ("ON", theme.on)):
            right -= width_of(word, BODY)
            write(draw, (right, 16), word, BODY, theme.ink)
            draw.rounded_rectangle((right - 18, 18, right - 6, 30), 3, fill=hues[0])
            right -= 36
        write(draw, (MARGIN, 11), fitted(story.title, TITLE, right - MARGIN), TITLE, theme.ink)
        room = self.width - 2 * MARGIN
        facts = story.facts
        told = f"{facts}; {self.views.note}" if self.views.note else facts
        write(
            draw,
            (MARGIN, 37),
            fitted(told if width_of(told, SMALL) <= room else facts, SMALL, room),
            SMALL,
            theme.soft,
        )
        image.paste(self.timeline.base, (MARGIN, self.strip_at))
        return image

    def place(self, k: int) -> tuple[int, int]:
        """The upper left corner of panel number k of the page."""
        row, column = divmod(k, self.columns)
        wide, high = self.views.size
        return self.left + column * (wide + GAP), HEAD + row * (high + self.below + GAP)

    def put(self, image: Image.Image, k: int, panel: np.ndarray, caption: str) -> None:
        x, y = self.place(k)
        image.paste(Image.fromarray(panel), (x, y))
        if caption:
            write(
                ImageDraw.Draw(image), (x, y + panel.shape[0] + 5), fitted(caption, SMALL, panel.shape[1]),
                SMALL, self.theme.soft,
            )  # fmt: skip

    def sheet(self) -> Image.Image:
        """All panels on one page."""
        image = self.base.copy()
        for k, caption in enumerate(self.views.captions):
            self.put(image, k, self.views.draw(k), caption)
        return image

    def film_frame(self, k: int, said: str) -> np.ndarray:
        """uint8 (height, width, 3): panel k alone, its time marked below, its caption followed by what is `said`."""
        image = self.base.copy()
        caption = self.views.captions[k]
        self.put(image, 0, self.views.draw(k), ", ".join(part for part in (caption, said) if part))
        if self.views.spans is not None:
            image.paste(self.timeline.shown(self.views.spans[k]), (MARGIN, self.strip_at))
        return np.asarray(image)


def columns_for(panels: int, size: tuple[int, int]) -> int:
    """The number of columns that makes a sheet about 1.6 times as wide as high and leaves few places empty."""

    def badness(columns: int) -> float:
        rows = -(-panels // columns)
        shape = columns * (size[0] + GAP) / (rows * (size[1] + CAPTION + GAP))
        return abs(np.log(shape / 1.6)) + 1.5 * (rows * columns - panels) / panels

    return min(range(1, panels + 1), key=badness)
