"""eventbench verify: everything is recomputed, each broken thing is a line, and what is not at hand is listed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from eventbench import digest, home
from eventbench.cli.verify import command
from eventbench.errors import EventbenchError, UnknownName
from eventbench.preprocess.events_store import events_store
from tests.support import board_builder
from tests.support.miniatures import Miniature, card_table, miniature, write_pipeline, write_task, write_toml


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Miniature:
    """A miniature whose card, pipeline and task are the shipped ones, every id and file pinned."""
    first = miniature(tmp_path, train=4, test=2)
    shipped = tmp_path / "shipped"
    ready = first._replace(
        card=shipped / "datasets" / "mini.toml",
        pipeline=shipped / "pipelines" / first.pipeline.name,
        task=shipped / "leaderboard" / "tasks" / first.task.name,
    )
    for path in (ready.card, ready.pipeline, ready.task):
        path.parent.mkdir(parents=True)
    write_toml(ready.card, pinned(ready))
    write_pipeline(ready.pipeline)
    write_task(ready.task, ready, dataset="mini", pipeline="mini_frames-v1")
    monkeypatch.setattr("eventbench.home.shipped", lambda folder: shipped / folder)
    for name, folder in (
        ("DATA", first.places.data),
        ("CACHE", first.places.cache),
        ("BOARD", first.places.board),
    ):
        monkeypatch.setenv(f"EVENTBENCH_{name}", str(folder))
    return ready


def pinned(mini: Miniature) -> dict[str, Any]:
    """The card with the digests of what is on disk, and the companion file beside it."""
    table, lines = card_table(4, 2), []
    for split, count in (("train", 4), ("test", 2)):
        hashes = {f"{split}/{k:05d}": digest.of_file(mini.file(split, k)) for k in range(1, count + 1)}
        table["splits"][split]["ids"] = digest.of_lines(hashes)
        table["splits"][split]["files"] = digest.of_lines(f"{id} {sha}" for id, sha in hashes.items())
        lines += [f"{sha}  {id}\n" for id, sha in hashes.items()]
    mini.card.with_suffix(".sha256").write_text("".join(lines))
    return table


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(command, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def faults() -> dict[str, list[str]]:
    result = run("datasets", "--json")
    broken = json.loads(result.stdout)["datasets"]["broken"]
    assert result.exit_code == (1 if broken else 0)
    return broken


def test_all_three_are_checked_and_what_is_sound_is_said(mini: Miniature) -> None:
    events_store(mini.named_card, mini.places.data, mini.places.cache)
    result = run()
    assert result.exit_code == 0
    assert result.stdout == (
        "records: 0 checked, 0 broken\n"
        "datasets: 3 files checked, 0 broken\n"
        "  at hand: mini: its recordings are those the card pins\n"
        "stores: 1 checked, 0 broken\n"
    )
    document = json.loads(run("--json").stdout)
    assert list(document) == ["records", "datasets", "stores"]
    assert document["datasets"]["checked"] == [
        "datasets/mini.toml",
        "pipelines/mini_frames-v1.toml",
        "tasks/mini-v1.toml",
    ]


def test_recordings_that_are_not_at_hand_are_said_and_no_error(mini: Miniature) -> None:
    shutil.rmtree(mini.raw)
    result = run("datasets")
    assert result.exit_code == 0
    assert result.stdout == (
        "datasets: 3 files checked, 0 broken\n"
        f"  not at hand: mini: not checked (mini at {mini.places.data}: split 'train' has 0 of 4 recordings)\n"
    )


def test_a_folder_of_another_data_set_is_not_at_hand_and_names_the_card_that_reads_it(
    mini: Miniature,
) -> None:
    table = card_table(4, 2)
    table["source"], table["layout"]["suffix"] = {"name": "numpy_columns"}, ".npy"
    write_toml(mini.card, table)
    other = card_table(4, 2) | {"obtain": {"how": "ask", "folder": "mini"}}
    write_toml(mini.card.with_name("mini_binary.toml"), other)
    result = run("datasets")
    assert result.exit_code == 0, result.output
    assert (
        f"  not at hand: mini: not checked (mini at {mini.raw}: the folder holds other files (6 *.bin); "
        "card mini_binary reads such)\n"
    ) in result.stdout
    # Named, it is a fault, and the advice is how to obtain it.
    result = run("datasets", "mini")
    assert result.exit_code == 1
    assert (
        "holds other files (6 *.bin); card mini_binary reads such; to obtain it: ask for it" in result.stdout
    )
    # With one file of its own kind it is this data set gone wrong.
    (mini.raw / "train" / "left" / "00001.NPY").write_bytes(b"")
    assert list(faults()) == ["recordings of mini"]


def test_a_missing_and_a_changed_recording_are_told(mini: Miniature) -> None:
    path = mini.file("train", 3)
    sound = path.read_bytes()
    path.write_bytes(sound[:-5])
    assert faults() == {
        "recordings of mini": [
            f"mini at {mini.raw}: split 'train': train/00003 differ from the published ones; fetch them again: ask for it"
        ]
    }
    path.unlink()
    (reason,) = faults()["recordings of mini"]
    assert "split 'train' has 3 of 4 recordings; missing: train/00003" in reason
    result = run("datasets")
    assert result.stdout == f"datasets: 3 files checked, 1 broken\n  broken: recordings of mini: {reason}\n"


@pytest.mark.parametrize(
    ("split", "change", "message"),
    [
        (
            "train",
            {"per_class": [3, 2]},
            "split 'train': per_class is 2 counts with a sum of 5, the card has 2 classes and 4 samples",
        ),
        (
            "test",
            {"ids": "0" * 64},
            "split 'test': the ids that numbered gives are not those that ids pins",
        ),
        (
            "test",
            {"files": "0" * 64},
            "split 'test': the hashes in mini.sha256 are not those that files pins",
        ),
    ],
)
def test_a_card_that_does_not_agree_with_itself_is_broken(
    mini: Miniature, split: str, change: dict[str, Any], message: str
) -> None:
    table = pinned(mini)
    table["splits"][split] |= change
    write_toml(mini.card, table)
    assert message in faults()["datasets/mini.toml"]


def test_a_companion_file_with_a_line_missing_or_mangled_is_broken(mini: Miniature) -> None:
    beside = mini.card.with_suffix(".sha256")
    lines = beside.read_text().splitlines(keepends=True)
    beside.write_text("".join(lines[1:]))
    assert faults()["datasets/mini.toml"] == ["split 'train': mini.sha256 has 3 of its 4 samples"]
    beside.write_text("nonsense\n")
    assert faults()["datasets/mini.toml"] == ["mini.sha256: line 1 is 'nonsense'; allowed: <sha256> <id>"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pipeline": "frames-v9"}, "its pipeline: no pipeline named 'frames-v9'"),
        ({"dataset": "minni"}, "its dataset: no dataset named 'minni'; allowed: mini; did you mean 'mini'?"),
        ({"metrics": ["accuracy", "parametres"]}, "no metric named 'parametres'"),
        ({"rank_by": "latency"}, "it ranks by 'latency', which is none of its metrics"),
        ({"test": "exam"}, "the dataset has no split 'exam'"),
        ({"validation": {}}, "[validation] must have either split or carve"),
        ({"validation": {"split": "half"}}, "the dataset has no split 'half'"),
        ({"metric": []}, "unknown key 'metric' at '$'"),
    ],
)
def test_a_task_that_names_what_is_not_there_is_broken(
    mini: Miniature, change: dict[str, Any], message: str
) -> None:
    write_task(mini.task, mini, **({"dataset": "mini", "pipeline": "mini_frames-v1"} | change))
    (reason,) = faults()["tasks/mini-v1.toml"]
    assert reason.startswith(message)


def test_members_that_cannot_be_built_are_broken(mini: Miniature) -> None:
    write_pipeline(mini.pipeline, steps=[{"name": "downsample", "factr": 2}])
    table = msgspec.toml.decode(mini.card.read_bytes())
    write_toml(mini.card, table | {"source": {"name": "atis_bim"}})
    broken = faults()
    (step,), (source,) = broken["pipelines/mini_frames-v1.toml"], broken["datasets/mini.toml"]
    assert "unknown key 'factr' at '$'" in step
    assert source.startswith("no source named 'atis_bim'")
    assert "tasks/mini-v1.toml" not in broken


def test_a_tampered_record_is_a_line_a_reason(mini: Miniature) -> None:
    board_builder.make_task(mini.places.board)
    entry = board_builder.add(mini.places.board, [9])
    entry.path.write_text(entry.path.read_text().replace("0.82", "0.98"))
    result = run("records")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "records: 1 checked, 1 broken"
    assert f"  broken: {entry.id}: the run of seed 0 has accuracy 0.98, its predictions give 0.82" in lines
    assert f"  broken: {entry.id}: the dataset 'sim_gesture' has no file" in result.stdout


def test_a_damaged_store_is_broken(mini: Miniature) -> None:
    path = events_store(mini.named_card, mini.places.data, mini.places.cache).store
    path.write_bytes(path.read_bytes()[:-2000])
    result = run("stores")
    assert result.exit_code == 1
    assert result.stdout.startswith(
        f"stores: 1 checked, 1 broken\n  broken: {path}: damaged: its labels, its ids or its structure are"
    )


def test_another_part_is_refused() -> None:
    error = CliRunner().invoke(command, ["record"]).exception
    assert isinstance(error, UnknownName)
    assert str(error) == (
        "no part named 'record'; allowed: datasets, records, stores; did you mean 'records'?"
    )


def test_everything_shipped_is_sound(tmp_path: Path) -> None:
    assert home.shipped("datasets").is_dir()
    where = ["--data-dir", str(tmp_path), "--cache-dir", str(tmp_path), "--board", str(tmp_path)]
    result = run(*where)
    assert result.exit_code == 0, result.stdout
    assert "  at hand: sim_gesture: its recordings are those the card pins\n" in result.stdout


# Cards by name or path


@pytest.fixture
def own(mini: Miniature, tmp_path: Path) -> Path:
    """A card of the user's own that pins only counts, of the same recordings."""
    table = card_table(4, 2)
    splits = {name: {"samples": split["samples"]} for name, split in table["splits"].items()}
    obtain = {"how": "record it", "folder": "mini"}
    return write_toml(tmp_path / "own.toml", table | {"splits": splits, "obtain": obtain})


def test_a_card_of_ones_own_is_checked_and_pinned_by_its_path(own: Path, mini: Miniature) -> None:
    pins = mini.places.data / "own.pins.toml"
    result = run("datasets", str(own))
    assert (result.exit_code, result.stdout) == (
        0,
        "datasets: 1 files checked, 0 broken\n"
        "  at hand: own: its counts are the card's; nothing pins its recordings yet: "
        f"eventbench verify datasets {own} --write\n",
    )
    assert not pins.exists()
    result = run("datasets", str(own), "--write")
    assert (result.exit_code, result.stdout) == (
        0,
        "datasets: 1 files checked, 0 broken\n"
        f"  at hand: own: pinned here and now, not by the publisher: {pins}\n",
    )
    document = json.loads(run("datasets", str(own), "--json").stdout)["datasets"]
    assert (document["checked"], document["pinned_here"]) == ([str(own)], {"own": str(pins)})
    mini.file("train", 3).write_bytes(b"\0" * 5)
    result = run("datasets", str(own))
    assert result.exit_code == 1
    assert result.stdout == (
        "datasets: 1 files checked, 1 broken\n"
        f"  broken: recordings of own: own at {mini.raw}: split 'train': its files are not those that were pinned here at "
        f"first sight; bring back what was there, or, if the change is wanted, remove {pins} to pin again\n"
    )


def test_a_card_that_was_named_must_be_at_hand(own: Path, tmp_path: Path) -> None:
    for more in ([], ["--write"]):
        result = run("datasets", str(own), "--data-dir", str(tmp_path / "nowhere"), *more)
        assert result.exit_code == 1
        assert "  broken: recordings of own: own at " in result.stdout
        assert "split 'train' has 0 of 4 recordings; to obtain it: record it; " in result.stdout


def test_several_cards_are_checked_by_name_and_path_and_no_others(own: Path, mini: Miniature) -> None:
    write_toml(mini.card.with_name("other.toml"), {"sensor": [1, 1]})
    result = run("datasets", "mini", str(own))
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "datasets: 2 files checked, 0 broken\n  at hand: mini: its recordings are those the card pins\n"
    )


def test_a_card_of_ones_own_with_a_fault_is_broken(own: Path) -> None:
    table = msgspec.toml.decode(own.read_bytes())
    write_toml(own, table | {"source": {"name": "atis_bim"}})
    result = run("datasets", str(own))
    assert result.exit_code == 1
    assert f"  broken: {own}: no source named 'atis_bim'; " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["records", "a.toml"], "verify: records takes no card; eventbench verify datasets a.toml"),
        (["a.toml"], "verify: 'a.toml' is a card; eventbench verify datasets a.toml"),
        (["datasets", "a.toml"], "a.toml: cannot be read: No such file or directory"),
        (
            ["datasets", "minni"],
            "no dataset named 'minni'; allowed: mini; did you mean 'mini'?",
        ),
    ],
)
def test_what_is_no_card_to_check_is_refused(
    mini: Miniature, arguments: list[str], line: str
) -> None:  # the shipped card
    error = CliRunner().invoke(command, arguments).exception
    assert isinstance(error, EventbenchError)
    assert str(error) == line
