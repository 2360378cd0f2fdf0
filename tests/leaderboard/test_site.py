"""The page: one file, nothing loaded, nothing of a record alive in it, its plots where the numbers say."""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from eventbench.cli.site import command
from eventbench.errors import EventbenchError
from eventbench.leaderboard import axes, plots
from eventbench.leaderboard.site import page, write_site
from eventbench.leaderboard.view import task_board
from eventbench.specs.base import About
from eventbench.specs.record import Score
from tests.support import board_builder

VOID = {"meta", "br", "link", "input", "img", "hr"}


class Page(HTMLParser):
    """The tags and the text of a page; every tag that is opened must be closed in turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.stack: list[str] = []
        self.feed(html)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def html_of(place: Path) -> str:
    return page([task_board(place, board_builder.TASK)])


def test_the_page_is_well_formed_and_loads_nothing(tmp_path: Path) -> None:
    board_builder.showcase(tmp_path)
    parsed = Page(html_of(tmp_path))
    names = {tag for tag, _ in parsed.tags}
    assert names.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "image", "use"})
    for tag, attributes in parsed.tags:
        assert attributes.keys().isdisjoint({"src", "srcset", "action", "xlink:href"}), tag
        assert not [name for name in attributes if name.startswith("on")], tag
    assert "@import" not in html_of(tmp_path)
    assert "url(" not in html_of(tmp_path)


EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{ 7*7 }}"


def test_nothing_of_a_record_is_alive(tmp_path: Path) -> None:
    about = About(
        title=EVIL, paper=EVIL, url="javascript:alert(3)", licence=EVIL, authors=[EVIL, EVIL], notes=EVIL
    )
    board_builder.add(
        tmp_path,
        [3, 4],
        model=EVIL,
        config={EVIL: EVIL},
        about=about,
        training={EVIL: EVIL},
        environment={EVIL: EVIL},
        code=EVIL,
        store=EVIL,
        scores={EVIL: Score(value=1, unit=EVIL), "parameters": Score(value=5, unit=EVIL)},
    )
    board_builder.add(tmp_path, [9], scores={}, code=EVIL, store=EVIL)
    gone = board_builder.add(tmp_path, [1], model="gone")
    bad = gone.path.with_name("bad.json")
    bad.write_text(json.dumps({"schema": EVIL}))
    (tmp_path / "withdrawn.toml").write_text(f'"{gone.id}" = {json.dumps(EVIL)}\n')
    html = html_of(tmp_path)
    parsed = Page(html)
    names = {tag for tag, _ in parsed.tags}
    assert names.isdisjoint({"script", "img", "a"})
    assert not [name for _, attributes in parsed.tags for name in attributes if name.startswith("on")]
    assert "".join(parsed.text).count("<script>alert(1)</script>") > 12
    assert "49" not in "".join(parsed.text).partition("their")[0].split("alert(2)>'", 1)[1][:12]
    for drawing in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ET.fromstring(drawing)


def test_a_web_address_is_linked(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [3], about=About(url="https://example.org/paper?a=1&b=2"))
    links = [attributes for tag, attributes in Page(html_of(tmp_path)).tags if tag == "a"]
    assert links == [{"rel": "nofollow noopener", "href": "https://example.org/paper?a=1&b=2"}]


def test_the_table_says_rank_interval_ties_and_what_is_not_ranked(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [2], model="first")
    board_builder.add(tmp_path, [4], model="near")
    board_builder.add(tmp_path, [1], model="picked", training={"selection": "test-max"})
    bad = board_builder.add(tmp_path, [5], model="cheat")
    bad.predictions_path.unlink()
    text = " ".join(" ".join(Page(html_of(tmp_path)).text).split())
    assert "1 first 96.00 86.54 to 98.90 1 re-run 1.23 M" in text
    assert "2? near 92.00" in text
    assert "\N{EN DASH} picked its checkpoint was picked by the test score 98.00" in text
    assert f"Broken, not ranked: {bad.id} : " in text


def test_the_forest_plot_puts_means_intervals_and_runs_on_one_axis(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [10, 20], model="low")
    board_builder.add(tmp_path, [5], model="high")
    board = task_board(tmp_path, board_builder.TASK)
    plot = plots.forest(board)
    assert plot is not None
    ticks = {float(tick.text) / 100: tick.at for tick in plot.x_ticks}
    (one, at_one), *_, (two, at_two) = sorted(ticks.items())

    def place(value: float) -> float:
        return at_one + (value - one) / (two - one) * (at_two - at_one)

    for mark in plot.marks:
        figure = mark.row.metrics["accuracy"]
        assert figure.low is not None and figure.high is not None
        expected = (place(figure.low), place(figure.mean), place(figure.high))
        assert (mark.low, mark.x, mark.high) == pytest.approx(expected)
        runs = [place(run.scores["accuracy"].value) for run in mark.row.runs]
        assert [at for at, _ in mark.dots] == pytest.approx(runs)
        assert plot.left <= mark.low <= mark.x <= mark.high <= plot.right
        assert plot.top <= mark.y <= plot.bottom
    assert [mark.label for mark in plot.marks] == ["high", "low"]


def test_there_is_a_scatter_for_each_cost_and_none_for_the_dense_count(tmp_path: Path) -> None:
    board_builder.showcase(tmp_path)
    board = task_board(tmp_path, board_builder.TASK)
    assert [name for name, _ in plots.scatters(board)] == [
        "synaptic_operations.effective_acs",
        "synaptic_operations.effective_macs",
        "parameters",
    ]
    for _, plot in plots.scatters(board):
        by_cost = sorted(plot.marks, key=lambda mark: mark.x)
        name = next(n for n, p in plots.scatters(board) if p.x_title == plot.x_title)
        costs = [mark.row.metrics[name].mean for mark in by_cost]
        assert costs == sorted(costs)
        heights = [mark.row.metrics["accuracy"].mean for mark in sorted(plot.marks, key=lambda mark: -mark.y)]
        assert heights == sorted(heights)


def test_a_row_without_a_cost_is_named_where_it_cannot_be_drawn(tmp_path: Path) -> None:
    for model, cost in [("a", 10.0), ("b", 200.0), ("free", 0.0)]:
        board_builder.add(tmp_path, [3], model=model, scores={"parameters": Score(value=cost)})
    plot = plots.scatter(task_board(tmp_path, board_builder.TASK), "parameters")
    assert plot is not None
    assert ([mark.label for mark in plot.marks], plot.left_out) == (["a", "b"], ["free"])
    assert "Not drawn, for want of a cost above 0: free." in html_of(tmp_path)


@given(
    places=st.lists(st.tuples(st.floats(50, 480), st.floats(20, 280)), min_size=1, max_size=14),
)
def test_labels_of_points_stay_apart_and_inside(places: list[tuple[float, float]]) -> None:
    marks = [plots.Mark(None, x, y, y, y, "") for x, y in places]  # type: ignore[arg-type]
    plots.place_labels(marks, 44, 498, 292)
    for side in ("start", "end"):
        heights = sorted(mark.label_y for mark in marks if mark.anchor == side)
        assert all(two - one >= 17 - 1e-9 for one, two in pairwise(heights))
        assert all(height <= 286 for height in heights)


@given(low=st.floats(0, 1), high=st.floats(0, 1))
def test_an_axis_covers_its_values_with_a_few_round_ticks(low: float, high: float) -> None:
    low, high = sorted((low, high))
    start, end, ticks = axes.linear_axis(low, high)
    assert start - 1e-9 <= low and high <= end + 1e-9
    assert 2 <= len(ticks) <= 8
    assert ticks == sorted(set(ticks))


@given(low=st.floats(-3, 12), spread=st.floats(0, 8))
def test_a_logarithmic_axis_covers_its_values_and_has_ticks(low: float, spread: float) -> None:
    start, end, ticks = axes.log_axis(low, low + spread)
    assert start < low and low + spread < end
    assert all(start <= tick <= end for tick in ticks)
    assert 1 <= len(ticks) <= 12


def test_the_verb_writes_the_page_and_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventbench.home.shipped", lambda folder: tmp_path / "nothing shipped")
    board_builder.add(tmp_path / "board", [3])
    board_builder.make_task(tmp_path / "board", "another-v1")
    out = tmp_path / "a" / "site"
    arguments = ["--out", str(out), "--board", str(tmp_path / "board")]
    result = CliRunner().invoke(command, arguments)
    assert (result.exit_code, result.output) == (
        0,
        f"{out / 'index.html'}: ranked rows: 1, tasks with records: 1\n",
    )
    assert [path.name for path in out.iterdir()] == ["index.html"]
    assert "No record yet: another-v1." in (out / "index.html").read_text(encoding="utf-8")
    as_json = CliRunner().invoke(command, [*arguments, "--json"])
    assert json.loads(as_json.stdout) == {
        "page": str(out / "index.html"),
        "tasks": 1,
        "rows": 1,
        "broken": [],
    }


def test_a_broken_record_is_on_the_page_and_in_the_exit_status(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [3]).predictions_path.unlink()
    result = CliRunner().invoke(command, ["--out", str(tmp_path / "site"), "--board", str(tmp_path)])
    assert result.exit_code == 1
    assert "eventbench verify records gives the reason" in result.stderr
    assert "the predictions cannot be read" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_leaves_the_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text("older")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(EventbenchError) as caught:
        write_site([], tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'index.html'}: the page cannot be written: No space left on device; "
        "name a folder you may write to with --out"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text() == "older"
