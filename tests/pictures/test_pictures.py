"""Pictures: what is drawn is what the events say, in whole factors, in real time, and whole or not at all."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import eventbench
from eventbench.errors import BadRecording, BadSpec, UnknownName
from eventbench.events import Events
from eventbench.files.temporary import replacing
from eventbench.pictures.bounding_box import BoundingBox
from eventbench.pictures.cloud import _draw_points, cloud
from eventbench.pictures.files import write_gif
from eventbench.pictures.frames import frames
from eventbench.pictures.lettering import SMALL, format_time, shortened, tick_distance, width_of
from eventbench.pictures.page import columns_for
from eventbench.pictures.palette import THEMES, gif_palette
from eventbench.pictures.picture import draw
from eventbench.pictures.pixel_grid import MIN_HEIGHT, PixelGrid
from eventbench.pictures.playback import Playback
from eventbench.pictures.span import Span
from eventbench.pictures.surface import default_tau_us, surface
from tests.support.recordings import recordings

A = TypeVar("A")
DARK = THEMES["dark"]


def wave(n: int = 400, sensor: tuple[int, int] = (34, 30), span: int = 300_000) -> Events:
    rng = np.random.default_rng(3)
    t = np.sort(rng.integers(0, span, n))
    x, y = rng.integers(0, sensor[0], n), rng.integers(0, sensor[1], n)
    return Events(t=t + 5_000_000, x=x, y=y, p=rng.integers(0, 2, n), sensor=sensor)


def centres(panel: np.ndarray, sensor: tuple[int, int]) -> np.ndarray:
    """The colour in the middle of every sensor pixel, (H, W, 3), of a panel drawn without blocks."""
    high, wide = panel.shape[0] // sensor[1], panel.shape[1] // sensor[0]
    return panel[high // 2 :: high, wide // 2 :: wide].astype(int)


@settings(deadline=None, max_examples=25)
@given(recordings(), st.integers(1, 5))
def test_a_frame_is_coloured_where_and_as_its_events_are(events: Events, bins: int) -> None:
    if not len(events):
        with pytest.raises(BadRecording, match="no event to draw"):
            frames(Span(events), bins, 300, DARK)
        return
    views = frames(Span(events), bins, 300, DARK)
    drawn = np.stack([centres(views.draw(k), events.sensor) for k in range(bins)])
    width = (events.duration_us + 1) / bins
    counts = np.zeros((bins, events.sensor[1], events.sensor[0], 2), int)
    for t, x, y, p in zip(events.t, events.x, events.y, events.p, strict=True):
        since = int(t - events.t[0])
        inside = [k for k in range(bins) if k * width <= since < (k + 1) * width]
        counts[inside[0] if inside else bins - 1, y, x, p] += 1
    lit = (drawn != DARK.panel).any(-1)
    assert np.array_equal(lit, counts.sum(-1) > 0)
    only_on, only_off = ((counts[..., p] > 0) & (counts[..., 1 - p] == 0) for p in (1, 0))
    assert (drawn[only_on][:, 0] > drawn[only_on][:, 2]).all()
    assert (drawn[only_off][:, 0] < drawn[only_off][:, 2]).all()


@settings(deadline=None, max_examples=25)
@given(recordings(least=1), st.integers(1, 4))
def test_a_surface_is_brightest_where_events_are_latest(events: Events, bins: int) -> None:
    views = surface(Span(events), bins, 300, DARK, tau_us=1e4)
    assert views.spans is not None
    for k in [*range(bins), 0]:  # a film may be drawn again from the start
        panel = centres(views.draw(k), events.sensor)
        far = np.abs(panel - DARK.panel).sum(-1)
        end = views.spans[k][1]
        last: dict[tuple[int, int], tuple[int, int]] = {}
        for since, x, y, p in zip(events.t - events.t[0], events.x, events.y, events.p, strict=True):
            if since < end:
                last[int(y), int(x)] = (int(since), int(p))
        for (y, x), (since, p) in last.items():
            level = np.exp((since - end) / 1e4)
            assert (far[y, x] > 0) == (level * 255 >= 0.5)
            if level > 0.1:
                assert (panel[y, x, 0] > panel[y, x, 2]) == bool(p)
            far[y, x] = 0
        assert not far.any()


def test_every_event_of_a_cloud_is_drawn_where_the_box_projects_it() -> None:
    events = wave(50)
    box = BoundingBox.of(Span(events), (300, 200))
    for turn, still in ((0.0, True), (0.3, False), (0.85, False)):
        projection = box.projection(turn, still)
        on, off, depth = (np.zeros((200, 300), np.float32) for _ in range(3))
        _draw_points(
            events.t, events.x, events.y, events.p, events.t[0], projection.matrix, 1, on, off, depth
        )
        expected = np.zeros((2, 200, 300))
        points = np.stack([events.t - events.t[0], events.x, events.y], 1).astype(float)
        for (u, v, _), p in zip(projection.project(points), events.p, strict=True):
            expected[p, int(v), int(u)] += 1
        assert np.array_equal(on, expected[1])
        assert np.array_equal(off, expected[0])


def test_a_cloud_fits_its_picture_from_every_side_and_time_runs_to_the_right() -> None:
    for sensor in ((34, 34), (1280, 720), (700, 1)):
        box = BoundingBox.of(Span(wave(20, sensor)), (720, 520))
        for turn in np.linspace(0, 1, 17):
            corners = box.projection(float(turn), still=False).project(box.corners)[:, :2]
            assert corners.min() > 0
            assert (corners < (720, 520)).all()
        early, late = box.projection(0, still=True).project(np.array([[0.0, 0, 0], [box.ends[0], 0, 0]]))
        assert late[0] > early[0]
        top, bottom = box.projection(0, still=True).project(np.array([[0.0, 0, 0], [0, 0, sensor[1]]]))
        assert bottom[1] > top[1]


def test_a_cloud_shows_every_lone_event() -> None:
    events = wave(12)
    panel = cloud(Span(events), 1, (300, 200), DARK).draw(0).astype(int)
    warm, cold = panel[..., 0] - panel[..., 2] > 40, panel[..., 2] - panel[..., 0] > 40
    assert warm.sum() > 4 * int(events.p.sum())
    assert cold.sum() > 4 * int((events.p == 0).sum())


@pytest.mark.parametrize("sensor", [(34, 34), (128, 128), (346, 260), (1280, 720), (700, 1), (65536, 65536)])
@pytest.mark.parametrize("room", [96, 300, 900])
def test_a_lens_has_whole_factors_and_keeps_every_pixel(sensor: tuple[int, int], room: int) -> None:
    grid = PixelGrid.of(sensor, room)
    assert grid.block == 1 or grid.cell_width == 1
    assert grid.columns * grid.block >= sensor[0]
    assert grid.rows * grid.block >= sensor[1]
    assert room / 2 <= max(grid.size) <= room * 1.25 + 1
    assert min(grid.size) >= MIN_HEIGHT
    corner = Events(t=[0, 1], x=[0, sensor[0] - 1], y=[0, sensor[1] - 1], p=[0, 1], sensor=sensor)
    assert grid.cells(corner).tolist() == [0, grid.columns * grid.rows - 1]


@pytest.mark.parametrize(
    ("span_us", "pages", "slower", "seconds"),
    [
        (305_031, None, 1, 0.305031),
        (8_000_000, None, 1, 8),
        (59_000_000, None, 1, 59),
        (8_811, None, 500, 4.4055),
        (1, None, 2_000_000, 2),
        (3_600_000_000, None, 1 / 100, 36),
        (300_000, 100, 10, 3),
    ],
)
def test_films_play_in_real_time_unless_nobody_could_watch_them(
    span_us: int, pages: int | None, slower: float, seconds: float
) -> None:
    playback = Playback.of(span_us, pages)
    assert playback.slower == pytest.approx(slower)
    assert playback.pages * playback.page_s == pytest.approx(seconds)
    assert playback.page_s >= 0.02
    assert sum(playback.page_ms()) == pytest.approx(1000 * seconds, abs=10)
    assert all(ms >= 20 and ms % 10 == 0 for ms in playback.page_ms())


@pytest.mark.parametrize("kind", ["frames", "cloud", "surface"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_sheet_is_a_png_of_the_size_that_is_reported(tmp_path: Path, kind: str, theme: str) -> None:
    out = tmp_path / "sheet.PNG"
    drawn = draw(wave(), out, title="wave", kind=kind, bins=3, theme=theme)
    with Image.open(out) as image:
        assert (image.format, image.size) == ("PNG", (drawn.width, drawn.height))
        assert image.getpixel((0, 0)) == THEMES[theme].page
    assert (drawn.bytes, drawn.panels, drawn.seconds) == (out.stat().st_size, 3, None)


@pytest.mark.parametrize("kind", ["frames", "cloud", "surface"])
def test_a_gif_plays_every_page_for_its_time(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "film.gif"
    drawn = draw(wave(), out, title="wave", kind=kind, bins=5)
    with Image.open(out) as image:
        assert getattr(image, "n_frames", None) == 5
        times = []
        for k in range(5):
            image.seek(k)
            times.append(image.info["duration"])
    assert drawn.seconds is not None
    assert sum(times) == pytest.approx(1000 * drawn.seconds, abs=10)
    if kind != "cloud":
        assert (drawn.slower, sum(times)) == (1, 300)


def mp4_says(data: bytes) -> tuple[int, float, int, int]:
    """(samples, seconds, width, height) of an MP4 with one track, from its boxes (ISO/IEC 14496-12)."""
    samples = struct.unpack(">I", data[(at := data.index(b"stsz") + 12) : at + 4])[0]
    mvhd = data.index(b"mvhd") + 4
    if data[mvhd]:
        scale, length = struct.unpack(">IQ", data[mvhd + 20 : mvhd + 32])
    else:
        scale, length = struct.unpack(">II", data[mvhd + 12 : mvhd + 20])
    avc1 = data.index(b"avc1", data.index(b"stsd")) + 4
    return samples, length / scale, *struct.unpack(">HH", data[avc1 + 24 : avc1 + 28])


@pytest.mark.parametrize("kind", ["frames", "cloud"])
def test_an_mp4_has_every_page_and_lasts_as_long(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "film.mp4"
    drawn = draw(wave(), out, title="wave", kind=kind, bins=6)
    samples, seconds, width, height = mp4_says(out.read_bytes())
    assert (samples, width, height) == (6, drawn.width, drawn.height)
    assert seconds == pytest.approx(drawn.seconds, abs=0.02)


@pytest.mark.parametrize("kind", ["frames", "cloud", "surface"])
@pytest.mark.parametrize("sensor", [(1, 1), (700, 1), (2000, 3)])
def test_the_smallest_recordings_on_odd_sensors_are_drawn(
    tmp_path: Path, kind: str, sensor: tuple[int, int]
) -> None:
    one = Events(t=[7], x=[sensor[0] - 1], y=[0], p=[1], sensor=sensor)
    assert draw(one, tmp_path / "one.png", title="one", kind=kind).bytes > 0
    assert draw(one, tmp_path / "one.gif", title="one", kind=kind, bins=2).bytes > 0


def test_what_cannot_be_drawn_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    events = wave(20)
    out = tmp_path / "a.png"
    options: dict[str, Any] = {"recording": events, "out": out, "title": "wave"}
    for problem, changes in (
        (UnknownName, {"kind": "clud"}),
        (UnknownName, {"theme": "pink"}),
        (BadSpec, {"bins": 0}),
        (BadSpec, {"bins": 401}),
        (BadSpec, {"tau_us": 5.0}),
        (BadSpec, {"tau_us": 0.0, "kind": "surface"}),
        (BadSpec, {"out": tmp_path / "a.bmp"}),
        (BadSpec, {"out": tmp_path / "gone" / "a.png"}),
        (BadSpec, {"out": tmp_path}),
        (BadRecording, {"recording": Events.empty((4, 4))}),
    ):
        with pytest.raises(problem):
            draw(**(options | changes))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_replaced_only_by_force_and_only_when_complete(tmp_path: Path) -> None:
    out = tmp_path / "a.gif"
    out.write_bytes(b"mine")
    with pytest.raises(BadSpec, match="exists already; choose another name, or replace it with --force"):
        draw(wave(), out, title="wave")

    def breaks_off(items: Iterable[A], of: str, **_: object) -> Iterator[A]:
        yield from islice(items, 2)
        if of == "drawn":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(wave(), out, title="wave", force=True, progress=breaks_off)
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]
    assert out.read_bytes() == b"mine"
    draw(wave(), out, title="wave", force=True, bins=2)
    assert out.read_bytes().startswith(b"GIF89a")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(BadSpec, match="the folder cannot be written; choose another folder"):
        draw(wave(), tmp_path / "a.png", title="wave")
    with pytest.raises(BadSpec, match="cannot be written"), replacing(tmp_path / "gone" / "a.png"):
        pass


def test_a_gif_keeps_the_colours_of_the_page(tmp_path: Path) -> None:
    for theme in THEMES.values():
        colours = gif_palette(theme)
        assert len(colours) <= 256
        page = np.empty((4, 6, 3), np.uint8)
        for column, colour in enumerate(
            (theme.page, theme.panel, theme.ink, theme.on[0], theme.off[0], theme.line)
        ):
            page[:, column] = colour
        write_gif(iter([page]), tmp_path / "a.gif", [100], colours)
        with Image.open(tmp_path / "a.gif") as image:
            again = np.asarray(image.convert("RGB")).astype(int)
        assert np.abs(again - page).max() <= 12


def test_words_and_numbers_fit_their_room() -> None:
    assert shortened("short.bin", SMALL, 200) == "short.bin"
    long = shortened("a" * 300 + ".bin", SMALL, 120)
    assert width_of(long, SMALL) <= 120
    assert long.endswith(".bin")
    assert shortened("naïve.bin", SMALL, 200) == "na?ve.bin"
    assert [format_time(us, 305_000) for us in (0, 25_416.7)] == ["0.0", "25.4"]
    for span in (0.3, 1, 7, 12, 305, 34_000):
        for most in (1, 3, 8):
            step = tick_distance(span, most)
            assert span / step <= most * (1 + 1e-9)
    assert columns_for(12, (306, 306)) == 4
    assert default_tau_us(Span(wave(span=300_000))) == 50_000
    assert default_tau_us(Span(wave(span=9_000))) == 1_000


@pytest.mark.slow
def test_real_recordings_of_every_format_are_drawn(tmp_path: Path, shared_data: Path) -> None:
    names = [
        "gen3_evt2.raw",
        "pokerdvs_club.es",
        "davis240c_mixed.aedat",
        "dvxplorer_lite.aedat4",
        "seventeen_events.txt",
    ]
    paths = [shared_data / "recordings" / name for name in names]
    paths.append(shared_data / "nmnist_small" / "Train" / "5" / "00001.bin")
    for path in paths:
        events = eventbench.read(path)
        for kind in ("frames", "cloud", "surface"):
            drawn = draw(events, tmp_path / f"{path.stem}-{kind}.png", title=path.name, kind=kind)
            assert 500 < drawn.width < 1700
            assert 300 < drawn.height < 1500


@pytest.mark.parametrize("kind", ["frames", "cloud", "surface"])
def test_a_recording_longer_than_floats_can_tell_is_refused(kind, tmp_path: Path):
    long = Events(t=[-(2**62), 2**62], x=[0, 1], y=[0, 1], p=[0, 1], sensor=(2, 2))
    with pytest.raises(BadRecording, match="it lasts 9,223,372,036,854,775,808 us; allowed: less than 2"):
        draw(long, tmp_path / "a.png", title="long", kind=kind)
