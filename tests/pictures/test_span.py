"""What of a recording is drawn: any part of its time, in pieces, and a sample where it is a cloud of very many events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench.cli.show import command
from eventbench.errors import BadRecording
from eventbench.events import Events
from eventbench.pictures import cloud, span
from eventbench.pictures.palette import THEMES, ramp, shade
from eventbench.pictures.picture import draw
from eventbench.pictures.span import Span
from eventbench.pictures.timeline import Timeline
from tests.support.miniatures import atis_bytes
from tests.support.recordings import fixed, recordings


def joined(pieces: list[Events], sensor: tuple[int, int]) -> Events:
    t, x, y, p = (
        np.concatenate([np.empty(0, np.int64), *(getattr(piece, key) for piece in pieces)]) for key in "txyp"
    )
    return Events(t=t.astype(np.int64), x=x.astype(int), y=y.astype(int), p=p.astype(int), sensor=sensor)


@given(recordings(), st.integers(-3, 4000), st.integers(-3, 4000))
def test_a_part_of_the_time_has_the_events_of_that_time(events: Events, start: int, length: int) -> None:
    part = Span(events, start, start + length)
    since = events.t - events.t[0] if len(events) else events.t
    inside = np.flatnonzero((since >= start) & (since < start + length))
    expected = events[int(inside[0]) : int(inside[-1]) + 1] if len(inside) else Events.empty(events.sensor)
    assert joined(list(part.all()), events.sensor) == expected
    assert (len(part), part.duration_us) == (len(expected), expected.duration_us)
    if len(expected):
        assert (part.first_us, part.after_us) == (expected.t[0], expected.t[0] - events.t[0])
        middle = part.duration_us / 2
        halves = [*part.pieces(0, middle), *part.pieces(middle, part.duration_us + 1)]
        assert joined(halves, events.sensor) == expected


@given(recordings(least=1), st.integers(1, 60))
def test_a_sample_has_one_event_of_each_part_of_equal_numbers(events: Events, most: int) -> None:
    whole = Span(events)
    sample = whole.sample(most)
    if len(events) <= most:
        assert sample == events
        return
    assert most / 2 <= len(sample) <= most
    numbered = Events(t=np.arange(len(events)), x=events.x, y=events.y, p=events.p, sensor=events.sensor)
    taken = Span(numbered).sample(most).t
    assert (events.t[taken] == sample.t).all()
    assert (events.x[taken] == sample.x).all()
    assert (events.p[taken] == sample.p).all()
    assert np.diff(taken, prepend=-1, append=len(events)).max() <= 2 * len(events) / most + 1


@pytest.mark.parametrize("kind", ["frames", "cloud", "surface"])
@pytest.mark.parametrize("ending", ["png", "gif"])
def test_a_recording_in_pieces_is_drawn_as_one_in_memory(
    tmp_path: Path, kind: str, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"title": "same", "kind": kind, "bins": 3}
    draw(fixed(), tmp_path / f"whole.{ending}", **options)
    monkeypatch.setattr(span, "PIECE_EVENTS", 700)
    draw(fixed(), tmp_path / f"pieces.{ending}", **options)
    assert (tmp_path / f"whole.{ending}").read_bytes() == (tmp_path / f"pieces.{ending}").read_bytes()


def test_a_cloud_of_very_many_events_is_a_sample_which_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud, "MOST_POINTS", 20)
    recording = tmp_path / "a.bin"
    recording.write_bytes(atis_bytes([(9 * k, k % 30, k % 20, k % 2) for k in range(100)]))
    arguments = [str(recording), "--as", "cloud", "--out", str(tmp_path / "a.png")]
    result = CliRunner().invoke(command, arguments)
    assert result.stdout.startswith(f"{recording}: a sample is drawn, 20 of 100 events\n")
    document = json.loads(CliRunner().invoke(command, [*arguments, "--force", "--json"]).stdout)
    assert (document["events"], document["of_events"], document["drawn_events"]) == (100, 100, 20)


def test_a_part_of_the_time_is_drawn_and_a_film_says_what_a_page_shows(tmp_path: Path) -> None:
    recording = tmp_path / "a.bin"
    recording.write_bytes(atis_bytes([(9000 * k, k % 30, k % 20, k % 2) for k in range(100)]))
    out = str(tmp_path / "a.gif")
    times = ["--from-us", "90000", "--to-us", "180000"]
    result = CliRunner().invoke(command, [str(recording), "--out", out, *times, "--bins", "4"])
    assert ": frames, 4 pages of 20.25 ms, " in result.stdout
    document = json.loads(
        CliRunner().invoke(command, [str(recording), "--out", out, *times, "--force", "--json"]).stdout
    )
    assert (document["of_events"], document["drawn_events"], document["events"]) == (10, 10, 100)


def test_a_time_without_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="no event to draw"):
        draw(fixed(), tmp_path / "a.png", title="a", from_us=10**9)
    with pytest.raises(BadRecording, match="no event to draw"):
        draw(fixed(), tmp_path / "a.png", title="a", from_us=100, to_us=50)


@given(st.lists(st.tuples(st.floats(-1, 2), st.floats(0, 1)), min_size=1, max_size=20))
@settings(deadline=None)  # the first example loads a kernel
def test_colours_are_mixed_as_numpy_mixes_them(pixels: list[tuple[float, float]]) -> None:
    level, on_share = np.array(pixels).T
    for theme in THEMES.values():
        index = np.clip(level * 255 + 0.5, 0, 255).astype(np.uint8)
        on, off = ramp(theme, theme.on)[index], ramp(theme, theme.off)[index]
        mixed = off + (on - off) * on_share[:, None].astype(np.float32)
        assert (shade(level, on_share, theme) == (mixed + 0.5).astype(np.uint8)).all()


def test_bars_of_the_marked_time_are_bright_and_the_others_dimmed() -> None:
    theme = THEMES["dark"]
    events = Events(t=range(400), x=[0] * 400, y=[0] * 400, p=[1, 0] * 200, sensor=(1, 1))
    timeline = Timeline(Span(events), 400, theme)
    marked = np.asarray(timeline.marked((100.0, 200.0)))
    rows = marked[[20, 34]]  # of ON bars and of OFF bars
    bright, ground = (rows == np.array([[theme.on[0]], [theme.off[0]]])).all(-1), (rows == theme.line).all(-1)
    assert bright[:, 97:203].sum() + ground[:, 97:203].sum() >= 200
    assert not bright[:, :96].any()
    assert not bright[:, 204:].any()
    assert (np.asarray(timeline.base)[[20, 34]] == np.array([[theme.on[0]], [theme.off[0]]])).all(
        -1
    ).sum() == 600
