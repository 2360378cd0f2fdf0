"""A task's samples through a store of frames and through the store of events: equal batches, equal identity."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from eventbench.errors import BadSpec
from eventbench.loading import choose
from eventbench.loading.binned import BinnedStore
from eventbench.loading.loader import Loader
from eventbench.loading.resident_events import ResidentEvents
from eventbench.loading.resident_frames import ResidentFrames
from eventbench.loading.streamed import StreamedLoader
from eventbench.loading.task_data import TaskData
from eventbench.specs.task import StoreKind
from eventbench.store.read import FrameStore
from tests.support.miniatures import (
    Miniature,
    atis_bytes,
    miniature,
    run_cli,
    write_pipeline,
    write_task,
)

CPU = torch.device("cpu")
PARTS = ("train", "validation", "test")


@pytest.fixture
def mini(tmp_path: Path) -> Miniature:
    return miniature(tmp_path)


def stores(mini: Miniature) -> set[str]:
    """The stores of the cache, as "events" or the pipeline's name."""
    return {path.stem.rpartition("-")[0] for path in mini.places.cache.rglob("*.h5")}


def batches(loader: Loader, seed: int | None) -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    return list(loader.batches(5, generator, shift=0 if seed is None else 1))


def assert_same_data(one: TaskData, two: TaskData) -> None:
    assert one.store_digest == two.store_digest
    assert (one.sensor, one.time_steps, one.classes) == (two.sensor, two.time_steps, two.classes)
    assert (one.store.ids, one.store.classes, len(one.store)) == (
        two.store.ids, two.store.classes, len(two.store),
    )  # fmt: skip
    for part in PARTS:
        a, b = one.split(part), two.split(part)
        assert a.ids == b.ids
        for seed in (None, 3):
            for (x, labels), (y, same_labels) in zip(batches(a, seed), batches(b, seed), strict=True):
                assert torch.equal(x, y)
                assert torch.equal(labels, same_labels)


def kinds(data: TaskData) -> set[type[Loader]]:
    return {type(data.split(part)) for part in PARTS}


@pytest.mark.parametrize(
    ("steps", "representation", "held"),
    [
        ([], {}, ResidentEvents),
        ([], {"split_by": "count", "dtype": "float32"}, ResidentEvents),
        ([{"name": "crop", "x": 1, "y": 1, "width": 5, "height": 4}], {}, ResidentFrames),
        ([{"name": "downsample", "factor": 2}, {"name": "flip_polarity"}], {}, ResidentFrames),
    ],
    ids=["frames", "float frames by count", "crop", "downsample"],
)
def test_events_give_the_batches_of_frames_and_no_store_of_frames_is_made(
    mini: Miniature, steps: Sequence[dict[str, Any]], representation: dict[str, Any], held: type[Loader]
) -> None:
    write_pipeline(mini.pipeline, steps, **representation)
    events = TaskData(mini.order, mini.places, CPU, store="events")
    assert isinstance(events.store, BinnedStore)
    assert stores(mini) == {"events"}
    frames = TaskData(mini.order, mini.places, CPU)
    assert isinstance(frames.store, FrameStore)
    assert stores(mini) == {"events", "mini_frames-v1"}
    assert (kinds(events), kinds(frames)) == ({held}, {ResidentFrames})
    assert_same_data(events, frames)


@pytest.mark.parametrize("steps", [(), ({"name": "downsample", "factor": 2},)], ids=["frames", "downsample"])
def test_streamed_from_either_store_the_batches_are_the_same(
    mini: Miniature, monkeypatch: pytest.MonkeyPatch, steps: Sequence[dict[str, Any]]
) -> None:
    write_pipeline(mini.pipeline, steps)
    resident = TaskData(mini.order, mini.places, CPU)
    assert kinds(resident) == {ResidentFrames}
    monkeypatch.setattr(choose, "free_bytes", lambda device: 0)
    choices: tuple[StoreKind, ...] = ("events", "frames")
    for store in choices:
        streamed = TaskData(mini.order, mini.places, CPU, store=store)
        assert kinds(streamed) == {StreamedLoader}
        assert_same_data(streamed, resident)


def test_a_task_that_names_events_takes_frames_where_they_are(mini: Miniature, tmp_path: Path) -> None:
    write_task(tmp_path / "events-v1.toml", mini, store="events")
    order = mini._replace(task=tmp_path / "events-v1.toml").order
    assert order.spec.store == "events"
    first = TaskData(order, mini.places, CPU)
    assert isinstance(first.store, BinnedStore)
    made = TaskData(order, mini.places, CPU, store="frames")
    assert isinstance(made.store, FrameStore)
    then = TaskData(order, mini.places, CPU)
    assert isinstance(then.store, FrameStore)
    asked = TaskData(order, mini.places, CPU, store="events")
    assert isinstance(asked.store, BinnedStore)
    assert_same_data(first, then)


def test_a_task_without_the_key_has_the_digest_it_had(mini: Miniature, tmp_path: Path) -> None:
    plain = mini.order.spec.digest
    for store, same in (("frames", True), ("events", False)):
        write_task(tmp_path / "said-v1.toml", mini, store=store)
        assert (mini._replace(task=tmp_path / "said-v1.toml").order.spec.digest == plain) is same


def test_an_unknown_store_is_refused(mini: Miniature, tmp_path: Path) -> None:
    write_task(tmp_path / "bad-v1.toml", mini, store="pictures")
    with pytest.raises(BadSpec, match=r"^bad-v1.toml: Invalid enum value 'pictures' at '\$.store'$"):
        _ = mini._replace(task=tmp_path / "bad-v1.toml").order


# Recordings that changed, or are not there


@pytest.mark.parametrize("store", ["frames", "events"])
def test_recordings_that_changed_lead_to_new_stores(mini: Miniature, store: StoreKind) -> None:
    before = TaskData(mini.order, mini.places, CPU, store=store)
    assert (before.notes, TaskData(mini.order, mini.places, CPU, store=store).notes) == ([], [])
    mini.file("test", 1).write_bytes(atis_bytes([(1, 2, 3, 1)]))
    after = TaskData(mini.order, mini.places, CPU, store=store)
    again = ["made again: raw files: 1 changed (test/left/00001.bin)"]
    if store == "frames":
        again.append("made again: the store of events was made from other recordings")
    assert after.notes == again
    assert float(batches(after.split("test"), None)[0][0][:, 0].sum()) == 1
    assert TaskData(mini.order, mini.places, CPU, store=store).notes == []


@pytest.mark.parametrize("store", ["frames", "events"])
def test_recordings_that_are_not_there_are_noted(mini: Miniature, store: StoreKind) -> None:
    TaskData(mini.order, mini.places, CPU, store=store)
    away = replace(mini.places, data=mini.places.data.with_name("nowhere"))
    (note,) = TaskData(mini.order, away, CPU, store=store).notes
    assert note.startswith(f"not looked at: store made from {mini.raw} on 20")


def test_frames_of_other_events_are_made_again_even_without_recordings(mini: Miniature) -> None:
    TaskData(mini.order, mini.places, CPU)
    mini.file("test", 1).write_bytes(atis_bytes([(1, 2, 3, 1)]))
    TaskData(mini.order, mini.places, CPU, store="events")
    away = replace(mini.places, data=mini.places.data.with_name("nowhere"))
    notes = TaskData(mini.order, away, CPU, store="frames").notes
    assert len(notes) == 2
    assert notes[0].startswith("not looked at: store made from ")
    assert notes[1] == "made again: the store of events was made from other recordings"


def test_train_and_submit_say_what_was_not_looked_at(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    TaskData(mini.order, mini.places, CPU)
    where = [
        "--task",
        mini.task,
        *mini.board,
        "--cache-dir",
        mini.places.cache,
        "--data-dir",
        tmp_path / "nowhere",
    ]
    origin = f"not looked at: store made from {mini.raw} on "
    train = ("train", "event_count", *where, "--out", tmp_path / "sub", "--seed", "0", "--json")
    submit = ("submit", tmp_path / "sub", *where, "--json")
    for arguments in (train, (*submit, "--check"), submit):
        status, out, err = run_cli(capsys, *arguments)
        assert status == 0, err
        assert [line.startswith(origin) for line in err.splitlines()] == [True]
        assert json.loads(out)["notes"] == err.splitlines()
