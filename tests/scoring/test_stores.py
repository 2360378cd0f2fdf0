"""A submission trained and scored from frames and from events: the same weights, the same figures, the same store named."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import torch

from eventbench.leaderboard.records import read_records
from eventbench.leaderboard.write import write_record
from eventbench.loading import choose
from eventbench.loading.loader import Loader
from eventbench.loading.resident_events import ResidentEvents
from eventbench.loading.resident_frames import ResidentFrames
from eventbench.loading.streamed import StreamedLoader
from eventbench.loading.task_data import TaskData
from eventbench.recordings.dataset import Dataset
from eventbench.scoring.harness import score
from eventbench.specs.card import SplitPins
from eventbench.specs.task import StoreKind
from eventbench.store.key import StoreKey
from eventbench.store.read import EventStore
from eventbench.submission.folder import SubmissionFolder
from eventbench.training.recipe import Recipe
from eventbench.training.train_submission import train_submission
from tests.support.miniatures import Miniature, miniature, run_cli
from tests.support.small_nets import TINY

CPU = torch.device("cpu")
RECIPE = Recipe(epochs=2, batch_size=5, learning_rate=0.05)


def trained_and_scored(
    data: TaskData, folder: Path, loader: type[Loader]
) -> tuple[dict[str, object], object]:
    """The weights, the record without its times, and the rows of the evidence."""
    train_submission(data, "conv_snn", TINY, [0, 1], folder, recipe=RECIPE)
    record, rows = score(data, SubmissionFolder(folder))
    assert isinstance(data.split("train"), loader)
    assert isinstance(data.split("test"), loader)
    return {
        "log": [(folder / f"seed{seed}.csv").read_text() for seed in (0, 1)],
        "weights": [run.weights for run in record.runs],
        "figures": [(run.scores["accuracy"], run.scores["parameters"]) for run in record.runs],
        "store": record.store,
        "pipeline": record.pipeline,
        "dataset": record.dataset,
        "code": record.code,
    }, rows


@pytest.mark.slow
def test_from_any_store_and_in_memory_or_not_the_record_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mini = miniature(tmp_path)

    def outcome(store: StoreKind, loader: type[Loader], name: str) -> object:
        return trained_and_scored(
            TaskData(mini.order, mini.places, CPU, store=store), tmp_path / name, loader
        )

    expected = outcome("frames", ResidentFrames, "frames")
    assert outcome("events", ResidentEvents, "events") == expected
    monkeypatch.setattr(choose, "free_bytes", lambda device: 0)
    assert outcome("frames", StreamedLoader, "frames_streamed") == expected
    assert outcome("events", StreamedLoader, "events_streamed") == expected


def test_the_command_line_trains_and_scores_without_a_store_of_frames(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mini = miniature(tmp_path)

    def record(store: str) -> dict[str, object]:
        out = tmp_path / store
        common = ["--task", mini.task, "--store", store, "--device", "cpu", *mini.flags]
        arguments = ["conv_snn", "--set", "channels=[4]", "--epochs", 1, "--seed", 0, "--out", out]
        assert run_cli(capsys, "train", *arguments, *common)[0] == 0
        status, stdout, _ = run_cli(capsys, "submit", out, "--json", "--board", out / "board", *common)
        assert status == 0
        content: dict[str, object] = json.loads(Path(json.loads(stdout)["path"]).read_text())
        return {key: content[key] for key in ("store", "task", "dataset", "pipeline", "predictions", "code")}

    events = record("events")
    assert frame_stores(mini) == []
    assert record("frames") == events
    assert len(frame_stores(mini)) == 1


def frame_stores(mini: Miniature) -> list[Path]:
    return list(mini.places.cache.rglob("mini_frames-v1-*.h5"))


def test_a_record_says_which_recordings_of_an_unpinned_card_it_is_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mini = miniature(tmp_path, splits={"train": {}, "test": {}})

    def record(store: str, seed: int) -> dict[str, object]:
        out = tmp_path / f"seed{seed}"
        common = ["--task", mini.task, "--store", store, "--device", "cpu", *mini.flags]
        assert run_cli(capsys, "train", "event_count", "--seed", seed, "--out", out, *common)[0] == 0
        status, stdout, err = run_cli(capsys, "submit", out, "--json", *mini.board, *common)
        assert status == 0, err
        content: dict[str, object] = json.loads(Path(json.loads(stdout)["path"]).read_text())
        return content

    frames, events = record("frames", 0), record("events", 1)
    digest = EventStore(StoreKey.of(mini.places.cache, mini.named_card).path).raw_digest
    assert frames["raw_digest"] == events["raw_digest"] == digest
    changed = mini.file("train", 3)
    changed.write_bytes(changed.read_bytes()[:-5])
    with pytest.raises(AssertionError, match=f"recordings is .*, here {digest[:8]}; nothing is written"):
        record("frames", 2)
    assert {entry.record.raw_digest for entry in read_records(mini.places.board).entries} == {digest}


def test_a_record_of_a_pinned_card_is_as_it_was(tmp_path: Path) -> None:
    mini = miniature(tmp_path)
    pinned = Dataset(mini.named_card, mini.places.data)
    hashes = {sample.id: pinned.read(sample)[1] for sample in pinned.samples()}
    splits = {
        split: msgspec.to_builtins(
            SplitPins.of(
                ids := [id for id in hashes if id.startswith(split)], hashes={id: hashes[id] for id in ids}
            )
        )
        for split in ("train", "test")
    }
    mini = miniature(tmp_path, splits=splits)
    data = TaskData(mini.order, mini.places, CPU)
    train_submission(data, "event_count", {}, [0], tmp_path / "s")
    record, rows = score(data, SubmissionFolder(tmp_path / "s"))
    assert record.raw_digest == ""
    entry = write_record(mini.places.board, record, rows)
    assert "raw_digest" not in entry.path.read_text()
