"""A kind of task that is no classification: its records are written, checked, ranked, drawn and compared by its own rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from eventbench import registry
from eventbench.cli.compare import command
from eventbench.errors import BadRecord, EventbenchError, UnknownName
from eventbench.leaderboard.check import check_evidence, check_record, check_records, replay
from eventbench.leaderboard.entry import Entry, load_entry
from eventbench.leaderboard.markdown import markdown_board
from eventbench.leaderboard.site import page
from eventbench.leaderboard.table import board_text
from eventbench.leaderboard.view import task_board
from eventbench.leaderboard.write import write_record
from eventbench.recordings.checks import task_faults
from eventbench.specs import catalog
from eventbench.specs.record import Pinned, Run, Score
from eventbench.task_kinds.base import Answer, Difference, Evidence, Pooled, Recomputed, TaskKind
from tests.support import board_builder

TASK_TOML = board_builder.TASK_TOML.replace("metrics", 'kind = "regression"\nmetrics').replace(
    "accuracy", "error"
)


@dataclass
class Values(Evidence):
    seeds: list[int]
    ids: list[str]
    labels: list[float]
    answers: list[list[float]]

    @property
    def marks(self) -> np.ndarray:
        marks: np.ndarray = np.abs(np.array(self.answers) - np.array(self.labels))
        return marks


class Regression(TaskKind):
    """One number for each sample; the mean distance from the label ranks, and less is better."""

    main_figure: ClassVar[str] = "error"
    selected_by: ClassVar[str] = "error"
    evidence_ending: ClassVar[str] = "values.json"
    interval_note: ClassVar[str] = "Intervals of the error are two units wide"
    paired_test: ClassVar[str] = "test of equal signs"
    interval_of_difference: ClassVar[str] = "two units"
    compared_columns: ClassVar[dict[str, str]] = {"closer": "A is closer", "p": "p"}

    def checked_scores(self, returned: object, *, samples: int, classes: int, where: str) -> torch.Tensor:
        raise NotImplementedError

    def checked_steps(self, returned: object, scores: torch.Tensor, *, where: str) -> torch.Tensor:
        raise NotImplementedError

    def quality(self, answer: Answer, labels: torch.Tensor) -> torch.Tensor:
        return -(answer.scores[:, 0] - labels).abs()

    def evidence_rows(self, answer: Answer) -> torch.Tensor:
        return answer.scores[:, 0]

    def encode(self, rows: Iterable[Sequence[Any]], seeds: Sequence[int], where: object) -> bytes:
        return json.dumps({"seeds": list(seeds), "rows": sorted(rows)}).encode()

    def decode(self, content: bytes, where: object) -> Values:
        try:
            document = json.loads(content)
        except ValueError as error:
            raise BadRecord(f"not valid JSON: {error}", where=where) from None
        ids, labels, *answers = map(list, zip(*document["rows"], strict=True))
        return Values(document["seeds"], ids, labels, answers)

    def mismatches(self, evidence: Evidence, *, seeds: list[int], samples: int, classes: int) -> list[str]:
        return [] if evidence.seeds == seeds else ["other seeds"]

    def recomputed(self, evidence: Evidence, run: int) -> dict[str, Recomputed]:
        return {"error": Recomputed(float(evidence.marks[run].mean()))}

    def pooled(self, figure: str, values: Sequence[float], samples: int) -> Pooled | None:
        mean = sum(values) / len(values)
        return Pooled(mean, mean - 1, mean + 1) if figure == "error" else None

    def has_interval(self, figure: str) -> bool:
        return figure == "error"

    def is_share(self, figure: str) -> bool:
        return False

    def p_of_no_difference(self, a: np.ndarray, b: np.ndarray) -> float:
        return 0.5

    def difference(self, a: np.ndarray, b: np.ndarray) -> Difference:
        mean = float(a.mean() - b.mean())
        return Difference(mean, mean - 1, mean + 1, self.p_of_no_difference(a, b))

    def compared_runs(self, a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
        return {"closer": int((a < b).sum()), "p": 0.25}


class Point:
    """An entry point, as an installed package would bring."""

    def load(self) -> type:
        return Regression


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        registry,
        "_entry_points",
        lambda group: {"regression": Point()} if group == "eventbench.task_kinds" else {},
    )


def add(board: Path, model: str, errors: list[float]) -> Entry:
    """A record of one run a number: that far from every label."""
    digest = board_builder.make_task(board, text=TASK_TOML).digest
    runs = [
        Run(
            seed=seed,
            weights=f"{model}-{seed}",
            scores={
                "error": Score(value=error, better="lower"),
                "parameters": Score(value=10.0 + error, better="lower"),
            },
        )
        for seed, error in enumerate(errors)
    ]
    record = board_builder.make_record(
        board,
        [0] * len(errors),
        model=model,
        runs=runs,
        kind="regression",
        task=Pinned(id=board_builder.TASK, digest=digest),
    )
    board_builder.make_task(board, text=TASK_TOML)
    rows = [(f"s{n:03d}", float(n), *(n + error for error in errors)) for n in range(50)]
    return write_record(board, record, rows)


def test_its_evidence_lies_beside_its_record_and_is_checked(tmp_path: Path) -> None:
    entry = add(tmp_path, "net", [0.5, 2.0])
    assert entry.predictions_path.name == f"{entry.path.stem}.values.json"
    assert stored_kind(entry) == "regression"
    assert check_evidence(entry) == []
    assert replay(entry) == [0.5, 2.0]
    entry.predictions_path.write_bytes(b"[")
    (first, second) = check_evidence(load_entry(entry.path))
    assert first.startswith("the predictions are not those that were scored: sha256 ")
    assert "not valid JSON" in second


def stored_kind(entry: Entry) -> str:
    return str(json.loads(entry.path.read_bytes())["kind"])


def test_a_figure_that_its_evidence_contradicts_is_found(tmp_path: Path) -> None:
    entry = add(tmp_path, "net", [0.5])
    content = entry.predictions_path.read_bytes()
    changed = json.loads(content)
    changed["rows"][0][2] += 5.0
    entry.predictions_path.write_bytes(json.dumps(changed).encode())
    assert "the run of seed 0 has error 0.5, its predictions give 0.6" in check_evidence(
        load_entry(entry.path)
    )


def test_stray_evidence_of_it_is_found(tmp_path: Path) -> None:
    entry = add(tmp_path, "net", [0.5])
    entry.path.unlink()
    (name,) = check_records(tmp_path)
    assert name.endswith(".values.json")


def test_a_board_of_it_ranks_by_its_main_figure_and_says_so(tmp_path: Path) -> None:
    add(tmp_path, "far", [4.0])
    add(tmp_path, "near", [1.0, 2.0])
    board = task_board(tmp_path, board_builder.TASK)
    assert board.rank_by == "error"
    assert board.broken == []
    assert [(row.rank, row.model) for row in board.rows] == [(1, "near"), (2, "far")]
    assert (board.rows[1].checkpoints.p, board.rows[1].checkpoints.tied) == (0.5, True)
    text = board_text(board)
    assert "ranked by error" in text
    assert "0.500 to 2.50" in text
    assert "other samples (test of equal signs)" in text
    assert "| 1 | near | 1.50 ± 0.707 | 0.500 to 2.50 |" in markdown_board(board)


def test_the_page_of_it_speaks_of_its_figure_only(tmp_path: Path) -> None:
    add(tmp_path, "far", [4.0])
    add(tmp_path, "near", [1.0, 2.0])
    html = page([task_board(tmp_path, board_builder.TASK)])
    assert "accuracy" not in html.lower()
    for text in (
        "Every error below was worked out again",
        "Error, with 95 % intervals and every run",
        "Error against parameters",
        "near: 1.50, 95 % interval 0.500 to 2.50, 2 runs",
        "seed 1: 2",
        "Intervals of the error are two units wide;",
    ):
        assert text in html


def test_two_records_of_it_are_compared_by_its_tests(tmp_path: Path) -> None:
    a, b = add(tmp_path, "near", [1.0, 2.0]), add(tmp_path, "far", [4.0])
    result = CliRunner().invoke(command, [a.id, b.id, "--board", str(tmp_path), "--json"])
    comparison = json.loads(result.stdout)
    assert comparison["error"]["difference"] == {"mean": -2.5, "low": -3.5, "high": -1.5, "p": 0.5}
    assert comparison["runs"] == [{"seed_a": 0, "seed_b": 0, "closer": 50, "p": 0.25, "p_holm": 0.25}]
    assert "accuracy" not in comparison
    text = CliRunner().invoke(command, [a.id, b.id, "--board", str(tmp_path)]).stdout
    assert "A  error 1.50, 95 % interval 0.500 to 2.50, 2 runs" in text
    assert "A - B  -2.50, 50 samples" in text
    assert "95 % interval -3.50 to -1.50 (two units), p = 0.5000 (test of equal signs)" in text
    assert "1 run: how a model is trained is tested from 3 seeds on" in text
    assert "A is closer" in text


# A kind that this version does not know


@pytest.fixture
def unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
    """A record on whose kind nothing is installed any more."""
    entry = add(tmp_path, "net", [0.5])
    monkeypatch.setattr(registry, "_entry_points", lambda group: {})
    return entry


def test_a_record_of_an_unknown_kind_is_refused_in_one_line(unknown: Entry) -> None:
    with pytest.raises(BadRecord) as caught:
        load_entry(unknown.path)
    assert str(caught.value) == (
        f"{unknown.path}: no kind of task named 'regression'; allowed: classification; "
        "read it with the version of eventbench that wrote it"
    )


def test_a_board_of_an_unknown_kind_is_refused_in_one_line(unknown: Entry, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [board_builder.TASK, "--board", str(tmp_path)])
    assert isinstance(result.exception, UnknownName)
    assert str(result.exception) == (
        "gesture-v1.toml: no kind of task named 'regression'; allowed: classification"
    )


@pytest.mark.parametrize("more", ["", 'rank_by = "parameters"\n'])
def test_a_task_of_an_unknown_kind_is_found_by_verify(tmp_path: Path, more: str) -> None:
    board_builder.make_task(
        tmp_path, text=board_builder.TASK_TOML.replace("metrics", f'kind = "regresion"\n{more}metrics')
    )
    faults = task_faults(catalog.task(board_builder.TASK, tmp_path))
    assert [fault for fault in faults if "kind" in fault] == [
        "no kind of task named 'regresion'; allowed: classification, regression; did you mean 'regression'?"
    ]


def test_a_record_of_another_kind_than_its_tasks_is_broken(tmp_path: Path) -> None:
    entry = board_builder.add(tmp_path, [3])
    board_builder.make_task(tmp_path, text=TASK_TOML)
    assert "its kind is classification, its task's is regression" in check_record(entry, tmp_path)
    (broken,) = task_board(tmp_path, board_builder.TASK).broken
    assert broken.reason == "its kind is classification, its task's is regression"


def test_records_of_two_kinds_are_not_compared(tmp_path: Path) -> None:
    a, b = add(tmp_path, "net", [0.5]), board_builder.add(tmp_path, [3])
    result = CliRunner().invoke(command, [a.id, b.id, "--board", str(tmp_path)])
    assert isinstance(result.exception, EventbenchError)
    assert "were scored by different versions of one task" in str(result.exception)
