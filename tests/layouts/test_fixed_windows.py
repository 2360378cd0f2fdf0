"""Long recordings cut into windows of one length: which windows, whose label and split, and what a store of them holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import eventbench as eb
from eventbench import registry
from eventbench.authoring.task import new_task
from eventbench.errors import BadSpec
from eventbench.layouts.fixed_windows import FixedWindows
from eventbench.loading.parts import task_splits
from eventbench.recordings import windows
from eventbench.recordings.dataset import Dataset
from eventbench.specs import catalog
from eventbench.specs.sample import Extent, Sample
from eventbench.store.read import EventStore
from tests.support.miniatures import CLASSES, SENSOR, Miniature, atis_bytes, miniature, refused, run_cli

FOLDERS = {"name": "class_folders", "folders": {"train": "train", "test": "test"}, "suffix": ".bin"}


EXTENT = Extent(5, 10, 44)


def cut(sample: Sample | None = None, *, extent: Extent = EXTENT, **layout: Any) -> list[Sample]:
    made = registry.layouts.build({"name": "fixed_windows", "recordings": FOLDERS, **layout}, where="a.toml")
    return made.cut(sample or Sample("train/1", "train", 1, "ann", "1.bin"), extent)


def test_windows_begin_at_the_first_event_and_the_last_is_dropped_where_it_is_partial_or_kept() -> None:
    assert [sample.window for sample in cut(duration_us=10)] == [(10, 20), (20, 30), (30, 40)]
    assert [sample.window for sample in cut(duration_us=10, last="keep")][-1] == (40, 45)
    assert [sample.window for sample in cut(duration_us=20, stride=10)] == [(10, 30), (20, 40)]
    assert [sample.part for sample in cut(events=2)] == [(0, 2), (2, 4)]
    assert [sample.part for sample in cut(events=2, last="keep")] == [(0, 2), (2, 4), (4, 5)]
    assert [sample.part for sample in cut(events=3, stride=1)] == [(0, 3), (1, 4), (2, 5)]
    assert cut(duration_us=10, extent=Extent(0, None, None)) == []
    assert cut(duration_us=35) and not cut(duration_us=36)


def test_a_window_has_the_label_the_split_and_the_subject_of_its_recording() -> None:
    first, *_ = cut(duration_us=10)
    assert first == Sample("train/1/00000", "train", 1, "ann", "1.bin", window=(10, 20))
    assert cut(events=2, id="{recording}@{number}")[1].id == "train/1@1"
    nobodys = Sample(
        "train/1", "train", 1, "", "1.bin"
    )  # then what belongs together is what was recorded at once
    assert {sample.subject for sample in cut(nobodys, duration_us=10)} == {"train/1"}


def test_labelled_windows_are_cut_within_themselves() -> None:
    gesture = Sample("a/01", "train", 0, "ann", "a.bin", window=(20, 41))
    assert [sample.window for sample in cut(gesture, duration_us=10)] == [(20, 30), (30, 40)]
    by_number = gesture._replace(window=None, part=(1, 5))
    assert [sample.part for sample in cut(by_number, events=2)] == [(1, 3), (3, 5)]
    with pytest.raises(BadSpec, match="allowed: whole recordings, or parts in the unit of the windows"):
        cut(gesture, events=2)
    with pytest.raises(BadSpec, match="a part given in events"):
        cut(by_number, duration_us=2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "allowed: one of duration_us and events over 0"),
        ({"duration_us": 5, "events": 5}, "allowed: one of duration_us and events over 0"),
        ({"duration_us": 5, "stride": -1}, "stride of 0 or more"),
        ({"duration_us": 5, "last": "pad"}, r"last is 'pad'; allowed: drop, keep"),
        ({"duration_us": 5, "id": "{number}"}, r"allowed: a name with \{recording\} and \{number\}"),
        ({"duration_us": 5, "recordings": {"name": "fixed_windows"}}, "recordings are cut twice"),
        ({"duration_us": 5, "recordings": {"name": "class_foldrs"}}, "did you mean 'class_folders'"),
        ({"duration_us": 5, "recordings": {"name": "class_folders"}}, "folders"),
        ({"duration_us": 5, "recordings": {}}, "has no name"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(BadSpec, match=message):
        cut(**wrong)


def long_miniature(folder: Path, **layout: Any) -> Miniature:
    """Four recordings a split of 60 events in some 120 ms each, cut as `layout` says."""
    fixed = {"name": "fixed_windows", "recordings": FOLDERS, **layout}
    return miniature(folder, 4, 4, layout=fixed, splits={"train": {}, "test": {}})


@pytest.mark.parametrize("layout", [{"duration_us": 20_000}, {"events": 13, "last": "keep"}])
def test_a_store_holds_the_windows_of_every_recording_all_in_its_split(
    layout: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(windows, "SMALL_BYTES", -1)
    mini = long_miniature(tmp_path, **layout)
    status, _, err = run_cli(capsys, "preprocess", str(mini.card), *mini.flags)
    assert status == 0, err
    [path] = mini.places.cache.glob("mini/events-*.h5")
    store = EventStore(path)
    by_id = {id: row for row, id in enumerate(store.ids)}
    for split in ("train", "test"):
        for k in range(1, 5):
            whole = eb.read(mini.file(split, k), SENSOR)
            opened = eb.open_recording(mini.file(split, k), SENSOR, cache_dir=tmp_path / "other")
            expected = (
                opened.windows(duration_us=20_000, partial=False)
                if "duration_us" in layout
                else opened.windows(events=13)
            )
            names = [id for id in store.ids if id.startswith(f"{split}/{k:05d}/")]
            assert len(names) == len(expected) > 3
            for name, events in zip(names, expected, strict=True):
                row = by_id[name]
                assert store[row] == events
                assert (store.splits[row], store.labels[row]) == (split, (k - 1) % 2)
            assert sum(map(len, expected)) <= len(whole)
    assert "was there" in run_cli(capsys, "preprocess", str(mini.card), *mini.flags)[1]
    mini.file("train", 1).write_bytes(atis_bytes([(k * 5000, 1, 1, 1) for k in range(90)]))
    assert "1 changed (train/left/00001.bin)" in run_cli(capsys, "preprocess", str(mini.card), *mini.flags)[1]


def test_the_second_listing_reads_no_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mini = long_miniature(tmp_path, duration_us=20_000)
    before = Dataset(mini.named_card, mini.places.data, cache=mini.places.cache).samples()
    monkeypatch.setattr(
        registry.sources.get("atis_bin"), "decode_counted", lambda *_: pytest.fail("decoded again")
    )
    assert Dataset(mini.named_card, mini.places.data, cache=mini.places.cache).samples() == before
    assert len(before) > 30


def test_a_broken_recording_is_named_and_left_out_where_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mini = long_miniature(tmp_path, duration_us=20_000)
    mini.file("train", 3).write_bytes(b"\1\2\3")
    status, out, _ = run_cli(capsys, "preprocess", str(mini.card), *mini.flags)
    assert status == 2
    assert "1 refused" in out and "00003.bin: truncated" in out
    status, out, err = run_cli(capsys, "preprocess", str(mini.card), "--keep-going", *mini.flags)
    assert status == 0, err
    assert "left out" in out and "00003.bin" in out


def test_recordings_that_give_no_window_are_named_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mini = long_miniature(tmp_path, duration_us=20_000)
    mini.file("train", 1).write_bytes(atis_bytes([(5, 1, 1, 1), (90, 1, 1, 1)]))
    out = run_cli(capsys, "preprocess", str(mini.card), *mini.flags)[1]
    assert "not taken: train/left/00001.bin: it is shorter than a window" in out
    none = long_miniature(tmp_path / "none", duration_us=10**9)
    assert "00004.bin: it is shorter than a window" in refused(
        capsys, "preprocess", str(none.card), *none.flags
    )


def test_a_task_of_windows_keeps_those_of_a_recording_on_one_side_of_validation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mini = long_miniature(tmp_path, duration_us=20_000)
    task = new_task(str(mini.card), tmp_path / "windows-v1.toml").path
    assert run_cli(capsys, "preprocess", str(mini.card), *mini.flags)[0] == 0
    store = EventStore(next(mini.places.cache.glob("mini/events-*.h5")))
    parts = task_splits(catalog.task(str(task)), store)
    chosen, trained = ({store.ids[row][:11] for row in rows} for rows in (parts.validation, parts.train))
    assert chosen and trained and not chosen & trained


def test_its_documentation_is_that_of_the_recordings_and_says_that_they_are_cut() -> None:
    layout = FixedWindows(recordings=FOLDERS, duration_us=5)
    assert layout.tree()[0] == ("train/<class>/*.bin", "split train; cut into windows")
    assert layout.rule().endswith("All windows of a recording are in its split.")
    assert layout.suffix == ".bin"
    assert layout.skips("train/left/._1.bin")
    assert FixedWindows(recordings={**FOLDERS, "skip": ["old_*"]}, duration_us=5).skips("train/old_1.bin")


def test_windows_without_events_are_told_by_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mini = long_miniature(tmp_path, duration_us=1_000)
    out = run_cli(capsys, "preprocess", str(mini.card), *mini.flags)[1]
    assert "no event in " in out and " of its " in out
    assert CLASSES[0] in out
