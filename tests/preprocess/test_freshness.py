"""Stores never go stale in silence: what changed, came or went in the folder is found, told, and leads to a new store."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from eventbench import digest
from eventbench.errors import BadDataset, BadStore
from eventbench.preprocess import freshness
from eventbench.preprocess.events_store import events_store
from eventbench.preprocess.frames_store import frames_store
from eventbench.preprocess.freshness import UNKNOWN_FILES, look_at_folder
from eventbench.preprocess.report import Refused, Report
from eventbench.recordings.dataset import Dataset
from eventbench.specs import catalog
from eventbench.store import paths as store_paths
from eventbench.store.differences import OTHER_EVENTS
from eventbench.store.read import EventStore, FrameStore
from tests.support.dataset_miniatures import dvs_gesture
from tests.support.miniatures import (
    Miniature,
    atis_bytes,
    card_table,
    miniature,
    refused,
    run_cli,
    sided_events,
    write_toml,
)
from tests.support.stores import event_path, frame_path, seal_anew

ONE_EVENT = atis_bytes([(1, 2, 3, 1)])
SOLE_CHANGE = "raw files: 1 changed (train/left/00001.bin)"


def unpinned(folder: Path, train: int = 6, test: int = 4, **changes: Any) -> Miniature:
    """A miniature whose card pins neither ids nor files."""
    table = card_table(train, test)
    splits = {name: {"samples": split["samples"]} for name, split in table["splits"].items()}
    return miniature(folder, train, test, **({"splits": splits} | changes))


@pytest.fixture
def mini(tmp_path: Path) -> Miniature:
    return unpinned(tmp_path)


def events(mini: Miniature, data: Path | None = None) -> Report:
    return events_store(mini.named_card, data or mini.places.data, mini.places.cache)


def frames(mini: Miniature) -> Report:
    return frames_store(mini.named_card, mini.named_pipeline, mini.places.cache)


def preprocess(mini: Miniature, capsys: pytest.CaptureFixture[str], *more: object) -> list[str]:
    """The lines of a command line that must end well."""
    status, out, err = run_cli(capsys, "preprocess", mini.card, *mini.flags, *more)
    assert (status, err) == (0, "")
    return out.splitlines()


def stored(mini: Miniature) -> dict[str, int]:
    """The number of events of each sample in the store."""
    store = EventStore(event_path(mini))
    return {id: len(store[row]) for row, id in enumerate(store.ids)}


def another_folder(mini: Miniature, folder: Path) -> Path:
    """The data folder of a copy of the recordings, times of change included."""
    shutil.copytree(mini.places.data, folder, copy_function=shutil.copy2)
    return folder


# Files that changed, came or went


def change(mini: Miniature) -> None:
    mini.file("train", 1).write_bytes(ONE_EVENT)


def change_to_the_same_size_and_an_old_time(mini: Miniature) -> None:
    path = mini.file("train", 1)
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def rename(mini: Miniature) -> None:
    mini.file("train", 1).rename(mini.raw / "train/left/new.bin")


def move_to_the_other_class(mini: Miniature) -> None:
    for name, other in (("left/00001.bin", "right/00001.bin"), ("right/00002.bin", "left/00002.bin")):
        (mini.raw / "train" / name).rename(mini.raw / "train" / other)


@pytest.mark.parametrize(
    ("mend", "told"),
    [
        (change, SOLE_CHANGE),
        (change_to_the_same_size_and_an_old_time, SOLE_CHANGE),
        (rename, "raw files: 1 came (train/left/new.bin), 1 went (train/left/00001.bin)"),
        (
            move_to_the_other_class,
            "raw files: 2 came (train/left/00002.bin, train/right/00001.bin), "
            "2 went (train/left/00001.bin, train/right/00002.bin); "
            "samples with another label, split or subject: 2 (train/00001, train/00002)",
        ),
    ],
)
def test_what_changed_came_or_went_is_told_and_leads_to_a_new_store(
    mini: Miniature,
    capsys: pytest.CaptureFixture[str],
    mend: Callable[[Miniature], None],
    told: str,
) -> None:
    preprocess(mini, capsys)
    old = event_path(mini).read_bytes()
    mend(mini)
    lines = preprocess(mini, capsys)
    assert "was there" not in lines[1]
    assert lines[3:] == [f"  made again: {told}"]
    assert event_path(mini).read_bytes() != old
    fresh = mini._replace(places=mini.places.__class__(mini.places.data, mini.card.parent / "2", Path()))
    events(fresh)
    assert event_path(mini).read_bytes() == event_path(fresh).read_bytes()
    lines = preprocess(mini, capsys)
    assert lines[1].endswith("; was there")
    assert len(lines) == 3


def test_what_led_to_a_new_store_is_in_the_json(mini: Miniature, capsys: pytest.CaptureFixture[str]) -> None:
    def document() -> list[dict[str, Any]]:
        lines = preprocess(mini, capsys, "--pipeline", mini.pipeline, "--json")
        return json.loads("\n".join(lines))["stores"]

    assert [(store["made_again"], store["not_looked_at"]) for store in document()] == [("", "")] * 2
    change(mini)
    changed = document()
    assert [store["made_again"] for store in changed] == [SOLE_CHANGE, OTHER_EVENTS]
    assert [store["found"] for store in changed] == [0, 0]
    assert [store["found"] for store in document()] == [10, 10]


def test_a_folder_that_grows_is_told_by_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mini = unpinned(tmp_path, train=20)
    preprocess(mini, capsys)
    for k in range(1, 20, 2):
        mini.file("train", k).write_bytes(ONE_EVENT)
    names = ", ".join(f"train/left/{k:05d}.bin" for k in (1, 3, 5, 7, 9))
    assert preprocess(mini, capsys)[3:] == [f"  made again: raw files: 10 changed ({names} and 5 more)"]


def test_a_count_that_the_card_pins_is_refused_and_what_went_is_named(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    preprocess(mini, capsys)
    old = event_path(mini).read_bytes()
    mini.file("train", 3).unlink()
    line = refused(capsys, "preprocess", mini.card, *mini.flags)
    assert line.startswith(
        f"mini at {mini.raw}: split 'train' has 5 of 6 recordings "
        "(since the store was made, raw files: 1 went (train/left/00003.bin)); "
    )
    assert event_path(mini).read_bytes() == old


def test_the_old_store_stays_until_the_new_one_is_complete(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    preprocess(mini, capsys)
    old = event_path(mini).read_bytes()
    mini.file("train", 6).write_bytes(b"abc")
    for _ in range(2):
        with pytest.raises(Refused):
            events(mini)
        assert event_path(mini).read_bytes() == old
    mini.file("train", 6).write_bytes(ONE_EVENT)
    report = events(mini)
    assert report.made_again == "raw files: 1 changed (train/right/00006.bin)"
    assert report.already_done == 9
    assert stored(mini)["train/00006"] == 1


# What looks unchanged is not read


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are hashed from here on."""
    names: list[str] = []
    of_file = digest.of_file

    def noted(path: Path) -> str:
        names.append(path.name)
        return of_file(path)

    monkeypatch.setattr(digest, "of_file", noted)
    return names


def test_only_what_looks_changed_is_hashed(mini: Miniature, hashed: list[str]) -> None:
    events(mini)
    assert hashed == []
    assert events(mini).already_done == 10
    assert hashed == []
    mini.file("test", 3).touch()
    report = events(mini)
    assert (report.already_done, report.made_again) == (10, "")
    assert hashed == ["00003.bin"]


def test_a_look_at_1100_files_takes_milliseconds(tmp_path: Path) -> None:
    mini = unpinned(tmp_path, train=1000, test=100)
    store = EventStore(events(mini).store)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        assert look_at_folder(store, mini.named_card, mini.places.data) == freshness.Freshness()
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.2  # 0.01 where nobody else is at work


# Other folders


def test_the_data_of_another_folder_do_not_answer_for_this_one(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = another_folder(mini, tmp_path / "other")
    (other / "mini/train/left/00001.bin").write_bytes(ONE_EVENT)
    preprocess(mini, capsys)
    whole = stored(mini)
    lines = preprocess(mini, capsys, "--data-dir", other)
    assert lines[3:] == [f"  made again: {SOLE_CHANGE}"]
    assert stored(mini) == whole | {"train/00001": 1}
    assert preprocess(mini, capsys)[3:] == [f"  made again: {SOLE_CHANGE}"]
    assert stored(mini) == whole


def test_a_copy_of_the_folder_is_hashed_and_its_store_is_there(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str], hashed: list[str]
) -> None:
    preprocess(mini, capsys)
    other = another_folder(mini, tmp_path / "other")
    lines = preprocess(mini, capsys, "--data-dir", other)
    assert (lines[1].endswith("; was there"), len(lines), len(hashed)) == (True, 3, 10)


def test_files_of_another_folder_with_the_same_size_and_time_are_not_taken_for_these(
    mini: Miniature, tmp_path: Path
) -> None:
    events(mini)
    other = another_folder(mini, tmp_path / "other")
    path = other / "mini/train/left/00001.bin"
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    before = mini.file("train", 1).stat()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert events(mini, other).made_again == SOLE_CHANGE


def no_folder(mini: Miniature) -> Path:
    return mini.places.data.parent / "nowhere"


def no_recordings_in_it(mini: Miniature) -> Path:
    folder = mini.places.data.parent / "others"
    (folder / "another_dataset").mkdir(parents=True)
    return folder


def not_mounted(mini: Miniature) -> Path:
    folder = mini.places.data.parent / "mnt"
    (folder / "mini").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("where", [no_folder, no_recordings_in_it, not_mounted])
def test_without_recordings_it_is_said_what_the_store_was_made_from_and_when(
    mini: Miniature, capsys: pytest.CaptureFixture[str], where: Callable[[Miniature], Path]
) -> None:
    preprocess(mini, capsys)
    os.utime(event_path(mini), (1_000_000_000, 1_000_000_000))
    data = where(mini)
    root = data / "mini" if where is not_mounted else data
    lines = preprocess(mini, capsys, "--data-dir", data)
    origin = f"store made from {mini.raw} on 2001-09-09 (no recordings of mini at {root})"
    assert lines[1].endswith("; was there")
    assert lines[3:] == [f"  not looked at: {origin}"]
    frames(mini)
    assert preprocess(mini, capsys, "--pipeline", mini.pipeline, "--data-dir", data)[3:4] == lines[3:]
    more = ("--pipeline", mini.pipeline, "--data-dir", data, "--json")
    store, of_frames = json.loads("\n".join(preprocess(mini, capsys, *more)))["stores"]
    assert of_frames["not_looked_at"] == origin
    assert (store["not_looked_at"], store["made_again"], store["found"]) == (origin, "", 10)


def test_the_own_folder_with_other_things_in_it_is_looked_at(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    preprocess(mini, capsys)
    shutil.rmtree(mini.raw)
    (mini.raw / "train").mkdir(parents=True)
    line = refused(capsys, "preprocess", mini.card, *mini.flags)
    assert "split 'train' has 0 of 6 recordings (since the store was made, raw files: 10 went (" in line


# Cards and files that pin


def pinned_table(mini: Miniature, *splits: str) -> dict[str, Any]:
    """The card's table with the ids and files of these splits pinned."""
    table = card_table(6, 4)
    dataset = Dataset(mini.named_card, mini.places.data)
    for split in splits:
        hashes = {s.id: digest.of_file(Path(s.recording)) for s in dataset.samples() if s.split == split}
        table["splits"][split]["ids"] = digest.of_lines(hashes)
        table["splits"][split]["files"] = digest.of_lines(f"{id} {sha}" for id, sha in hashes.items())
    return table


def test_where_the_card_pins_ids_and_files_its_store_answers_for_any_folder(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    write_toml(mini.card, pinned_table(mini, "train", "test"))
    preprocess(mini, capsys)
    store = EventStore(event_path(mini))
    assert (store.raw_files(), store.raw_digest) == (None, "")
    for data in (mini.places.data, no_folder(mini), no_recordings_in_it(mini)):
        lines = preprocess(mini, capsys, "--data-dir", data)
        assert (lines[1].endswith("; was there"), len(lines)) == (True, 3)


def test_a_card_that_pins_one_split_alone_does_not_answer_for_any_folder(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    write_toml(mini.card, pinned_table(mini, "test"))
    preprocess(mini, capsys)
    change(mini)
    assert preprocess(mini, capsys)[3:] == [f"  made again: {SOLE_CHANGE}"]
    mini.file("test", 1).write_bytes(ONE_EVENT)
    line = refused(capsys, "preprocess", mini.card, *mini.flags)
    assert (
        "split 'test': some files differ from the published ones (since the store was made, raw files: 1 changed"
        in line
    )


def test_simulated_recordings_need_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mini = miniature(tmp_path, train=2, test=2)
    text = catalog.card("sim_gesture_demo").path.read_text(encoding="utf-8")
    few = (("train = 20", "train = 1"), ("validation = 5", "validation = 0"), ("test = 5", "test = 0"))
    for shipped, wanted in (*few, ("takes = 2", "takes = 1"), ("1_200_000", "200_000")):
        assert shipped in text
        text = text.replace(shipped, wanted)
    text = text.partition("[splits")[0] + "[splits.train]\nsamples = 11\n"
    (tmp_path / "few.toml").write_text(text, encoding="utf-8")
    card = catalog.card(str(tmp_path / "few.toml"))
    store = events_store(card, tmp_path / "nowhere", mini.places.cache).store
    assert EventStore(store).raw_files() is None
    assert events_store(card, tmp_path / "nor here", mini.places.cache).notes == []


def write_pins(mini: Miniature, capsys: pytest.CaptureFixture[str]) -> Path:
    verify = ("verify", "datasets", mini.card, "--data-dir", mini.places.data, "--write")
    assert run_cli(capsys, *verify)[0] == 0
    return mini.places.data / "mini.pins.toml"


def test_after_verify_write_a_changed_file_is_refused_beside_a_complete_store_too(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    preprocess(mini, capsys)
    pins = write_pins(mini, capsys)
    assert preprocess(mini, capsys)[1].endswith("; was there")
    sound = mini.file("train", 1).read_bytes()
    change(mini)
    line = refused(capsys, "preprocess", mini.card, *mini.flags)
    assert line == (
        f"mini at {mini.raw}: split 'train': its files are not those that were pinned here at first sight "
        f"(since the store was made, {SOLE_CHANGE}); "
        f"bring back what was there, or, if the change is wanted, remove {pins} to pin again"
    )
    mini.file("train", 1).write_bytes(sound)
    assert preprocess(mini, capsys)[1].endswith("; was there")


def test_a_store_of_a_change_before_it_was_pinned_is_made_again(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    preprocess(mini, capsys)
    change(mini)
    write_pins(mini, capsys)
    assert preprocess(mini, capsys)[3:] == [f"  made again: {SOLE_CHANGE}"]


def test_a_pins_file_answers_for_recordings_that_are_not_there(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    preprocess(mini, capsys)
    change(mini)
    pins = write_pins(mini, capsys)
    mini.raw.rename(mini.raw.with_name("away"))
    line = refused(capsys, "preprocess", mini.card, *mini.flags)
    assert line.startswith(
        f"{pins}: split 'train': the store was not made from the recordings that are pinned; "
    )
    mini.raw.with_name("away").rename(mini.raw)
    preprocess(mini, capsys)
    mini.raw.rename(mini.raw.with_name("away"))
    lines = preprocess(mini, capsys)
    assert (lines[1].endswith("; was there"), len(lines)) == (True, 3)


# Labels and windows that stand in files of their own


@pytest.fixture
def gestures(tmp_path: Path) -> tuple[catalog.Named[Any], Path]:
    """The card and the data folder of a DVS128 Gesture of 36 samples."""
    shipped = catalog.card("dvs_gesture")
    dvs_gesture.write(tmp_path / "raw" / "own", shipped.spec)
    table = msgspec.toml.decode(shipped.path.read_bytes())
    table["splits"] = {"train": {"samples": 24}, "test": {"samples": 12}}
    return catalog.card(str(write_toml(tmp_path / "own.toml", table))), tmp_path / "raw"


def edit_labels(data: Path, edit: Callable[[str], str]) -> None:
    path = data / "own" / "user24_led_labels.csv"
    path.write_text(edit(path.read_text()))


def later(text: str) -> str:
    lines = text.splitlines()
    label, start, stop = lines[3].split(",")
    return "\n".join([*lines[:3], f"{label},{int(start) + 1},{stop}", *lines[4:]])


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (
            lambda text: text.replace("\n3,", "\n4,"),
            "samples with another label, split or subject: 1 (user24_led/03)",
        ),
        (later, "samples are other files or parts of files"),
    ],
)
def test_other_labels_and_windows_lead_to_a_new_store(
    gestures: tuple[catalog.Named[Any], Path], tmp_path: Path, edit: Callable[[str], str], told: str
) -> None:
    card, data = gestures
    assert events_store(card, data, tmp_path / "stores").notes == []
    assert events_store(card, data, tmp_path / "stores").already_done == 36
    edit_labels(data, edit)
    report = events_store(card, data, tmp_path / "stores")
    assert (report.notes, report.already_done) == ([f"made again: {told}"], 0)


def test_a_draft_of_other_windows_is_thrown_away(
    gestures: tuple[catalog.Named[Any], Path], tmp_path: Path
) -> None:
    card, data = gestures
    last = data / "own" / "user24_led.aedat"
    sound = last.read_bytes()
    last.write_bytes(b"abc")
    with pytest.raises(Refused):
        events_store(card, data, tmp_path / "stores")
    last.write_bytes(sound)
    assert events_store(card, data, tmp_path / "stores").already_done == 24
    last.write_bytes(b"abc")
    with pytest.raises(Refused):
        events_store(card, data, tmp_path / "stores")
    last.write_bytes(sound)
    edit_labels(data, later)
    assert events_store(card, data, tmp_path / "stores").already_done == 0


# Frames


def test_frames_go_stale_with_their_events(mini: Miniature, capsys: pytest.CaptureFixture[str]) -> None:
    events(mini)
    frames(mini)
    change(mini)
    events(mini)
    lines = preprocess(mini, capsys, "--pipeline", mini.pipeline)
    assert lines[1].endswith("; was there")
    assert lines[5:] == [f"  made again: {OTHER_EVENTS}"]
    assert int(FrameStore(frame_path(mini))[4].sum()) == 1
    assert FrameStore(frame_path(mini)).raw_files() == EventStore(event_path(mini)).raw_files()


def test_a_draft_of_frames_of_other_events_is_thrown_away(
    mini: Miniature, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eventbench.preprocess import frames_store as module

    events(mini)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "finish", full)
        with pytest.raises(BadStore, match="No space left"):
            frames(mini)
    change(mini)
    events(mini)
    assert frames(mini).already_done == 0
    assert int(FrameStore(frame_path(mini))[4].sum()) == 1


def test_a_store_that_does_not_say_what_it_was_made_from_is_made_again_once_recordings_are_there(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    import h5py

    preprocess(mini, capsys)
    with h5py.File(event_path(mini), "r+") as file:
        del file["raw"], file.attrs["raw_digest"]
    seal_anew(event_path(mini))
    lines = preprocess(mini, capsys, "--data-dir", no_folder(mini))
    assert lines[3].startswith("  not looked at: store made from files that it does not name on 20")
    assert preprocess(mini, capsys)[3:] == [f"  made again: {UNKNOWN_FILES}"]
    assert len(preprocess(mini, capsys)) == 3


# What others do meanwhile


def test_a_file_that_changes_while_it_is_read_is_refused_and_read_again(
    mini: Miniature, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Dataset.read_counted

    def then_changed(self: Dataset, sample: Any) -> Any:
        answer = read(self, sample)
        if sample.id == "train/00001":
            change(mini)
            self.files_read.read(sample.recording)  # as another sample of the same file would
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(Dataset, "read_counted", then_changed)
        with pytest.raises(BadDataset, match=r"00001\.bin: the file changed while it was read; run the same"):
            events(mini)
    assert not event_path(mini).exists()
    assert events(mini).already_done == 0
    assert stored(mini)["train/00001"] == 1


def test_a_stale_store_in_a_cache_that_cannot_be_written_is_refused_and_a_fresh_one_is_used(
    mini: Miniature, monkeypatch: pytest.MonkeyPatch
) -> None:
    events(mini)
    frames(mini)

    def read_only(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(store_paths, "FileLock", read_only)
    monkeypatch.setattr(Path, "mkdir", read_only)
    assert (events(mini).notes, frames(mini).notes) == ([], [])
    assert events(mini, no_folder(mini)).not_looked_at
    change(mini)
    with pytest.raises(BadStore, match="cannot be written: Read-only file system"):
        events(mini)


def test_a_recording_that_can_no_longer_be_read_is_named(
    mini: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    preprocess(mini, capsys)
    path = mini.file("train", 1)
    path.unlink()
    path.symlink_to("nowhere")
    line = refused(capsys, "preprocess", mini.card, *mini.flags)
    assert line == f"{path}: cannot be read: No such file or directory"
    path.unlink()
    os.mkfifo(path)
    assert str(path) in refused(capsys, "preprocess", mini.card, *mini.flags)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("r1,right", "r1,wrong"), "line 3: no class 'wrong'; allowed: left, right"),
        (("r2,", "r22,"), "line 4: r22.bin is not there"),
        (("r3,right,test", "r3,right,best"), "line 5: no split 'best'; allowed: train, test"),
        (("r4,left,train,c", "r0,left,test,a"), "line 6: sample r0 is in line 2 too"),
    ],
)
def test_a_table_that_went_wrong_is_told_and_no_store_is_served_in_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], message: str
) -> None:
    folder = tmp_path / "recordings"  # no folder of the card's name: --data-dir is the folder itself
    folder.mkdir()
    for k in range(6):
        (folder / f"r{k}.bin").write_bytes(atis_bytes(sided_events(k % 2, k)))
    rows = [
        f"r{k},{('left', 'right')[k % 2]},{'test' if k in (2, 3) else 'train'},{'abc'[k // 2]}"
        for k in range(6)
    ]
    table = folder / "labels.csv"
    table.write_text("\n".join(["path,label,split,subject", *rows]))
    card = write_toml(
        tmp_path / "own.toml",
        card_table(4, 2)
        | {"layout": {"name": "labels_csv", "suffix": ".bin"}, "splits": {"train": {}, "test": {}}},
    )
    flags = ("--data-dir", folder, "--cache-dir", tmp_path / "cache")
    assert run_cli(capsys, "preprocess", card, *flags)[0] == 0
    sound = table.read_text()
    assert change[0] in sound
    table.write_text(sound.replace(*change))
    assert message in refused(capsys, "preprocess", card, *flags)
    status, out, _ = run_cli(capsys, "cache", "verify", "--card", card, *flags)
    assert status == 1
    assert message in out
    # Another folder, with nothing of it, is not looked at, and that is said.
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.md").write_text("nothing here")
    _, out, _ = run_cli(capsys, "preprocess", card, "--data-dir", tmp_path / "other", *flags[2:])
    assert "not looked at: store made from " in out
