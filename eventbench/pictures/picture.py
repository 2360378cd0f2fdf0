"""Draw a recording: one call from events to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from eventbench.errors import BadRecording, BadSpec, UnknownName
from eventbench.events import Events
from eventbench.pictures.cloud import cloud
from eventbench.pictures.files import check_target, write_gif, write_mp4, write_png
from eventbench.pictures.frames import frames
from eventbench.pictures.page import Page, Story, columns_for
from eventbench.pictures.palette import THEMES, Theme, few_colours
from eventbench.pictures.surface import own_tau_us, surface
from eventbench.pictures.tempo import Tempo
from eventbench.pictures.views import Views

KINDS = ("frames", "cloud", "surface")
SHEET = {"frames": 12, "cloud": 1, "surface": 6}
TURN, TURN_S = 72, 6.0
LONGEST_US = 2**53  # from where on floats skip microseconds
MOST_PANELS, MOST_PAGES = 400, 5000
SHEET_WIDE, FILM_WIDE = 1240, 600
CLOUD, CLOUD_FILM = (1000, 660), (720, 520)


class Drawn(NamedTuple):
    """What was written: its size in pixels and bytes, the panels or film pages in it, and how long a film plays."""

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
    progress: Callable[[Any], Any] = lambda numbers: numbers,
) -> Drawn:
    """Write `events` as a PNG sheet, or as a GIF or MP4 film, by the ending of `out`.

    Parameters
    ----------
    kind : "frames", "cloud" or "surface"
    bins : panels of a sheet or pages of a film; None takes what is usual for the kind
    tau_us : what a time surface fades with; None takes about an eighth of the recording, at most 50 ms
    theme : "dark" or "light"
    force : replace a file that is there
    progress : wraps the numbers of a film's pages, as tqdm does

    Raises BadSpec for an ending, folder or number that cannot be, UnknownName for a kind, BadRecording without events.
    """
    if kind not in KINDS:
        raise UnknownName("kind of picture", kind, KINDS)
    if theme not in THEMES:
        raise UnknownName("theme", theme, THEMES)
    check_target(out, force)
    film = out.suffix.lower() != ".png"
    most = MOST_PAGES if film else MOST_PANELS
    if bins is not None and not 1 <= bins <= most:
        raise BadSpec(f"bins is {bins}", where=out, allowed=f"1 to {most:,}")
    if tau_us is not None and kind != "surface":
        raise BadSpec(f"tau is of a time surface, not of {kind}", where=out)
    if not len(events):
        raise BadRecording("no event to draw", where=title)
    if events.duration_us >= LONGEST_US:
        raise BadRecording(
            f"it lasts {events.duration_us:,} us",
            where=title,
            allowed="less than 2**53 us",
            fix="crop it first",
        )
    colours, story = THEMES[theme], Story.of(title, events)
    tempo = None
    if film:
        tempo = (
            Tempo(bins or TURN, TURN_S / (bins or TURN), 1)
            if kind == "cloud"
            else Tempo.of(events.duration_us, bins)
        )
        views = _views(events, kind, tempo.pages, FILM_WIDE, CLOUD_FILM, colours, tau_us)
        page = Page(story, views, events, colours, 1, 1)
        said = "" if kind == "cloud" else tempo.told
        pages = (page.film_frame(k, said) for k in progress(range(tempo.pages)))
        _film(pages, out, page, tempo)
    else:
        panels = bins or SHEET[kind]
        views = _sheet_views(events, kind, panels, colours, tau_us)
        columns = columns_for(panels, views.size)
        page = Page(story, views, events, colours, columns, -(-panels // columns))
        write_png(page.sheet(), out)
    return Drawn(
        str(out),
        kind,
        page.width,
        page.height,
        out.stat().st_size,
        len(views.captions),
        tempo.pages * tempo.page_s if tempo else None,
        tempo.slower if tempo and kind != "cloud" else None,
        (tau_us or own_tau_us(events)) if kind == "surface" else None,
    )


def _sheet_views(events: Events, kind: str, panels: int, theme: Theme, tau_us: float | None) -> Views:
    shape = CLOUD if kind == "cloud" else events.sensor
    columns = columns_for(panels, (SHEET_WIDE * shape[0] // max(shape), SHEET_WIDE * shape[1] // max(shape)))
    room = min(900, max(96, SHEET_WIDE // columns))
    share = 1 if panels == 1 else max(0.3, 1 / columns)
    size = (int(CLOUD[0] * share) // 2 * 2, int(CLOUD[1] * share) // 2 * 2)
    return _views(events, kind, panels, room, size, theme, tau_us)


def _views(
    events: Events,
    kind: str,
    panels: int,
    room: int,
    size: tuple[int, int],
    theme: Theme,
    tau_us: float | None,
) -> Views:
    if kind == "cloud":
        return cloud(events, panels, size, theme)
    if kind == "surface":
        return surface(events, panels, room, theme, tau_us)
    return frames(events, panels, room, theme)


def _film(pages: Iterator[np.ndarray], out: Path, page: Page, tempo: Tempo) -> None:
    if out.suffix.lower() == ".gif":
        write_gif(pages, out, tempo.page_ms(), few_colours(page.theme))
    else:
        write_mp4(pages, out, (page.width, page.height), tempo.page_s)
