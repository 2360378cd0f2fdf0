"""Boards: pooled, ranked, refused where records do not belong together; two records compared; the verb."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from eventbench.cli.compare import command
from eventbench.errors import EventbenchError, NotComparable, UnknownName
from eventbench.leaderboard import figures
from eventbench.leaderboard.compare import compare
from eventbench.leaderboard.comparison_text import comparison_text
from eventbench.leaderboard.figures import MARKS
from eventbench.leaderboard.markdown import markdown_board
from eventbench.leaderboard.rows import Board, Row
from eventbench.leaderboard.site import page
from eventbench.leaderboard.table import board_text
from eventbench.leaderboard.view import task_board
from eventbench.leaderboard.write import write_record
from eventbench.specs.base import About
from eventbench.specs.record import Pinned, Run, Score
from eventbench.statistics.paired import mcnemar_exact
from eventbench.statistics.wilson import wilson
from eventbench.training.recipe import Recipe
from tests.support import board_builder


def view(place: Path) -> Board:
    return task_board(place, board_builder.TASK)


def order(board: Board) -> list[tuple[int | None, str]]:
    return [(row.rank, row.label) for row in board.rows]


def test_rows_are_ranked_by_mean_accuracy_and_equal_means_share_a_rank(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [10, 10], model="c_net")
    board_builder.add(tmp_path, [4, 6], model="b_net")
    board_builder.add(tmp_path, [5, 5], model="a_net")
    board_builder.add(tmp_path, [2], model="d_net")
    assert order(view(tmp_path)) == [(1, "d_net"), (2, "a_net"), (2, "b_net"), (4, "c_net")]


def test_a_figure_where_less_is_better_is_ranked_the_other_way(tmp_path: Path) -> None:
    text = board_builder.TASK_TOML.replace("metrics", 'rank_by = "latency"\nmetrics')
    task = board_builder.make_task(tmp_path, text=text)
    pinned = Pinned(id=board_builder.TASK, digest=task.digest)
    for model, latency in [("slow", 9.0), ("fast", 2.0)]:
        scores = {"latency": Score(value=latency, unit="ms", better="lower")}
        record = board_builder.make_record(tmp_path, [3], model=model, scores=scores, task=pinned)
        write_record(tmp_path, record, board_builder.make_rows([3]))
    board_builder.make_task(tmp_path, text=text)
    board = view(tmp_path)
    assert order(board) == [(1, "fast"), (2, "slow")]
    assert board.rows[1].checkpoints.tied is None and board.rows[1].procedure.tied is None


def test_recipes_are_told_apart_by_what_all_of_them_state_where_that_does(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [4], training={"recipe": {"epochs": 30}})
    later = {"epochs": 12, "amp": False}
    board_builder.add(tmp_path, [5], seeds=[1], training={"recipe": later}, created="2026-11-22T01:30:00Z")
    assert [row.label for row in view(tmp_path).rows] == ["tcja_net (epochs=30)", "tcja_net (epochs=12)"]
    other = {"epochs": 12, "amp": True}
    board_builder.add(tmp_path, [6], seeds=[2], training={"recipe": other}, created="2026-11-22T02:30:00Z")
    assert [row.label for row in view(tmp_path).rows] == [
        "tcja_net (epochs=30)",
        "tcja_net (amp=false, epochs=12)",
        "tcja_net (amp=true, epochs=12)",
    ]


def test_the_runs_of_all_records_of_a_model_are_pooled(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [4, 6])
    board_builder.add(tmp_path, [8], seeds=[2], created="2026-11-22T01:30:00Z")
    (row,) = view(tmp_path).rows
    figure = row.metrics["accuracy"]
    values = [46 / 50, 44 / 50, 42 / 50]
    assert figure.mean == pytest.approx(statistics.fmean(values))
    assert figure.std == pytest.approx(statistics.stdev(values))
    assert (figure.low, figure.high) == pytest.approx(wilson(44, 50))
    assert figure.seeds == 3
    assert len(row.records) == 2


def test_a_run_that_was_submitted_twice_counts_once_from_the_later_record(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [4, 6])
    later = board_builder.add(tmp_path, [4, 8], created="2026-11-22T01:30:00Z")
    (row,) = view(tmp_path).rows
    # Seed 0 has the same weights in both; seed 1 was trained again, so both of its runs count.
    assert [(run.seed, run.scores["accuracy"].value) for run in row.runs] == [(0, 0.92), (1, 0.88), (1, 0.84)]
    assert row.runs[0].entry.id == later.id


def test_another_configuration_is_another_row(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [4], config={"branches": "time"})
    board_builder.add(tmp_path, [5], config={"branches": "both"})
    assert order(view(tmp_path)) == [(1, "tcja_net (branches=time)"), (2, "tcja_net (branches=both)")]


def test_namesakes_from_two_peoples_files_are_two_rows_with_two_labels(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [4], model="a.py:Net", code="a" * 64)
    board_builder.add(tmp_path, [5], model="a.py:Net", code="b" * 64)
    board_builder.add(
        tmp_path, [6], model="a.py:Net", code="b" * 64, files={"a.py": "b" * 64, "c.py": "d" * 64}
    )
    labels = [row.label for row in view(tmp_path).rows]
    assert len(set(labels)) == 3
    assert all(re.fullmatch(r"a\.py:Net \(files=[0-9a-f]{8}\)", label) for label in labels)


def test_a_row_is_called_by_the_title_of_its_latest_record(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [4], model="a.py:Net", about=About(title="First try"))
    later = "2026-11-22T01:30:00Z"
    board_builder.add(
        tmp_path, [5], model="a.py:Net", seeds=[1], about=About(title="Fast\n net"), created=later, config={}
    )
    board_builder.add(tmp_path, [6], config={"rank": 4}, about=About(title="A net"))
    board_builder.add(tmp_path, [7], about=About())
    board = view(tmp_path)
    assert [row.label for row in board.rows] == ["Fast net", "A net (rank=4)", "tcja_net"]
    assert [(row.as_json()["title"], row.as_json()["model"]) for row in board.rows] == [
        ("Fast net", "a.py:Net"),
        ("A net", "tcja_net"),
        ("tcja_net", "tcja_net"),
    ]
    for text in (board_text(board), markdown_board(board), page([board])):
        assert "Fast net" in text and "a.py:Net" not in text.partition("record")[0]


def test_a_title_obeys_no_terminal_and_is_no_longer_than_fits(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [4], about=About(title="\x1b[31mred <b>bold</b> | cell"))
    board_builder.add(tmp_path, [5], model="b_net", about=About(title="long " * 100 + "a"))
    board_builder.add(tmp_path, [6], model="c_net", about=About(title="long " * 100 + "b"))
    board = view(tmp_path)
    assert "\x1b" not in board_text(board) + markdown_board(board) + page([board])
    assert "<b>" not in page([board])
    assert "<b>" not in markdown_board(board)
    assert all(len(row.title) <= 60 for row in board.rows)
    assert len({row.label for row in board.rows}) == 3


def test_two_rows_of_one_title_are_told_apart(tmp_path: Path) -> None:
    mine = About(title="Best net")
    board_builder.add(tmp_path, [4], model="a.py:Net", about=mine)
    board_builder.add(tmp_path, [5], model="tcja_net", about=mine)
    board_builder.add(tmp_path, [6], model="tcja_net", about=mine, training={"recipe": {"epochs": 30}})
    assert [row.label for row in view(tmp_path).rows] == [
        "Best net (model=a.py:Net)",
        "Best net (model=tcja_net, recipe=not stated)",
        "Best net (model=tcja_net, recipe=stated)",
    ]


def test_a_training_with_every_later_key_at_its_default_is_the_training_of_before(tmp_path: Path) -> None:
    first = {"epochs": 30, "batch_size": 32, "learning_rate": 0.003, "weight_decay": 0.01, "warmup": 0.1}
    first |= {"label_smoothing": 0.05, "shift_px": 2, "patience": 10}
    board_builder.add(tmp_path, [4], training={"recipe": first})
    now = msgspec.to_builtins(Recipe())
    assert now.keys() > first.keys()
    later = "2026-11-22T01:30:00Z"
    board_builder.add(tmp_path, [5], seeds=[1], training={"recipe": now}, created=later)
    board_builder.add(tmp_path, [6], seeds=[2], training={"recipe": now | {"amp": True}})
    board_builder.add(tmp_path, [7], seeds=[3], training={"recipe": now | {"learning_rate": 1, "amp": True}})
    board_builder.add(
        tmp_path,
        [8],
        seeds=[4],
        training={"recipe": now | {"learning_rate": 1.0, "amp": True}},
        created=later,
    )
    rows = view(tmp_path).rows
    assert [len(row.runs) for row in rows] == [2, 1, 2]
    assert [row.label for row in rows] == [
        "tcja_net (amp=false, learning_rate=0.003)",
        "tcja_net (amp=true, learning_rate=0.003)",
        "tcja_net (amp=true, learning_rate=1.0)",
    ]


def test_a_row_is_as_well_checked_as_its_least_checked_record(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [4], status="re-run")
    board_builder.add(tmp_path, [5], status="self-reported", seeds=[1])
    assert view(tmp_path).rows[0].status == "self-reported"


def test_a_checkpoint_picked_on_the_test_set_is_shown_and_not_ranked(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [5])
    board_builder.add(tmp_path, [1], training={"selection": "test-max"}, seeds=[1])
    board = view(tmp_path)
    assert order(board) == [(1, "tcja_net")]
    assert [(row.rank, row.why_unranked) for row in board.unranked] == [
        (None, "its checkpoint was picked by the test score")
    ]
    assert "- tcja_net is not ranked: its checkpoint was picked by the test score." in board_text(board)


def test_rows_that_the_test_samples_cannot_tell_from_the_first_are_marked(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [2], model="first")
    board_builder.add(tmp_path, [4], model="near")
    board_builder.add(tmp_path, [20], model="far")
    first, near, far = view(tmp_path).rows
    assert [row.checkpoints.tied for row in (first, near, far)] == [False, True, False]
    # One run each says nothing of how they are trained.
    assert [row.procedure.tied for row in (near, far)] == [None, None]
    assert [figures.rank_mark(row) for row in (first, near, far)] == ["", "?", "†"]
    # first is wrong on 2 samples that near is wrong on too: near alone is wrong on 2, far alone on 18.
    assert near.checkpoints.p == pytest.approx(mcnemar_exact(0, 2))
    assert far.checkpoints.p == pytest.approx(2 * mcnemar_exact(0, 18))


def test_a_withdrawn_record_is_listed_and_not_ranked(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [5])
    gone = board_builder.add(tmp_path, [1], model="leaky", store="0" * 64)
    (tmp_path / "withdrawn.toml").write_text(f'"{gone.id}" = "trained on test"\n')
    board = view(tmp_path)
    assert order(board) == [(1, "tcja_net")]
    assert board.as_json()["withdrawn"] == [{"record": gone.id, "reason": "trained on test"}]
    assert f"- withdrawn: {gone.id}: trained on test" in board_text(board)


def test_a_record_that_does_not_say_its_recordings_is_told_apart_from_those_that_do(tmp_path: Path) -> None:
    old = board_builder.add(tmp_path, [1])
    assert "raw_digest" not in old.path.read_text()
    assert order(view(tmp_path)) == [(1, "tcja_net")]  # beside others that do not say it either
    new = board_builder.add(tmp_path, [5], raw_digest="1" * 64, created="2026-11-22T01:30:00Z", seeds=[1])
    board = view(tmp_path)
    assert [row.records for row in board.rows] == [[new.id]]
    (row,) = board.unranked
    assert row.records == [old.id]
    assert row.why_unranked.startswith("it does not say which recordings it was scored on, as records of")
    (line,) = [row for row in compare(old, new)["provenance"] if row["field"] == "recordings"]
    assert (line["a"], line["b"], line["same"]) == (None, "1" * 64, False)


def test_a_tampered_record_is_listed_as_broken_and_not_ranked(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [5], model="honest")
    bad = board_builder.add(tmp_path, [9], model="cheat")
    bad.path.write_text(bad.path.read_text().replace("0.82", "0.98"))
    board = view(tmp_path)
    assert order(board) == [(1, "honest")]
    assert [item.id for item in board.broken] == [bad.id]
    assert (
        "it was edited, renamed or moved; the run of seed 0 has accuracy 0.98, its predictions give 0.82"
        in (board.broken[0].reason)
    )


def test_the_json_of_a_board_is_the_contracts(tmp_path: Path) -> None:
    first = board_builder.add(tmp_path, [3, 5], config={"tau": 2.0}, about=About(authors=["A. Author"]))
    second = board_builder.add(tmp_path, [20], model="plain_snn")
    result = CliRunner().invoke(command, [board_builder.TASK, "--board", str(tmp_path), "--json"])
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    low, high = wilson(46, 50)
    parameters = {
        "std": 0.0,
        "unit": "",
        "better": "lower",
        "mean": 1234567.0,
        "low": 1234567.0,
        "high": 1234567.0,
    }
    assert list(document) == [
        *("task", "rank_by", "samples", "rows", "unranked", "apart", "withdrawn", "broken")
    ]
    assert document["task"] == "gesture-v1"
    assert document["rows"][0] == {
        "rank": 1,
        "title": "tcja_net",
        "model": "tcja_net",
        "config": {"tau": 2.0},
        "status": "re-run",
        "tied_with_first": False,
        "p_first": None,
        "checkpoints_tied_with_first": False,
        "checkpoints_p_first": None,
        "accuracy": {
            "mean": 0.92,
            "std": pytest.approx(statistics.stdev([0.94, 0.9])),
            "low": pytest.approx(low),
            "high": pytest.approx(high),
            "seeds": 2,
            "unit": "",
            "better": "higher",
        },
        "parameters": {**parameters, "seeds": 2},
        "about": {"authors": ["A. Author"]},
        "records": [first.id],
    }
    assert document["rows"][1]["accuracy"]["std"] is None
    assert document["rows"][1]["parameters"] == {
        **parameters,
        "std": None,
        "low": None,
        "high": None,
        "seeds": 1,
    }
    assert document["rows"][1]["records"] == [second.id]
    assert [document[key] for key in ("unranked", "withdrawn", "broken")] == [[], [], []]


def test_a_broken_record_makes_the_exit_status_1_and_is_shown(tmp_path: Path) -> None:
    entry = board_builder.add(tmp_path, [3])
    entry.path.with_name("20261121T013001Z-00000000.json").write_text("{")
    result = CliRunner().invoke(command, [board_builder.TASK, "--board", str(tmp_path)])
    assert result.exit_code == 1
    assert "- broken: gesture-v1/tcja_net/20261121T013001Z-00000000: " in result.stdout
    as_json = CliRunner().invoke(command, [board_builder.TASK, "--board", str(tmp_path), "--json"])
    assert as_json.exit_code == 1
    assert len(json.loads(as_json.stdout)["broken"]) == 1


def refusal(*arguments: str) -> EventbenchError:
    result = CliRunner().invoke(command, list(arguments))
    assert isinstance(result.exception, EventbenchError), result.output
    assert result.stdout == ""
    return result.exception


def test_an_unknown_task_is_refused_with_those_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventbench.home.shipped", lambda folder: tmp_path / "nothing shipped")
    board_builder.make_task(tmp_path)
    error = refusal("gesture-v2", "--board", str(tmp_path))
    assert isinstance(error, UnknownName)
    assert str(error) == (
        f"{tmp_path / 'tasks'}: no task named 'gesture-v2'; allowed: gesture-v1; did you mean 'gesture-v1'?"
    )


def test_a_task_without_records_is_refused_with_how_to_make_one(tmp_path: Path) -> None:
    board_builder.make_task(tmp_path)
    assert str(refusal(board_builder.TASK, "--board", str(tmp_path))) == (
        f"{tmp_path / 'records' / board_builder.TASK}: no record yet; make one with eventbench submit DIR --task gesture-v1"
    )


@pytest.mark.parametrize("names", [[], ["a", "b", "c"]])
def test_any_other_number_of_names_is_refused(names: list[str]) -> None:
    assert str(refusal(*names)) == (
        f"compare was given {len(names)} names; allowed: one task, or two records; "
        "eventbench ls tasks and eventbench ls records list them"
    )


def test_two_records_are_compared_sample_by_sample(tmp_path: Path) -> None:
    a = board_builder.add(tmp_path, [2, 4], environment={"python": "3.11.9", "torch": "2.13.0"})
    b = board_builder.add(
        tmp_path,
        [10, 12],
        model="plain_snn",
        shift=3,
        training={"epochs": 9},
        environment={"python": "3.12.1", "torch": "2.13.0"},
    )
    result = CliRunner().invoke(command, [a.id, b.id, "--board", str(tmp_path), "--json"])
    document = json.loads(result.stdout)
    assert document["records"] == {"a": a.id, "b": b.id}
    assert document["accuracy"]["difference"]["mean"] == pytest.approx(0.94 - 0.78)
    difference = document["accuracy"]["difference"]
    assert difference["low"] < difference["mean"] < difference["high"]
    # Run 0: A is wrong on samples 0-1, B on 3-12; run 1: A on 0-3, B on 3-14, so sample 3 is wrong for both.
    assert [(pair["only_a"], pair["only_b"]) for pair in document["runs"]] == [(10, 2), (11, 3)]
    p = [mcnemar_exact(10, 2), mcnemar_exact(11, 3)]
    assert [pair["p"] for pair in document["runs"]] == pytest.approx(p)
    assert [pair["p_holm"] for pair in document["runs"]] == pytest.approx([2 * p[0], 2 * p[0]])
    lines = {line["field"]: line for line in document["provenance"]}
    assert lines["environment.python"] == {
        "field": "environment.python",
        "a": "3.11.9",
        "b": "3.12.1",
        "same": False,
    }
    assert "environment.torch" not in lines
    assert lines["training.epochs"]["a"] == 3
    assert lines["training.optimiser.lr"]["b"] is None
    assert lines["store"]["same"] is True


def test_provenance_comes_before_the_statistics(tmp_path: Path) -> None:
    a, b = board_builder.add(tmp_path, [2]), board_builder.add(tmp_path, [9], model="plain_snn")
    text = comparison_text(compare(a, b), a.kind)
    assert text.index("pipeline.digest") < text.index("A  accuracy 96.00 %") < text.index("McNemar")


def test_records_of_two_tasks_are_not_compared(tmp_path: Path) -> None:
    a = board_builder.add(tmp_path, [2])
    b = board_builder.add(tmp_path, [2], task=Pinned(id="other-v1", digest="0" * 64))
    with pytest.raises(NotComparable) as caught:
        compare(a, b)
    assert str(caught.value) == (
        f"{a.id} and {b.id} were scored by different tasks: gesture-v1 {a.record.task.digest[:8]} and "
        "other-v1 00000000; submit one of the models to the other's task, then compare those two"
    )


def test_a_broken_record_is_not_compared(tmp_path: Path) -> None:
    a, b = board_builder.add(tmp_path, [2]), board_builder.add(tmp_path, [9], model="plain_snn")
    b.predictions_path.write_text(b.predictions_path.read_text().replace("s0000,0,-1", "s0000,0,0"))
    error = refusal(a.id, b.id, "--board", str(tmp_path))
    assert str(error).startswith(f"{b.id}: the predictions are not those that were scored: sha256 ")


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_table_keeps_to_its_width_and_breaks_no_figure(tmp_path: Path, width: int) -> None:
    board_builder.showcase(tmp_path)
    board = view(tmp_path)
    text = board_text(board, width, board.metrics)
    tables = [line for line in text.splitlines() if not line.startswith((*MARKS,))]
    assert max(map(len, tables[1:])) <= width
    assert "98.38" in text
    assert "2.10 G" in text


@pytest.mark.parametrize("width", [100, 120, 400])
def test_what_people_rank_by_comes_first_in_one_table_of_100_characters(tmp_path: Path, width: int) -> None:
    board_builder.showcase(tmp_path)
    table, left_out, _ = board_text(view(tmp_path), width).split("\n\n")[1:]
    lines = table.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[1].split()[:10] == [
        "#",
        "model",
        "(%)",
        "95",
        "%",
        "interval",
        "sd",
        "seeds",
        "status",
        "parameters",
    ]
    assert lines[3].split() == [
        *("1", "tcja_net", "98.38", "96.16", "to", "99.33", "0.20", "3", "re-run", "1.83", "M", "2.10", "G")
    ]
    assert " ".join(left_out.split()) == (
        "Not shown: firing_rate, synaptic_operations.effective_macs; compare --columns NAME,NAME or --all shows them."
    )


def test_a_table_of_single_runs_has_no_column_of_deviations(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [3])
    text = board_text(view(tmp_path))
    assert " sd " not in text
    assert "Not shown" not in text
    assert " sd " in board_text(view(tmp_path), columns=["parameters"])


def shown(board: Path, *arguments: str) -> str:
    result = CliRunner().invoke(command, [board_builder.TASK, "--board", str(board), *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_further_columns_are_shown_on_request(tmp_path: Path) -> None:
    board_builder.showcase(tmp_path)
    some = shown(tmp_path, "--columns", "firing_rate, synaptic_operations")
    assert "(spikes/neuron/step)" not in some and "firing rate" in some
    assert some.count("(operations/sample)") == 2
    assert "parameters" not in some and "Not shown" not in some
    everything = shown(tmp_path, "--all")
    assert all(
        name in everything for name in ("firing rate", "effective acs", "effective macs", "parameters")
    )
    assert (
        shown(tmp_path, "--columns", "accuracy").count("accuracy") == 2
    )  # the ranking alone: title and heading


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_an_unknown_column_is_refused_with_those_there_are(tmp_path: Path, as_json: list[str]) -> None:
    board_builder.add(tmp_path, [3])
    error = refusal(
        board_builder.TASK, "--board", str(tmp_path), "--columns", "parameters,latencyy", *as_json
    )
    assert str(error) == "gesture-v1: no column named 'latencyy'; allowed: parameters"


def test_columns_of_two_records_are_refused(tmp_path: Path) -> None:
    assert str(refusal("a", "b", "--all")) == (
        "--all was given with 2 names; allowed: one task: columns are those of a board"
    )


def test_a_terminal_too_narrow_for_the_figures_still_gets_whole_ones(tmp_path: Path) -> None:
    board_builder.showcase(tmp_path)
    lines = board_text(view(tmp_path), 30).splitlines()
    assert any(line.split()[:2] == ["1", "tcja_net"] and "96.16 to 99.33" in line for line in lines)


def test_rows_with_as_many_right_answers_share_a_rank_whatever_the_seeds(tmp_path: Path) -> None:
    # In floating point the mean of 0.94 and 0.9 is not that of 0.92 and 0.92.
    board_builder.add(tmp_path, [3, 5], model="a_net")
    board_builder.add(tmp_path, [4, 4], model="b_net")
    board_builder.add(tmp_path, [3, 4, 5], model="c_net")
    assert order(view(tmp_path)) == [(1, "a_net"), (1, "b_net"), (1, "c_net")]


def test_control_characters_of_a_record_do_not_reach_the_terminal(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [3], model="evil\x1b[31m\n[bold]net")
    text = board_text(view(tmp_path))
    assert "\x1b" not in text
    assert "evil?[31m?[bold]net" in text


def test_the_markdown_of_a_board_escapes_what_markdown_and_html_would_read(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [3, 5], model="a|b<script>*x*")
    assert markdown_board(view(tmp_path)) == (
        "### gesture-v1\n\nSimulated gestures, 16 frames\n\n"
        "| # | model | accuracy (%) | 95 % interval | seeds | status | parameters |\n"
        "| ---: | --- | ---: | ---: | ---: | --- | ---: |\n"
        "| 1 | a\\|b&lt;script&gt;\\*x\\* | 92.00 ± 2.83 | 81.16 to 96.85 | 2 | re-run | 1.23 M |\n"
    )


def test_a_row_has_a_json_without_a_rank_when_it_is_not_ranked(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [3], training={"selection": "test-max"})
    (row,) = view(tmp_path).unranked
    assert isinstance(row, Row)
    assert row.as_json()["rank"] is None
    assert row.as_json()["why_unranked"] == "its checkpoint was picked by the test score"


def test_a_record_without_the_figure_that_ranks_is_broken(tmp_path: Path) -> None:
    text = board_builder.TASK_TOML.replace("metrics", 'rank_by = "latency"\nmetrics')
    pinned = Pinned(id=board_builder.TASK, digest=board_builder.make_task(tmp_path, text=text).digest)
    board_builder.add(tmp_path, [3], task=pinned)
    board_builder.make_task(tmp_path, text=text)
    assert [item.reason for item in view(tmp_path).broken] == [
        "the run of seed 0 has no latency, which this task ranks by"
    ]


def test_a_record_without_runs_is_broken(tmp_path: Path) -> None:
    entry = board_builder.add(tmp_path, [])
    assert isinstance(entry.record.runs, list) and not any(isinstance(run, Run) for run in entry.record.runs)
    assert [item.reason for item in view(tmp_path).broken] == [
        "0 runs on 50 samples: there must be at least one of each"
    ]


def test_compare_needs_neither_torch_nor_numba(tmp_path: Path) -> None:
    a, b = board_builder.add(tmp_path, [2]), board_builder.add(tmp_path, [9], model="plain_snn")
    program = (
        "import sys\n"
        "from eventbench.cli.compare import command\n"
        "for names in (['gesture-v1'], sys.argv[2:]):\n"
        "    command([*names, '--board', sys.argv[1]], standalone_mode=False)\n"
        "from eventbench.cli.site import command\n"
        "command(['--out', sys.argv[1] + '/site', '--board', sys.argv[1]], standalone_mode=False)\n"
        "heavy = {'torch', 'numba', 'h5py', 'tonic', 'norse', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), a.id, b.id],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "gesture-v1: Simulated gestures, 16 frames" in done.stdout


def test_latencies_of_another_device_are_marked_and_said(tmp_path: Path) -> None:
    def timed(model: str, wrong: int, **facts: str) -> None:
        scores = {"latency": Score(value=5.0, unit="ms", better="lower"), "parameters": Score(value=9)}
        environment = {"processor": "AMD EPYC", "threads": "2", **facts}
        board_builder.add(tmp_path, [wrong], model=model, scores=scores, environment=environment)

    timed("here", 3)
    timed("here_too", 4)
    timed("there", 5, threads="64")
    timed("on_a_gpu", 6, gpu="H100")
    text = board_text(view(tmp_path), 200, ["latency", "parameters"])
    assert "‡ there: measured on AMD EPYC, 64 threads, most rows on AMD EPYC, 2 threads." in text
    assert "‡ on_a_gpu: measured on H100, most rows on AMD EPYC, 2 threads." in text
    cells = {
        line.split()[1]: line.split()[-2:]
        for line in text.splitlines()
        if "self-reported" in line or "re-run" in line
    }
    assert cells["here"] == ["5", "9"]
    assert cells["there"] == cells["on_a_gpu"] == ["5‡", "9"]
    assert "5‡" in markdown_board(view(tmp_path))


def test_a_figure_that_was_not_counted_is_no_number_and_says_why(tmp_path: Path) -> None:
    record = board_builder.make_record(tmp_path, [3], model="odd")
    run = msgspec.structs.replace(record.runs[0], not_counted={"firing_rate": "'lif' gives 0.5"})
    write_record(tmp_path, msgspec.structs.replace(record, runs=[run]), board_builder.make_rows([3]))
    board_builder.add(tmp_path, [4], model="plain", scores={"firing_rate": Score(value=0.1)})
    board = view(tmp_path)
    text = board_text(board, 200, ["firing_rate"])
    assert "not counted" in text and "- odd: firing_rate not counted: 'lif' gives 0.5" in text
    assert "| not counted |" in markdown_board(board)
    (row,) = [row for row in board.as_json()["rows"] if row["model"] == "odd"]
    assert row["not_counted"] == {"firing_rate": "'lif' gives 0.5"} and "firing_rate" not in row
