"""cache diff: what differs between two stores, and only that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eventbench.preprocess.events_store import events_store
from eventbench.preprocess.frames_store import frames_store
from eventbench.specs import catalog
from tests.support.miniatures import Miniature, atis_bytes, miniature, run_cli, write_pipeline

OLD = Path(__file__).parent / "fixtures" / "store_v1"


def made(mini: Miniature, cache: Path, pipeline: Path | None = None) -> tuple[Path, Path]:
    events = events_store(mini.named_card, mini.places.data, cache).store
    named = catalog.pipeline(str(pipeline or mini.pipeline))
    return events, frames_store(mini.named_card, named, cache).store


@pytest.fixture
def mini(tmp_path: Path) -> Miniature:
    return miniature(tmp_path, train=6, test=2, events=20)


def test_a_store_does_not_differ_from_itself(mini: Miniature, capsys: pytest.CaptureFixture[str]) -> None:
    for store in made(mini, mini.places.cache):
        status, out, _ = run_cli(capsys, "cache", "diff", store, store)
        assert (status, out) == (0, "key: made from the same\nsamples in both: 8; they hold the same\n")


def test_stores_of_two_layouts_can_hold_the_same(mini: Miniature, capsys: pytest.CaptureFixture[str]) -> None:
    mini.file("train", 3).write_bytes(atis_bytes([(5, 0, 0, 1), (200_000, 7, 5, 0), (8_000_000, 1, 2, 1)]))
    mini.file("train", 4).write_bytes(atis_bytes([(0, 0, 240, 0)]))
    for new, old in zip(made(mini, mini.places.cache), sorted(OLD.glob("*.h5")), strict=True):
        status, out, _ = run_cli(capsys, "cache", "diff", old, new)
        assert status == 0
        assert out.startswith("key: made with layout version 1, this is 2\n")
        assert out.endswith("samples in both: 8; they hold the same\n")


def test_changed_events_are_counted_by_column(mini: Miniature, capsys: pytest.CaptureFixture[str]) -> None:
    before, _ = made(mini, mini.places.cache)
    rows = [(10 * k, 1, 2, k % 2) for k in range(20)]
    mini.file("train", 1).write_bytes(atis_bytes(rows[:19]))
    mini.file("train", 2).write_bytes(atis_bytes(rows))
    after, _ = made(mini, mini.card.parent / "again")
    status, out, _ = run_cli(capsys, "cache", "diff", before, after, "--json")
    found = json.loads(out)
    assert status == 1
    assert (found["same"], found["contents_equal"], found["key"]) == (6, False, [])
    assert set(found["changed"]) == {"train/00001", "train/00002"}
    assert "20 events, then 19" in found["changed"]["train/00001"]
    assert any("t of 20 events" in clause for clause in found["changed"]["train/00002"])
    assert all(any("raw file" in clause for clause in how) for how in found["changed"].values())


def test_frames_of_other_pipelines_are_compared_cell_by_cell(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    _, four = made(mini, mini.places.cache)
    by_count = write_pipeline(tmp_path / "other" / "count-v1.toml", bins=4, split_by="count")
    more = write_pipeline(tmp_path / "other" / "more-v1.toml", bins=5)
    _, other = made(mini, mini.places.cache, by_count)
    _, five = made(mini, mini.places.cache, more)
    status, out, _ = run_cli(capsys, "cache", "diff", four, other)
    assert status == 1
    assert "key: the pipeline has changed" in out
    assert "of 384 cells differ, by up to" in out
    _, out, _ = run_cli(capsys, "cache", "diff", four, five)
    assert "frames uint8 (4, 2, 6, 8), then uint8 (5, 2, 6, 8)" in out


def test_samples_that_only_one_has_are_named(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, _ = made(mini, mini.places.cache)
    after, _ = made(miniature(tmp_path / "more", train=8, test=2, events=20), mini.card.parent / "again")
    status, out, _ = run_cli(capsys, "cache", "diff", before, after)
    assert status == 1
    assert "only in the second: 2 samples: train/00007, train/00008" in out


def test_events_and_frames_are_not_compared(mini: Miniature, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run_cli(capsys, "cache", "diff", *made(mini, mini.places.cache))
    assert status == 2
    assert "allowed: two stores of events, or two of frames" in err
