"""`draw`: writes events as a picture or film to a file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from eventbench.errors import BadRecording, BadSpec, UnknownName
from eventbench.events import Events
from eventbench.files.progress import Progress, no_progress
from eventbench.pictures.cloud import cloud
from eventbench.pictures.files import check_target, write_gif, write_mp4, write_png
from eventbench.pictures.frames import frames
from eventbench.pictures.page import Page, columns_for
from eventbench.pictures.palette import THEMES, Theme, gif_palette
from eventbench.pictures.panels import Panels
from eventbench.pictures.playback import Playback
from eventbench.pictures.span import Span
from eventbench.pictures.surface import default_tau_us, surface
from eventbench.recordings.recording import Recording

KINDS = ("frames", "cloud", "surface")
SHEET_PANELS = {"frames": 12, "cloud": 1, "surface": 6}  # the default numbers of panels
TURN_PAGES, TURN_S = 72, 6.0  # a film of a cloud is one whole turn
MAX_DURATION_US = 2**53  # from here on float64 cannot hold every microsecond
MAX_PANELS, MAX_PAGES = 400, 5000
SHEET_WIDTH, FILM_WIDTH = 1240, 600
CLOUD_SIZE, CLOUD_FILM_SIZE = (1000, 660), (720, 520)


class DrawnPicture(NamedTuple):
    """A written picture: size in pixels and bytes, number of panels or pages, and for a film its length in seconds.

    `slower` is how many times slower than real time a film plays, `tau_us` the time constant of a surface, `page_us` how much
    time of the recording a page of a film shows, `of_events` how many there are in
    the time that is drawn, and `drawn_events` how many of them are: fewer only in a cloud of very many.
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
    page_us: float | None
    of_events: int
    drawn_events: int


def draw(
    recording: Recording | Events,
    out: Path,
    *,
    title: str,
    kind: str = "frames",
    bins: int | None = None,
    tau_us: float | None = None,
    theme: str = "dark",
    from_us: int | None = None,
    to_us: int | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> DrawnPicture:
    """Write a recording as a PNG sheet, or as a GIF or MP4 film, by the ending of `out`.

    Parameters
    ----------
    kind : "frames", "cloud" or "surface"
    bins : number of panels of a sheet or pages of a film; None is the default of the kind
    tau_us : time constant of a time surface; None is about an eighth of the duration, at most 50 ms
    theme : "dark" or "light"
    from_us, to_us : draw what is from_us <= t < to_us only, counted from the recording's first event
    force : replace an existing file
    progress : is passed the pieces that are read and the page numbers of a film, and may show bars

    Memory does not grow with the recording. Raises BadSpec for an ending, folder or number that is not allowed, UnknownName
    for a kind or theme, BadRecording where there is no event to draw, or they take 2**53 us or more.
    """
    _check_options(out, kind, bins, tau_us, theme)
    check_target(out, force)
    span, colours = Span(recording, from_us, to_us), THEMES[theme]
    _check_events(span, title)
    if _is_film(out):
        playback = _playback(span, kind, bins)
        panels = _panels(span, kind, playback.pages, FILM_WIDTH, CLOUD_FILM_SIZE, colours, tau_us, progress)
        page = Page(title, panels, span, colours, progress=progress)
        _write_film(page, out, playback, "" if kind == "cloud" else playback.speed, progress)
    else:
        playback, count = None, bins or SHEET_PANELS[kind]
        panels = _sheet_panels(span, kind, count, colours, tau_us, progress)
        page = Page(title, panels, span, colours, columns_for(count, panels.size), progress)
        write_png(page.sheet(progress), out)
    return DrawnPicture(
        str(out),
        kind,
        page.width,
        page.height,
        out.stat().st_size,
        panels=len(panels.captions),
        seconds=playback.pages * playback.page_s if playback else None,
        slower=playback.slower if playback and kind != "cloud" else None,
        tau_us=(tau_us or default_tau_us(span)) if kind == "surface" else None,
        page_us=(span.duration_us + 1) / playback.pages if playback and kind != "cloud" else None,
        of_events=len(span),
        drawn_events=len(span) if panels.points is None else panels.points,
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


def _check_events(span: Span, title: str) -> None:
    if not len(span):
        raise BadRecording("no event to draw", where=title)
    if span.duration_us >= MAX_DURATION_US:
        raise BadRecording(
            f"it lasts {span.duration_us:,} us",
            where=title,
            allowed="less than 2**53 us",
            fix="draw a part of it, with --from-us and --to-us",
        )


def _playback(span: Span, kind: str, bins: int | None) -> Playback:
    if kind == "cloud":
        pages = bins or TURN_PAGES
        return Playback(pages, TURN_S / pages, 1)
    return Playback.of(span.duration_us, bins)


def _sheet_panels(
    span: Span, kind: str, count: int, theme: Theme, tau_us: float | None, progress: Progress
) -> Panels:
    """The panels of a sheet, sized so that the sheet is about SHEET_WIDTH wide."""
    shape = CLOUD_SIZE if kind == "cloud" else span.sensor
    longer = max(shape)
    columns = columns_for(count, (SHEET_WIDTH * shape[0] // longer, SHEET_WIDTH * shape[1] // longer))
    room = min(900, max(96, SHEET_WIDTH // columns))
    share = 1 if count == 1 else max(0.3, 1 / columns)
    cloud_size = (int(CLOUD_SIZE[0] * share) // 2 * 2, int(CLOUD_SIZE[1] * share) // 2 * 2)
    return _panels(span, kind, count, room, cloud_size, theme, tau_us, progress)


def _panels(
    span: Span,
    kind: str,
    count: int,
    room: int,
    cloud_size: tuple[int, int],
    theme: Theme,
    tau_us: float | None,
    progress: Progress,
) -> Panels:
    """`count` panels, of `cloud_size` (width, height) for a cloud, else of about `room` pixels on the longer side."""
    if kind == "cloud":
        return cloud(span, count, cloud_size, theme, progress)
    if kind == "surface":
        return surface(span, count, room, theme, tau_us)
    return frames(span, count, room, theme)


def _write_film(page: Page, out: Path, playback: Playback, note: str, progress: Progress) -> None:
    numbers = progress(range(playback.pages), of="drawn", unit="page", total=playback.pages)
    pages = (page.film_page(k, note) for k in numbers)
    if out.suffix.lower() == ".gif":
        write_gif(pages, out, playback.page_ms(), gif_palette(page.theme))
    else:
        write_mp4(pages, out, (page.width, page.height), playback.page_s)
