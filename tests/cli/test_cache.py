"""eventbench cache: what is on disk is listed, damage is found and mended, and only garbage is removed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import pytest
from click.testing import CliRunner, Result
from filelock import FileLock

from eventbench import registry
from eventbench.cli.cache import command
from eventbench.preprocess.events_store import events_store
from eventbench.preprocess.frames_store import frames_store
from eventbench.preprocess.report import Refused
from eventbench.specs import raw_files
from eventbench.store.draft import Draft, Row
from eventbench.store.read import open_any
from eventbench.store.seal import UNSEALED
from tests.support.miniatures import (
    Miniature,
    atis_bytes,
    card_table,
    miniature,
    write_pipeline,
    write_toml,
)
from tests.support.stores import event_key, frame_path, seal_anew


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Miniature:
    """A miniature whose card and pipeline are the shipped ones."""
    made = miniature(tmp_path, train=6, test=2)
    (tmp_path / "shipped" / "datasets").mkdir(parents=True)
    (tmp_path / "shipped" / "pipelines").mkdir()
    made.card.rename(tmp_path / "shipped" / "datasets" / "mini.toml")
    made.pipeline.rename(tmp_path / "shipped" / "pipelines" / made.pipeline.name)
    monkeypatch.setattr("eventbench.home.shipped", lambda folder: tmp_path / "shipped" / folder)
    monkeypatch.setenv("EVENTBENCH_CACHE", str(made.places.cache))
    monkeypatch.setenv("EVENTBENCH_DATA", str(made.places.data))
    return made._replace(
        card=tmp_path / "shipped" / "datasets" / "mini.toml",
        pipeline=tmp_path / "shipped" / "pipelines" / made.pipeline.name,
    )


def make(mini: Miniature) -> tuple[Path, Path]:
    cache = mini.places.cache
    events = events_store(mini.named_card, mini.places.data, cache).store
    return events, frames_store(mini.named_card, mini.named_pipeline, cache).store


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def json_of(*arguments: object) -> dict[str, Any]:
    return json.loads(run(*arguments, "--json").stdout)


def states(mini: Miniature) -> dict[str, str]:
    return {Path(store["path"]).name: store["state"] for store in json_of("ls")["stores"]}


def flip_a_byte(store: Path, column: str, at: int = 0) -> None:
    with h5py.File(store) as file:
        place = file[column].id.get_offset() + at
    with store.open("r+b") as raw:
        raw.seek(place)
        byte = raw.read(1)[0]
        raw.seek(place)
        raw.write(bytes([byte ^ 0xFF]))


def gap_offset(frames: Path) -> list[int]:
    with h5py.File(frames) as file:
        return file["samples/gap_offset"][:].tolist()


def half_a_draft(mini: Miniature) -> Path:
    """What a run leaves that found its third recording broken."""
    path = mini.file("train", 1)
    sound = path.read_bytes()
    path.write_bytes(b"\x00" * 7)
    with pytest.raises(Refused):
        events_store(mini.named_card, mini.places.data, mini.places.cache)
    path.write_bytes(sound)
    (draft,) = mini.places.cache.glob("mini/*.draft")
    return draft


def test_complete_stores_are_listed_with_samples_and_size(mini: Miniature) -> None:
    events, frames = make(mini)
    sizes = [path.stat().st_size for path in (events, frames)]
    assert run("ls").stdout == (
        f"{mini.places.cache}: 2 stores, {sum(sizes) / 1e3:.1f} kB\n"
        f"  mini/{events.name}: 8 samples, {sizes[0] / 1e3:.1f} kB, complete\n"
        f"  mini/{frames.name}: 8 samples, {sizes[1] / 1e3:.1f} kB, complete\n"
    )
    events_item, frames_item = json_of("ls")["stores"]
    assert (events_item["layout"], events_item["pipeline"], events_item["of"]) == ("events", None, 8)
    assert (frames_item["layout"], frames_item["pipeline"], frames_item["bytes"]) == (
        "frames",
        "mini_frames-v1",
        sizes[1],
    )


def test_every_other_state_has_its_name_and_reason(mini: Miniature) -> None:
    events, frames = make(mini)
    newer = events.with_name("newer-00000000.h5")
    newer.write_bytes(events.read_bytes())
    with h5py.File(newer, "r+") as file:
        file.attrs["layout_version"] = 3
    seal_anew(newer)
    frames.write_bytes(b"nonsense")
    draft = a_draft_of_one_sample(mini)
    found = {Path(store["path"]).name: (store["state"], store["why"]) for store in json_of("ls")["stores"]}
    assert found[newer.name] == (
        "layout unknown",
        "layout version 3, this version of eventbench reads 1 and 2",
    )
    state, why = found[frames.name]
    assert state == "unreadable"
    assert why.startswith("not a readable HDF5 file (")
    assert found[draft.name][0] == "draft"
    assert f"  mini/{draft.name}: " in run("ls").stdout
    assert "draft with 1 of 8 done" in run("ls").stdout


def a_draft_of_one_sample(mini: Miniature) -> Path:
    draft = Draft(event_key(mini), [])
    row = Row(id="test/00001", split="test", label=0, subject="", sha256="", events=0, kept=0)
    draft.add(row, [])
    draft.close()
    return draft.folder


def test_a_store_of_other_code_is_explained_by_the_version(
    mini: Miniature, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, frames = make(mini)
    monkeypatch.setattr(registry.representations.get("frames"), "version", 2)
    (store,) = (store for store in json_of("ls")["stores"] if store["path"] == str(frames))
    assert (store["state"], store["why"]) == ("stale", "made with frames version 1, this is version 2")
    assert store["differs"] == ["representation"]
    present = frame_path(mini)
    lines = run("explain", "mini", "--pipeline", "mini_frames-v1").stdout.splitlines()
    assert lines[0] == "mini as frames of mini_frames-v1"
    assert lines[1] == (
        f"  store: {present}: not there; eventbench preprocess mini --pipeline mini_frames-v1 makes it"
    )
    assert lines[-3:] == [
        "other stores of mini: 2",
        f"  mini/{events.name}: complete",
        f"  mini/{frames.name}: stale: made with frames version 1, this is version 2",
    ]


def test_explain_gives_the_present_key_and_what_is_there(mini: Miniature) -> None:
    events, _ = make(mini)
    found = json_of("explain", "mini")
    assert (found["store"], found["state"], found["samples"]) == (str(events), "complete", 8)
    assert found["made_from"] == event_key(mini).value
    assert found["key"] == open_any(events).key
    assert f"  key: {found['key']}\n    layout: events\n" in run("explain", "mini").stdout


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sensor": [9, 6]}, "the card has changed: made with "),
        ({"source": {"name": "numpy_columns"}}, "made with the source atis_bin, this is numpy_columns"),
    ],
)
def test_a_changed_card_makes_its_old_stores_garbage(
    mini: Miniature, change: dict[str, Any], why: str
) -> None:
    events, frames = make(mini)
    write_toml(mini.card, card_table(6, 2) | change)
    found = {Path(store["path"]).name: store for store in json_of("ls")["stores"]}
    assert found[events.name]["state"] == "stale"
    assert why in found[events.name]["why"]
    would = json_of("gc", "--dry-run")
    assert [store["path"] for store in would["removed"]] == [str(events), str(frames)]
    assert events.exists()
    sizes = events.stat().st_size + frames.stat().st_size
    assert json_of("gc") == would | {"dry_run": False}
    assert would["bytes"] == sizes
    assert not events.parent.exists()


def test_changed_steps_are_explained(mini: Miniature) -> None:
    _, frames = make(mini)
    write_pipeline(mini.pipeline, steps=[{"name": "downsample", "factor": 2}])
    (store,) = (store for store in json_of("ls")["stores"] if store["path"] == str(frames))
    assert "made with the steps none, these are downsample" in store["why"]


def test_verify_names_the_samples_whose_bytes_have_changed(mini: Miniature) -> None:
    events, frames = make(mini)
    sound = run("verify")
    assert (sound.exit_code, sound.stdout) == (0, "stores: 2 checked, 0 broken\n")
    flip_a_byte(events, "events/dt", at=3)
    flip_a_byte(frames, "frames/gap", at=gap_offset(frames)[3] - 1)
    broken = run("verify")
    assert broken.exit_code == 1
    assert broken.stdout == (
        "stores: 2 checked, 2 broken\n"
        f"  broken: {events}: 1 of 8 samples are damaged: test/00001\n"
        f"  broken: {frames}: 1 of 8 samples are damaged: train/00001\n"
        "  eventbench cache repair makes broken stores again\n"
    )
    assert json_of("verify")["damaged"] == {str(events): ["test/00001"], str(frames): ["train/00001"]}


def test_verify_sees_changed_labels_names_and_bytes_of_no_sample(mini: Miniature) -> None:
    events, frames = make(mini)
    with h5py.File(events, "r+") as file:
        file["samples/label"][0] = 1
    renamed = frames.with_name("mini_frames-v1-0badcafe.h5")
    frames.rename(renamed)
    found = json_of("verify")["broken"]
    assert found[str(events)] == [UNSEALED]
    key = open_any(renamed).key[:8]
    assert found[str(renamed)] == [f"its name has the key 0badcafe, its content {key}: it was renamed"]
    assert states(mini)[renamed.name] == "stale"
    with renamed.open("r+b") as raw:
        raw.seek(400)  # between the seal and the HDF5 file
        raw.write(b"x")
    renamed.rename(frames)
    assert json_of("verify")["broken"][str(frames)] == [UNSEALED]


def test_a_store_of_a_layout_we_do_not_know_is_not_checked_and_not_broken(mini: Miniature) -> None:
    events, _ = make(mini)
    with h5py.File(events, "r+") as file:
        file.attrs["layout_version"] = 3
    seal_anew(events)
    result = run("verify")
    assert result.exit_code == 0
    assert result.stdout == (
        "stores: 1 checked, 0 broken\n"
        f"  not checked: {events}: layout version 3, this version of eventbench reads 1 and 2\n"
    )


def test_repair_makes_damaged_stores_again_byte_for_byte(mini: Miniature) -> None:
    events, frames = make(mini)
    before = [path.read_bytes() for path in (events, frames)]
    flip_a_byte(events, "events/dt", at=3)
    frames.write_bytes(before[1][:2000])
    result = run("repair")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("stores: 2 checked, 2 repaired, 0 not repaired\n")
    assert f"  repaired: {events}: 8 samples (was: 1 of 8 samples are damaged: test/00001)\n" in result.stdout
    assert [path.read_bytes() for path in (events, frames)] == before
    assert run("verify").exit_code == 0
    assert run("repair").stdout == "stores: 2 checked, 0 repaired, 0 not repaired\n"


def test_what_cannot_be_repaired_stays_and_the_reason_is_a_line(mini: Miniature) -> None:
    events, frames = make(mini)
    flip_a_byte(events, "events/dt", at=3)
    flip_a_byte(frames, "frames/gap")
    mini.file("train", 2).unlink()
    result = run("repair")
    assert result.exit_code == 1
    first, second, third = result.stdout.splitlines()
    assert first == "stores: 2 checked, 0 repaired, 2 not repaired"
    assert second.startswith("  not repaired: mini at ")
    assert "split 'train' has 5 of 6 recordings; missing: train/00002" in second
    assert third == f"  not repaired: {frames}: the store of events it is made from is broken"
    assert open_any(events).damaged() == ["test/00001"]


def test_gc_takes_drafts_unfinished_files_and_stray_locks_and_leaves_complete_stores(
    mini: Miniature,
) -> None:
    events, frames = make(mini)
    whole = events.read_bytes()
    events.unlink()
    draft = half_a_draft(mini)
    events.write_bytes(whole)
    unfinished = frames.with_name(frames.name + ".unfinished")
    unfinished.write_bytes(b"12345")
    stray = events.with_name("events-0badcafe.h5.lock")
    stray.touch()
    would = run("gc", "--dry-run")
    assert f"would remove mini/{unfinished.name}: an unfinished file (5 bytes)\n" in would.stdout
    assert f"would remove mini/{draft.name}: a draft with 2 samples done (" in would.stdout
    assert draft.exists()
    result = run("gc")
    assert result.exit_code == 0
    assert f"removed mini/{unfinished.name}: an unfinished file (5 bytes)\n" in result.stdout
    left = sorted(path.name for path in events.parent.iterdir() if path.suffix != ".lock")
    assert left == [events.name, frames.name]
    assert not stray.exists()
    assert run("gc").stdout == f"{mini.places.cache}: 0 removed, 0 bytes\n"


def test_gc_never_touches_a_store_that_is_being_written(mini: Miniature) -> None:
    draft = half_a_draft(mini)
    store = draft.with_name(draft.name.removesuffix(".draft"))
    with FileLock(store.with_name(store.name + ".lock")):
        (item,) = (item for item in json_of("ls")["stores"] if item["state"] == "draft")
        assert item["being_written"]
        for arguments in (["gc", "--dry-run"], ["gc"]):
            result = run(*arguments)
            assert f"left mini/{draft.name}: it is being written\n" in result.stdout
        assert json_of("gc")["left"] == [str(draft)]
    assert draft.exists()
    assert json_of("gc")["removed"][0]["path"] == str(draft)
    assert not draft.exists()


def test_stores_of_a_card_of_ones_own_stay_unless_asked_for(mini: Miniature, tmp_path: Path) -> None:
    own = write_toml(tmp_path / "own.toml", card_table(6, 2))
    (mini.places.data / "mini").rename(mini.places.data / "own")
    path = events_store(
        mini.named_card._replace(id="own", path=own), mini.places.data, mini.places.cache
    ).store
    assert states(mini) == {path.name: "own"}
    assert json_of("ls", "--card", own)["stores"][0]["state"] == "complete"
    assert json_of("gc")["removed"] == []
    assert path.exists()
    assert json_of("gc", "--own")["removed"][0]["why"] == "no shipped card and pipeline of these names"
    assert not path.exists()


def test_an_empty_cache_is_no_error(mini: Miniature) -> None:
    assert run("ls").stdout == f"{mini.places.cache}: 0 stores, 0 bytes\n"
    assert run("verify").stdout == "stores: 0 checked, 0 broken\n"


# Stores beside a folder of recordings


def test_verify_with_a_folder_says_what_changed_came_and_went(mini: Miniature) -> None:
    events, frames = make(mini)
    data = mini.places.data
    sound = run("verify", "--data-dir", data)
    assert (sound.exit_code, sound.stdout) == (
        0,
        f"stores: 2 checked, 0 broken\nrecordings at {data}: 2 stores compared, 0 made from others\n",
    )
    mini.file("train", 1).write_bytes(atis_bytes([(1, 2, 3, 1)]))
    mini.file("train", 3).rename(mini.raw / "train/left/new.bin")
    told = "raw files: 1 changed (train/left/00001.bin), 1 came (train/left/new.bin), 1 went (train/left/00003.bin)"
    result = run("verify", "--data-dir", data)
    assert (result.exit_code, result.stdout) == (
        1,
        "stores: 2 checked, 0 broken\n"
        f"recordings at {data}: 2 stores compared, 2 made from others\n"
        f"  made from others: {events}: {told}\n"
        f"  made from others: {frames}: {told}\n",
    )
    assert json_of("verify", "--data-dir", data)["recordings"] == {
        "data": str(data),
        "compared": 2,
        "differ": {str(events): told, str(frames): told},
        "not_compared": {},
    }
    # Without the option it is only the stores themselves.
    assert run("verify").exit_code == 0
    assert json_of("verify")["recordings"] is None


def test_verify_with_a_folder_reads_every_file(mini: Miniature, monkeypatch: pytest.MonkeyPatch) -> None:
    events, _ = make(mini)
    path = mini.file("train", 1)
    content = path.read_bytes()
    state = raw_files.file_state(path)
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    # A disk that has lost bits: size and times are as they were.
    monkeypatch.setattr("eventbench.recordings.changes.file_state", lambda _: state)
    told = json_of("verify", "--data-dir", mini.places.data)["recordings"]["differ"]
    assert told[str(events)] == "raw files: 1 changed (train/left/00001.bin)"


def test_verify_with_a_folder_that_has_no_such_recordings_says_so(mini: Miniature, tmp_path: Path) -> None:
    events, frames = make(mini)
    nowhere = tmp_path / "nowhere"
    result = run("verify", "--data-dir", nowhere)
    assert (result.exit_code, result.stdout) == (
        0,
        "stores: 2 checked, 0 broken\n"
        f"recordings at {nowhere}: 0 stores compared, 0 made from others\n"
        f"  not compared: {events}: no recordings of mini at {nowhere}\n"
        f"  not compared: {frames}: no recordings of mini at {nowhere}\n",
    )


def test_verify_with_a_folder_compares_stores_that_know_their_samples_alone(mini: Miniature) -> None:
    """A store of a card that pins its recordings, or of an earlier version."""
    events, frames = make(mini)
    frames.unlink()
    with h5py.File(events, "r+") as file:
        del file["raw"], file.attrs["raw_digest"]
    seal_anew(events)
    assert json_of("verify", "--data-dir", mini.places.data)["recordings"]["differ"] == {}
    mini.file("train", 1).write_bytes(atis_bytes([(1, 2, 3, 1)]))
    mini.file("test", 2).rename(mini.raw / "test/right/9.bin")
    assert json_of("verify", "--data-dir", mini.places.data)["recordings"]["differ"] == {
        str(
            events
        ): "raw files: 1 changed (train/left/00001.bin), 1 came (test/right/9.bin), 1 went (test/00002)"
    }


def test_frames_of_other_recordings_than_the_events_are_stale_and_garbage(mini: Miniature) -> None:
    events, frames = make(mini)
    mini.file("train", 1).write_bytes(atis_bytes([(1, 2, 3, 1)]))
    events_store(mini.named_card, mini.places.data, mini.places.cache)
    why = "the store of events was made from other recordings"
    assert f"  mini/{frames.name}: 8 samples, " in run("ls").stdout
    assert f"stale: {why}" in run("ls").stdout
    assert states(mini) == {events.name: "complete", frames.name: "stale"}
    assert [(entry["path"], entry["why"]) for entry in json_of("gc")["removed"]] == [(str(frames), why)]


def test_repair_from_other_recordings_says_so(mini: Miniature) -> None:
    events, frames = make(mini)
    flip_a_byte(events, "events/dt", at=3)
    flip_a_byte(frames, "frames/gap", at=gap_offset(frames)[3] - 1)
    mini.file("test", 2).write_bytes(atis_bytes([(1, 2, 3, 1)]))
    result = run("repair")
    assert result.exit_code == 0
    for path, damaged in ((events, "test/00001"), (frames, "train/00001")):
        assert (
            f"  repaired: {path}: 8 samples, from other recordings than before "
            f"(was: 1 of 8 samples are damaged: {damaged})\n"
        ) in result.stdout
    assert states(mini) == {events.name: "complete", frames.name: "complete"}


def test_explain_says_which_files_the_store_is_of(mini: Miniature) -> None:
    make(mini)
    raw = json_of("explain", "mini")["raw_files"]
    assert (raw["folder"], raw["files"]) == (str(mini.raw), 8)
    line = f"  raw files: 8 of {mini.raw}, with the digest {raw['digest']}\n"
    assert line in run("explain", "mini", "--pipeline", "mini_frames-v1").stdout
    assert json_of("explain", "mini", "--cache-dir", mini.card.parent)["raw_files"] is None
