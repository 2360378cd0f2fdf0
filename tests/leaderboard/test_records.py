"""Records on disk: written whole or not at all, found by name, withdrawn, checked."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from eventbench import digest, home
from eventbench.errors import BadRecord, BadSpec, EventbenchError, UnknownName
from eventbench.leaderboard.check import check_evidence, check_record, check_records, replay
from eventbench.leaderboard.entry import content_digest, model_folder
from eventbench.leaderboard.records import find_record, load_entry, read_records, write_record
from eventbench.specs.record import Pinned, Score
from tests.support import board_builder


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_record_lies_under_its_task_model_moment_and_digest(tmp_path: Path) -> None:
    entry = board_builder.add(tmp_path, [3, 5, 4])
    stem = f"20261121T013000Z-{content_digest(entry.record)[:8]}"
    assert entry.id == f"gesture-v1/tcja_net/{stem}"
    assert files(tmp_path / "records") == [
        f"gesture-v1/tcja_net/{stem}.json",
        f"gesture-v1/tcja_net/{stem}.predictions.csv",
    ]
    assert content_digest(entry.record) == digest.of_value(msgspec.json.decode(entry.path.read_bytes()))
    lines = entry.predictions_path.read_text().splitlines()
    assert lines[0] == "id,label,seed0,seed1,seed2"
    assert lines[1] == "s0000,0,-1,-1,-1"
    assert entry.record.predictions == hashlib.sha256(entry.predictions_path.read_bytes()).hexdigest()


def test_rows_are_stored_in_order_of_id_whatever_order_they_come_in(tmp_path: Path) -> None:
    rows = board_builder.make_rows([3])
    entry = write_record(tmp_path, board_builder.make_record(tmp_path, [3]), reversed(rows))
    assert entry.predictions.ids == sorted(entry.predictions.ids)
    assert check_evidence(entry) == []


def test_an_id_with_a_comma_and_a_quote_survives(tmp_path: Path) -> None:
    rows = board_builder.make_rows([3])
    rows[0] = ('a,"b"', *rows[0][1:])
    entry = write_record(tmp_path, board_builder.make_record(tmp_path, [3]), rows)
    assert entry.predictions.ids[0] == 'a,"b"'
    assert check_evidence(entry) == []


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("tcja_net", "tcja_net"),
        ("my_model.py:MyNet", "MyNet"),
        ("../../evil.py:../x", "x"),
        ("a/b c", "a-b-c"),
        ("..", "model"),
        ("é", "model"),
    ],
)
def test_a_models_folder_is_a_safe_name(name: str, folder: str) -> None:
    assert model_folder(name) == folder


@pytest.mark.parametrize("fails_at", [1, 2])
def test_nothing_is_left_when_a_file_cannot_be_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    record = board_builder.make_record(tmp_path, [3, 5])
    before = files(tmp_path)
    calls: list[object] = []
    real = os.replace

    def full(source: object, target: object) -> None:
        calls.append(target)
        if len(calls) == fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(EventbenchError) as caught:
        write_record(tmp_path, record, board_builder.make_rows([3, 5]))
    target = tmp_path / "records/gesture-v1/tcja_net"
    assert str(caught.value).startswith(f"{target}/20261121T013000Z-")
    assert str(caught.value).endswith(
        ".json: the record cannot be written: No space left on device; nothing was left behind; "
        "make room or name another folder with --board, then submit again"
    )
    assert len(calls) == fails_at
    assert files(tmp_path) == before
    assert not (tmp_path / "records").exists()


def test_nothing_is_left_when_writing_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = board_builder.add(tmp_path, [3])
    record = board_builder.make_record(tmp_path, [7], created="2026-11-22T01:30:00Z")
    before = files(tmp_path)

    def interrupted(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_record(tmp_path, record, board_builder.make_rows([7]))
    assert files(tmp_path) == before
    assert first.path.exists()


def test_a_record_is_never_overwritten(tmp_path: Path) -> None:
    entry = board_builder.add(tmp_path, [3])
    content = entry.path.read_bytes()
    with pytest.raises(EventbenchError) as caught:
        board_builder.add(tmp_path, [3])
    assert str(caught.value) == (
        f"{entry.predictions_path}: there is a file of this name already; "
        "records are never overwritten; submit again to make a new one"
    )
    assert entry.path.read_bytes() == content
    assert entry.predictions_path.exists()


def test_a_record_that_does_not_fit_its_rows_is_not_written(tmp_path: Path) -> None:
    rows = board_builder.make_rows([3])
    record = board_builder.make_record(tmp_path, [3])
    with pytest.raises(BadRecord, match="49 samples are predicted, the record has 50"):
        write_record(tmp_path, record, rows[:-1])
    with pytest.raises(
        BadRecord, match="the row of sample 's0000' has 2 predictions; allowed: one for each of 1 runs"
    ):
        write_record(tmp_path, record, [(*row, 0) for row in rows])
    with pytest.raises(BadRecord, match="sample 's0000' is there more than once"):
        write_record(tmp_path, record, [rows[0], rows[0], *rows[2:]])
    with pytest.raises(BadRecord, match="prediction 5 is no class: 0 to 4, or -1 for a tie"):
        write_record(tmp_path, record, [(*rows[0][:2], 5), *rows[1:]])
    with pytest.raises(BadRecord, match=r"seeds \[0, 0\] repeat"):
        board_builder.add(tmp_path, [3, 4], seeds=[0, 0])
    with pytest.raises(BadRecord, match="the record has a value that JSON cannot hold: Out of range float"):
        board_builder.add(tmp_path, [3], scores={"firing_rate": Score(value=float("nan"))})
    with pytest.raises(BadRecord, match="allowed: text, finite numbers, lists and tables"):
        board_builder.add(tmp_path, [3], training={"epochs": object()})
    with pytest.raises(BadRecord, match="created is 'yesterday'; allowed: a time with its zone"):
        board_builder.add(tmp_path, [3], created="yesterday")
    assert not (tmp_path / "records").exists()


def test_a_record_is_found_by_path_by_id_and_by_any_unique_end_of_it(tmp_path: Path) -> None:
    one = board_builder.add(tmp_path, [3])
    board_builder.add(tmp_path, [4], model="pfa_net")
    stem = one.path.stem
    for name in (
        str(one.path),
        one.id,
        stem[-8:],
        stem[-5:],
        "gesture-v1/tcja",
        f"tcja_net/{stem}",
        f"{one.id}.json",
    ):
        assert find_record(tmp_path, name).id == one.id, name


def test_a_name_of_several_records_is_refused_with_all_of_them(tmp_path: Path) -> None:
    one, two = board_builder.add(tmp_path, [3]), board_builder.add(tmp_path, [4], model="pfa_net")
    with pytest.raises(EventbenchError) as caught:
        find_record(tmp_path, "2026")
    assert str(caught.value) == (
        f"'2026' matches 2 records; allowed: {two.id}, {one.id}; give more of the name"
    )


def test_a_name_of_no_record_is_refused_with_those_there_are(tmp_path: Path) -> None:
    one = board_builder.add(tmp_path, [3])
    with pytest.raises(UnknownName) as caught:
        find_record(tmp_path, "tcja_net-v9")
    assert str(caught.value) == (f"{tmp_path / 'records'}: no record named 'tcja_net-v9'; allowed: {one.id}")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "not valid JSON: Input data was truncated"),
        (b"[1]", "not a JSON object"),
        (b"{}", "schema is None; allowed: 1; read it with the version of eventbench that wrote it"),
        (
            b'{"schema":2,"new":0}',
            "schema is 2; allowed: 1; read it with the version of eventbench that wrote it",
        ),
        (b'{"schema":1}', "Object missing required field 'created'"),
    ],
)
def test_a_broken_record_is_named_and_the_others_are_read(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    good = board_builder.add(tmp_path, [3])
    bad = good.path.with_name("20261121T013001Z-00000000.json")
    bad.write_bytes(content)
    with pytest.raises(BadRecord) as caught:
        load_entry(bad)
    assert str(caught.value) == f"{bad}: {problem}"
    records = read_records(tmp_path)
    assert [entry.id for entry in records.entries] == [good.id]
    assert [(item.id, item.reason) for item in records.broken] == [
        ("gesture-v1/tcja_net/20261121T013001Z-00000000", f"{bad}: {problem}")
    ]


def test_a_withdrawn_record_carries_its_reason(tmp_path: Path) -> None:
    entry = board_builder.add(tmp_path, [3])
    (tmp_path / "withdrawn.toml").write_text(f'"{entry.id}" = "trained on a test subject"\n')
    assert read_records(tmp_path).entries[0].withdrawn == "trained on a test subject"
    assert find_record(tmp_path, entry.id).withdrawn == "trained on a test subject"


def test_withdrawing_what_is_not_there_is_reported_and_not_passed_over(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [3])
    (tmp_path / "withdrawn.toml").write_text('"gesture-v1/tcja_net/typo" = "why"\n')
    assert [(item.id, item.reason) for item in read_records(tmp_path, board_builder.TASK).broken] == [
        ("gesture-v1/tcja_net/typo", "withdrawn.toml names it, but there is no such record")
    ]
    assert read_records(tmp_path, "another").broken == []


def test_a_withdrawal_without_a_reason_is_refused(tmp_path: Path) -> None:
    (tmp_path / "withdrawn.toml").write_text('"a/b/c" = ""\n')
    with pytest.raises(BadSpec) as caught:
        read_records(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'withdrawn.toml'}: the reason of 'a/b/c' is ''; allowed: a sentence in quotes; "
        'write "<task>/<model>/<record>" = "why"'
    )


def test_replay_gives_the_accuracy_of_each_run_and_counts_ties_as_errors(tmp_path: Path) -> None:
    assert replay(board_builder.add(tmp_path, [1, 5])) == [49 / 50, 45 / 50]


def test_a_changed_prediction_is_found_twice_over(tmp_path: Path) -> None:
    entry = board_builder.add(tmp_path, [3])
    text = entry.predictions_path.read_text()
    entry.predictions_path.write_text(text.replace("s0000,0,-1", "s0000,0,0"))
    broken = check_evidence(load_entry(entry.path))
    assert len(broken) == 4
    assert broken[0].startswith("the predictions are not those that were scored: sha256 ")
    assert broken[1] == "the run of seed 0 has accuracy 0.94, its predictions give 0.96"
    assert broken[2].startswith("the run of seed 0 has accuracy.low 0.8")
    assert broken[3].startswith("the run of seed 0 has accuracy.high 0.9")
    with pytest.raises(BadRecord, match="not those that were scored"):
        replay(load_entry(entry.path))


def test_a_changed_score_is_found_twice_over(tmp_path: Path) -> None:
    entry = board_builder.add(tmp_path, [3], scores={"accuracy.ties": Score(value=0.02)})
    entry.path.write_text(
        entry.path.read_text().replace('"value": 0.94', '"value": 0.98').replace("0.02", "0.0")
    )
    broken = check_evidence(load_entry(entry.path))
    assert broken[0].startswith("its content belongs at gesture-v1/tcja_net/20261121T013000Z-")
    assert broken[0].endswith(".json: it was edited, renamed or moved")
    assert broken[1:] == [
        "the run of seed 0 has accuracy 0.98, its predictions give 0.94",
        "the run of seed 0 has accuracy.ties 0.0, its predictions give 0.02",
    ]


def test_a_record_moved_to_another_model_is_found(tmp_path: Path) -> None:
    entry = board_builder.add(tmp_path, [3])
    entry.path.parent.rename(entry.path.parent.with_name("better_net"))
    (broken,) = check_records(tmp_path).values()
    assert f"its content belongs at {entry.id}.json: it was edited, renamed or moved" in broken


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("s0007,2,2\n", "", "49 samples are predicted, the record has 50"),
        ("s0007,2,2\n", "s0006,2,2\n", "sample 's0006' is there more than once"),
        ("s0007,2,2\n", "t0007,2,2\n", "the samples are not in order of id"),
        (
            "id,label,seed0",
            "id,label,seed9",
            "the predictions are of seeds [9], the record's runs of seeds [0]",
        ),
        ("s0007,2,2\n", "s0007,9,2\n", "label 9 is no class: 0 to 4"),
    ],
)
def test_predictions_that_do_not_fit_are_found(tmp_path: Path, old: str, new: str, problem: str) -> None:
    entry = board_builder.add(tmp_path, [3])
    text = entry.predictions_path.read_text()
    assert old in text
    entry.predictions_path.write_text(text.replace(old, new))
    assert problem in check_evidence(load_entry(entry.path))


def test_a_table_that_cannot_be_read_is_located(tmp_path: Path) -> None:
    entry = board_builder.add(tmp_path, [3])
    name = entry.predictions_path.name
    text = entry.predictions_path.read_text()
    entry.predictions_path.write_text(text.replace("s0007,2,2", "s0007,2,two"))
    assert check_evidence(load_entry(entry.path))[1:] == [
        f"{name}, line 9: the line is 's0007,2,two'; allowed: an id and 2 whole numbers"
    ]
    entry.predictions_path.unlink()
    assert check_evidence(load_entry(entry.path)) == [
        "the predictions cannot be read: No such file or directory"
    ]


def test_a_record_is_checked_against_the_files_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    monkeypatch.setattr(home, "shipped", lambda folder: shipped / folder)
    (shipped / "datasets").mkdir(parents=True)
    card = shipped / "datasets" / "sim_gesture.toml"
    card.write_text("sensor = [128, 128]\n")
    entry = board_builder.add(tmp_path, [3])
    assert check_record(entry, tmp_path) == [
        "the dataset 'sim_gesture' cannot be read: sim_gesture.toml: Object missing required field 'classes'",
        f"the pipeline 'frames16-v1' has no file {shipped / 'pipelines' / 'frames16-v1.toml'}",
    ]
    board_builder.make_task(tmp_path, text=board_builder.TASK_TOML.replace("0.1", "0.2"))
    assert check_record(entry, tmp_path)[0].startswith("the task 'gesture-v1' has changed since: digest ")


def test_every_record_of_a_sound_board_checks_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from eventbench.specs.base import load
    from eventbench.specs.pipeline import Pipeline

    shipped = tmp_path / "shipped"
    monkeypatch.setattr(home, "shipped", lambda folder: shipped / folder)
    for folder, name, text in [
        ("pipelines", "frames16-v1", '[representation]\nname = "frames"\nbins = 16\n'),
        (
            "datasets",
            "sim_gesture",
            'sensor = [64, 64]\nclasses = ["a"]\nsplits = {}\nsource = { name = "s" }\nobtain = { how = "" }\n',
        ),
    ]:
        (shipped / folder).mkdir(parents=True)
        (shipped / folder / f"{name}.toml").write_text(text)
    from eventbench.specs.card import Card

    pipeline = load(shipped / "pipelines/frames16-v1.toml", Pipeline).digest
    card = load(shipped / "datasets/sim_gesture.toml", Card).digest
    entry = board_builder.add(
        tmp_path,
        [3, 4],
        pipeline=Pinned(id="frames16-v1", digest=pipeline),
        dataset=Pinned(id="sim_gesture", digest=card),
    )
    assert check_records(tmp_path) == {entry.id: []}
    stray = entry.path.with_name("20261121T013009Z-00000000.predictions.csv")
    stray.write_text("id,label,seed0\n")
    assert check_records(tmp_path)[f"gesture-v1/tcja_net/{stray.name}"] == [
        "predictions without a record: left by an interrupted submission; delete them"
    ]
