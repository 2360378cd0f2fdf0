"""One record that was made by other rules never takes a board down: it stands apart, with its reason, everywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from eventbench.cli.compare import command as compare_command
from eventbench.cli.verify import command as verify_command
from eventbench.errors import NotComparable
from eventbench.leaderboard.check import check_records
from eventbench.leaderboard.compare import compare
from eventbench.leaderboard.markdown import markdown_board
from eventbench.leaderboard.rows import Board
from eventbench.leaderboard.site import page
from eventbench.leaderboard.table import board_text
from eventbench.leaderboard.view import refuse_apart, task_board
from eventbench.leaderboard.write import write_record
from eventbench.specs.record import Pinned, Score
from tests.support import board_builder


def view(place: Path) -> Board:
    return task_board(place, board_builder.TASK)


def apart(board: Board) -> dict[str, list[str]]:
    return {item.entry.record.model.name: item.reasons for item in board.apart}


OTHER_RULES = [
    ({"dataset": Pinned(id="sim_gesture", digest="1" * 64)}, "dataset.digest is 11111111, here dddddddd"),
    ({"pipeline": Pinned(id="frames16-v1", digest="2" * 64)}, "pipeline.digest is 22222222, here eeeeeeee"),
    ({"store": "3" * 64}, "store is 33333333, here ffffffff"),
    ({"classes": 6}, "classes is 6, here 5"),
    (
        {"scores": {"firing_rate": Score(value=0.1, version=2)}},
        "its metric firing_rate is version 2 (no unit, better neither), here version 1 (no unit, better neither)",
    ),
    (
        {"scores": {"firing_rate": Score(value=0.1, unit="Hz")}},
        "its metric firing_rate is version 1 (Hz, better neither), here version 1 (no unit, better neither)",
    ),
]


@pytest.mark.parametrize(("changed", "reason"), OTHER_RULES)
def test_a_record_of_other_rules_stands_apart_and_the_board_stands(
    tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    rate: dict[str, Any] = {"scores": {"firing_rate": Score(value=0.1)}}
    board_builder.add(tmp_path, [5], model="good", **rate)
    board_builder.add(tmp_path, [6], model="fair", **rate)
    other = board_builder.add(tmp_path, [1], model="other", **(rate | changed))
    board = view(tmp_path)
    assert [row.model for row in board.rows] == ["good", "fair"]
    assert apart(board) == {"other": [reason]}
    assert board.as_json()["apart"] == [
        {"record": other.id, "model": "other", "accuracy": 0.98, "seeds": 1, "reasons": [reason]}
    ]
    for text in (markdown_board(board).replace("\\", ""), page([board])):
        assert reason in text and "98.00" in text
    text = board_text(board, 400)
    assert "stands apart, not ranked" in text and reason[:10] in text and "98.00" in text
    assert (
        check_records(tmp_path, board_builder.TASK)[other.id][-1] == f"it stands apart on its board: {reason}"
    )


@pytest.mark.parametrize(("changed", "reason"), OTHER_RULES)
def test_submit_refuses_such_a_record_before_it_is_written(
    tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    rate: dict[str, Any] = {"scores": {"firing_rate": Score(value=0.1)}}
    board_builder.add(tmp_path, [5], model="good", **rate)
    record = board_builder.make_record(tmp_path, [1], model="other", **(rate | changed))
    with pytest.raises(NotComparable) as caught:
        refuse_apart(tmp_path, board_builder.TASK, record)
    assert str(caught.value) == (
        f"gesture-v1: the record would stand apart from the others of its board: {reason}; nothing is written; withdraw the "
        "older records in withdrawn.toml, then submit those models again under the present rules"
    )
    refuse_apart(
        tmp_path, board_builder.TASK, board_builder.make_record(tmp_path, [1], model="other", **rate)
    )


def test_on_an_empty_board_no_record_stands_apart(tmp_path: Path) -> None:
    refuse_apart(tmp_path, board_builder.TASK, board_builder.make_record(tmp_path, [1], store="3" * 64))


def test_withdrawn_records_are_no_rule_for_a_new_one(tmp_path: Path) -> None:
    old = board_builder.add(tmp_path, [5], store="3" * 64)
    (tmp_path / "withdrawn.toml").write_text(f'"{old.id}" = "made with the reader of version 1"\n')
    refuse_apart(tmp_path, board_builder.TASK, board_builder.make_record(tmp_path, [1]))


def test_the_rules_are_those_of_most_records_and_of_the_oldest_where_as_many(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [5], model="old", created="2026-11-20T01:30:00Z")
    board_builder.add(tmp_path, [1], model="new", store="3" * 64)
    assert apart(view(tmp_path)) == {"new": ["store is 33333333, here ffffffff"]}
    board_builder.add(tmp_path, [2], model="newer", store="3" * 64)
    assert apart(view(tmp_path)) == {"old": ["store is ffffffff, here 33333333"]}


def test_records_of_a_task_that_changed_stand_apart_also_where_they_are_the_most(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [5], model="one")
    two = board_builder.add(tmp_path, [4], model="two")
    old = two.record.task.digest[:8]
    changed = board_builder.make_task(tmp_path, text=board_builder.TASK_TOML.replace("0.1", "0.2"))
    board = view(tmp_path)
    assert not board.rows and not board.empty
    assert apart(board) == {
        key: [f"task.digest is {old}, here {changed.digest[:8]}"] for key in ("one", "two")
    }
    assert "stands apart, not ranked" in board_text(board) and "stands apart, not ranked" in page([board])


def test_records_of_other_recordings_of_a_card_that_pins_none_stand_apart(tmp_path: Path) -> None:
    one = board_builder.add(tmp_path, [5], model="a", raw_digest="1" * 64)
    two = board_builder.add(tmp_path, [4], model="b", raw_digest="2" * 64)
    assert apart(view(tmp_path)) == {"b": ["recordings is 22222222, here 11111111"]}
    with pytest.raises(NotComparable, match="were scored on different recordings: 11111111 and 22222222"):
        compare(one, two)


def test_records_of_other_test_samples_stand_apart(tmp_path: Path) -> None:
    one = board_builder.add(tmp_path, [5], model="a")
    rows = [
        (f"x{row[0]}", *row[1:]) if place == 9 else row
        for place, row in enumerate(board_builder.make_rows([5]))
    ]
    two = write_record(tmp_path, board_builder.make_record(tmp_path, [5], model="b"), rows)
    assert apart(view(tmp_path)) == {
        "b": ["it was scored on other test samples: 2 differ, the first is 's0009'"]
    }
    with pytest.raises(NotComparable, match="different test samples: 2 differ, the first is 's0009'"):
        compare(one, two)


def test_compare_says_it_and_verify_finds_it(tmp_path: Path) -> None:
    board_builder.add(tmp_path, [5], model="good")
    other = board_builder.add(tmp_path, [1], model="other", store="3" * 64)
    shown = CliRunner().invoke(compare_command, [board_builder.TASK, "--board", str(tmp_path), "--json"])
    assert shown.exit_code == 0
    assert [item["record"] for item in json.loads(shown.stdout)["apart"]] == [other.id]
    found = CliRunner().invoke(verify_command, ["records", "--board", str(tmp_path)])
    assert found.exit_code == 1
    assert "store is 33333333, here ffffffff" in found.stdout
