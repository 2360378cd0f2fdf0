"""Write pictures to PNG, GIF or MP4 files, by way of a temporary file that is renamed when complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from eventbench.errors import BadSpec
from eventbench.files.temporary import replacing

ENDINGS = (".png", ".gif", ".mp4")
_CRF = 17.0  # quality of H.264: visually lossless


def check_target(out: Path, force: bool) -> None:
    """Raises BadSpec if `out` has another ending, is in a folder that is missing or cannot be written, or exists already."""
    if out.suffix.lower() not in ENDINGS:
        raise BadSpec(f"its ending is {out.suffix!r}", where=out, allowed=", ".join(ENDINGS))
    if out.is_dir():
        raise BadSpec("a folder", where=out, allowed="the name of a file")
    if not out.parent.is_dir():
        raise BadSpec("there is no such folder", where=out.parent, fix="create it first")
    if not os.access(out.parent, os.W_OK):
        raise BadSpec("the folder cannot be written", where=out.parent, fix="choose another folder")
    if out.exists() and not force:
        raise BadSpec("exists already", where=out, fix="choose another name, or replace it with --force")


def write_png(image: Image.Image, out: Path) -> None:
    """Write a PNG, as small as Pillow can make it."""
    with replacing(out) as path:
        image.save(path, "PNG", optimize=True)


def write_gif(pages: Iterator[np.ndarray], out: Path, page_ms: list[int], colours: np.ndarray) -> None:
    """Write an endless film in `colours` (256, 3); page k is shown for `page_ms[k]` milliseconds, a multiple of 10."""
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours.tobytes())
    frames = (Image.fromarray(page).quantize(palette=palette, dither=Image.Dither.NONE) for page in pages)
    with replacing(out) as path, path.open("wb") as file:
        options = {"append_images": frames, "duration": page_ms, "loop": 0, "disposal": 1}
        next(frames).save(file, "GIF", save_all=True, optimize=False, **options)


def write_mp4(pages: Iterator[np.ndarray], out: Path, size: tuple[int, int], page_s: float) -> None:
    """Write H.264; `size` is (width, height), both even. Raises BadSpec if the encoder fails."""
    import faery

    with replacing(out) as path:
        try:  # tune is "none": faery 0.7 misspells "animation" to the encoder
            with faery.mp4.Encoder(path, size, 1 / page_s, _CRF, "medium", "none", "high") as encoder:
                for page in pages:
                    encoder.write(np.ascontiguousarray(page))
        except RuntimeError as error:
            raise BadSpec(f"cannot be encoded: {error}", where=out, fix="write a .gif instead") from None
