"""`draw`: writes events as a picture or film to a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eventbench.errors import BadRecording, BadSpec, UnknownName
from eventbench.events import Events
from eventbench.files.progress import Progress, no_progress
from eventbench.pictures.cloud import cloud
from eventbench.pictures.files import check_target, write_gif, write_mp4, write_png
from eventbench.pictures.frames import frames
from eventbench.pictures.page import Heading, Page, columns_for
from eventbench.pictures.palette import THEMES, Theme, gif_palette
from eventbench.pictures.panels import Panels
from eventbench.pictures.playback import Playback
from eventbench.pictures.surface import default_tau_us, surface

KINDS = ("frames", "cloud", "surface")
SHEET_PANELS = {"frames": 12, "cloud": 1, "surface": 6}  # the default numbers of panels
TURN_PAGES, TURN_S = 72, 6.0  # a film of a cloud is one whole turn
MAX_DURATION_US = 2**53  # from here on float64 cannot hold every microsecond
MAX_PANELS, MAX_PAGES = 400, 5000
SHEET_WIDTH, FILM_WIDTH = 1240, 600
CLOUD_SIZE, CLOUD_FILM_SIZE = (1000, 660), (720, 520)


class DrawnPicture(NamedTuple):
    """A written picture: size in pixels and bytes, number of panels or pages, and for a film its length in seconds.

    `slower` is how many times slower than real time a film plays, `tau_us` the time constant of a surface.
    """

    path: str
    kind: str
    width: int
    height: int
    bytes: int
    panels: int
    seconds: float | None
    slower: float | None
    tau_us: float | None


def draw(
    events: Events,
    out: Path,
    *,
    title: str,
    kind: str = "frames",
    bins: int | None = None,
    tau_us: float | None = None,
    theme: str = "dark",
    force: bool = False,
    progress: Progress = no_progress,
) -> DrawnPicture:
    """Write `events` as a PNG sheet, or as a GIF or MP4 film, by the ending of `out`.

    Parameters
    ----------
    kind : "frames", "cloud" or "surface"
    bins : number of panels of a sheet or pages of a film; None is the default of the kind
    tau_us : time constant of a time surface; None is about an eighth of the duration, at most 50 ms
    theme : "dark" or "light"
    force : replace an existing file
    progress : is passed the page numbers of a film, and may show a bar

    Raises BadSpec for an ending, folder or number that is not allowed, UnknownName for a kind or theme, BadRecording for a
    recording without events or of 2**53 us or more.
    """
    _check_options(out, kind, bins, tau_us, theme)
    check_target(out, force)
    _check_events(events, title)
    heading, colours = Heading.of(title, events), THEMES[theme]
    playback = None
    if _is_film(out):
        playback = _playback(events, kind, bins)
        panels = _panels(events, kind, playback.pages, FILM_WIDTH, CLOUD_FILM_SIZE, colours, tau_us)
        page = Page(heading, panels, events, colours, columns=1, rows=1)
        note = "" if kind == "cloud" else playback.speed
        numbers = progress(range(playback.pages), of="drawn", unit="page", total=playback.pages)
        pages = (page.film_page(k, note) for k in numbers)
        _write_film(pages, out, page, playback)
    else:
        count = bins or SHEET_PANELS[kind]
        panels = _sheet_panels(events, kind, count, colours, tau_us)
        columns = columns_for(count, panels.size)
        page = Page(heading, panels, events, colours, columns, rows=-(-count // columns))
        write_png(page.sheet(), out)
    return DrawnPicture(
        str(out),
        kind,
        page.width,
        page.height,
        out.stat().st_size,
        panels=len(panels.captions),
        seconds=playback.pages * playback.page_s if playback else None,
        slower=playback.slower if playback and kind != "cloud" else None,
        tau_us=(tau_us or default_tau_us(events)) if kind == "surface" else None,
    )


def _is_film(out: Path) -> bool:
    return out.suffix.lower() != ".png"


def _check_options(out: Path, kind: str, bins: int | None, tau_us: float | None, theme: str) -> None:
    if kind not in KINDS:
        raise UnknownName("kind of picture", kind, KINDS)
    if theme not in THEMES:
        raise UnknownName("theme", theme, THEMES)
    limit = MAX_PAGES if _is_film(out) else MAX_PANELS
    if bins is not None and not 1 <= bins <= limit:
        raise BadSpec(f"bins is {bins}", where=out, allowed=f"1 to {limit:,}")
    if tau_us is not None and kind != "surface":
        raise BadSpec(f"tau is for a time surface, not for {kind}", where=out)


def _check_events(events: Events, title: str) -> None:
    if not len(events):
        raise BadRecording("no event to draw", where=title)
    if events.duration_us >= MAX_DURATION_US:
        raise BadRecording(
            f"it lasts {events.duration_us:,} us",
            where=title,
            allowed="less than 2**53 us",
            fix="crop it first",
        )


def _playback(events: Events, kind: str, bins: int | None) -> Playback:
    if kind == "cloud":
        pages = bins or TURN_PAGES
        return Playback(pages, TURN_S / pages, 1)
    return Playback.of(events.duration_us, bins)


def _sheet_panels(events: Events, kind: str, count: int, theme: Theme, tau_us: float | None) -> Panels:
    """The panels of a sheet, sized so that the sheet is about SHEET_WIDTH wide."""
    shape = CLOUD_SIZE if kind == "cloud" else events.sensor
    longer = max(shape)
    columns = columns_for(count, (SHEET_WIDTH * shape[0] // longer, SHEET_WIDTH * shape[1] // longer))
    room = min(900, max(96, SHEET_WIDTH // columns))
    share = 1 if count == 1 else max(0.3, 1 / columns)
    cloud_size = (int(CLOUD_SIZE[0] * share) // 2 * 2, int(CLOUD_SIZE[1] * share) // 2 * 2)
    return _panels(events, kind, count, room, cloud_size, theme, tau_us)


def _panels(
    events: Events,
    kind: str,
    count: int,
    room: int,
    cloud_size: tuple[int, int],
    theme: Theme,
    tau_us: float | None,
) -> Panels:
    """`count` panels, of `cloud_size` (width, height) for a cloud, else of about `room` pixels on the longer side."""
    if kind == "cloud":
        return cloud(events, count, cloud_size, theme)
    if kind == "surface":
        return surface(events, count, room, theme, tau_us)
    return frames(events, count, room, theme)


def _write_film(pages: Iterator[np.ndarray], out: Path, page: Page, playback: Playback) -> None:
    if out.suffix.lower() == ".gif":
        write_gif(pages, out, playback.page_ms(), gif_palette(page.theme))
    else:
        write_mp4(pages, out, (page.width, page.height), playback.page_s)
