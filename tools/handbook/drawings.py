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
PART = CropTime(start_us=100_000, duration_us=400_000)
MOST_BYTES = 40_000
ALL_EVENTS = PictureRow(title="", caption="all events")


@cache
def recording() -> Events:
    """What every picture shows: 0.4 s of one person's right arm circling counter-clockwise, on 64 x 64 pixels."""
    card = catalog.card(CARD)
    source = registry.sources.build(card.spec.source, where=card.path.name)
    return PART.apply(source.read(RECORDING, card.spec.sensor))


def picture(name: str, rows: tuple[PictureRow, ...]) -> Image.Image:
    """The rows of a representation's picture, with no more colours than a small file can hold."""
    events, lines = recording(), []
    for row in rows:
        table = {"name": name, **row.parameters}
        representation: Representation = registry.representations.build(table, where=f"picture of {name}")
        array, _ = representation.apply(events)
        first, *more = rows_of(array, row)
        if row.all_events:
            first = [*rows_of(Frames(bins=1, dtype="uint16").apply(events)[0], ALL_EVENTS)[0], *first]
        lines += [(row.title, first), *(("", panels) for panels in more)]
    return page(lines).quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def same_picture(path: Path, image: Image.Image) -> bool:
    """Whether the file shows the image. Its bytes, and a rounding of its colours, may be another release's of Pillow."""
    if not path.is_file():
        return False
    with Image.open(path) as committed:
        if committed.size != image.size:
            return False
        a, b = (np.asarray(picture.convert("RGB"), np.int16) for picture in (committed, image))
    return float((np.abs(a - b).max(-1) > 24).mean()) < 0.0005
