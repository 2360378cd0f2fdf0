"""A picture of each representation, drawn from one simulated recording."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from eventbench import registry
from eventbench.events import Events
from eventbench.representations.base import PictureRow, Representation
from eventbench.representations.frames import Frames
from eventbench.specs import catalog
from eventbench.steps.crop_time import CropTime
from tools.handbook.panels import page, rows_of

CARD, RECORDING = "sim_gesture", "train/s009-right_counter_clockwise-1"
CROP = CropTime(start_us=100_000, duration_us=400_000)
MAX_BYTES = 40_000
ALL_EVENTS = PictureRow(title="", caption="all events")


@cache
def recording() -> Events:
    """The events that every picture shows: 0.4 s of a person's right arm circling counter-clockwise, 64 x 64 pixels."""
    card = catalog.card(CARD)
    source = registry.sources.build(card.spec.source, where=card.path.name)
    return CROP.apply(source.read(RECORDING, card.spec.sensor))


def draw_picture(name: str, rows: tuple[PictureRow, ...]) -> Image.Image:
    """The picture of a representation, with few enough colours for a small file."""
    events, lines = recording(), []
    for row in rows:
        table = {"name": name, **row.parameters}
        representation: Representation = registry.representations.build(table, where=f"picture of {name}")
        array, _ = representation.apply(events)
        first_line, *further_lines = rows_of(array, row)
        if row.all_events:
            counts, _ = Frames(bins=1, dtype="uint16").apply(events)
            first_line = [*rows_of(counts, ALL_EVENTS)[0], *first_line]
        lines += [(row.title, first_line), *(("", panels) for panels in further_lines)]
    return page(lines).quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def is_same_picture(path: Path, image: Image.Image) -> bool:
    """Whether the file shows the image; colours may be rounded differently, as by another release of Pillow."""
    if not path.is_file():
        return False
    with Image.open(path) as committed:
        if committed.size != image.size:
            return False
        committed_pixels, pixels = (
            np.asarray(picture.convert("RGB"), np.int16) for picture in (committed, image)
        )
    return float((np.abs(committed_pixels - pixels).max(-1) > 24).mean()) < 0.0005
