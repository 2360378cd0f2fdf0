"""Small boards of made-up records, written by the code that writes real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from eventbench.leaderboard.records import Entry, write_record
from eventbench.specs.base import load
from eventbench.specs.record import Harness, Pinned, Record, Run, Score
from eventbench.specs.submission import ModelRef
from eventbench.specs.task import Task
from eventbench.statistics.wilson import wilson

TASK = "gesture-v1"
TASK_TOML = """
dataset = "sim_gesture"
pipeline = "frames16-v1"
validation = { carve = 0.1 }
metrics = ["accuracy", "parameters"]
[about]
title = "Simulated gestures, 16 frames"
"""


def make_task(board: Path, name: str = TASK, text: str = TASK_TOML) -> Task:
    path = board / "tasks" / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load(path, Task)


def make_rows(
    errors: list[int], samples: int = 50, classes: int = 5, shift: int = 0
) -> list[tuple[Any, ...]]:
    """Rows in which run k answers samples shift .. shift + errors[k] - 1 wrongly, the first of them by a tie."""
    rows: list[tuple[Any, ...]] = []
    for place in range(samples):
        label = place % classes
        wrong = -1 if place == shift else (label + 1) % classes
        rows.append(
            (f"s{place:04d}", label, *(wrong if shift <= place < shift + n else label for n in errors))
        )
    return rows


def make_record(
    board: Path,
    errors: list[int],
    *,
    model: str = "tcja_net",
    samples: int = 50,
    classes: int = 5,
    created: str = "2026-11-21T01:30:00Z",
    seeds: list[int] | None = None,
    scores: dict[str, Score] | None = None,
    config: dict[str, Any] | None = None,
    **changed: Any,
) -> Record:
    seeds = list(range(len(errors))) if seeds is None else seeds
    runs = []
    for seed, wrong in zip(seeds, errors, strict=True):
        low, high = wilson(samples - wrong, samples)
        accuracy = Score(value=(samples - wrong) / samples, better="higher", low=low, high=high)
        other = {"parameters": Score(value=1_234_567, better="lower")} if scores is None else scores
        runs.append(Run(seed=seed, weights=f"{model}-{seed}-{wrong}", scores={"accuracy": accuracy, **other}))
    fields: dict[str, Any] = {
        "schema": 1,
        "created": created,
        "harness": Harness(name="eventbench", version="0.1.0"),
        "task": Pinned(id=TASK, digest=make_task(board).digest),
        "dataset": Pinned(id="sim_gesture", digest="d" * 64),
        "pipeline": Pinned(id="frames16-v1", digest="e" * 64),
        "store": "f" * 64,
        "model": ModelRef(name=model, config=config or {}),
        "code": "c" * 64,
        "samples": samples,
        "classes": classes,
        "runs": runs,
        "predictions": "",
        "training": {"epochs": 3, "optimiser": {"name": "adam", "lr": 0.001}},
        "environment": {"python": "3.11.9", "torch": "2.13.0"},
    }
    return Record(**{**fields, **changed})


def add(board: Path, errors: list[int], *, shift: int = 0, **fields: Any) -> Entry:
    record = make_record(board, errors, **fields)
    return write_record(board, record, make_rows(errors, record.samples, record.classes, shift))


def showcase(board: Path) -> None:
    """A board with a bit of everything, to look at."""
    rng = np.random.default_rng(1)
    models: list[tuple[str, dict[str, Any], float, float, float, float]] = [
        ("tcja_net", {}, 0.975, 1.83e6, 2.1e9, 1.1e8),
        ("pfa_net", {"rank": 4}, 0.972, 1.71e6, 1.9e9, 1.4e8),
        ("plain_snn", {}, 0.941, 1.7e6, 1.6e9, 0.9e8),
        ("tcja_net", {"branches": "time"}, 0.958, 1.75e6, 1.8e9, 1.0e8),
        ("their_file.py:TinyNet", {"width": 32}, 0.902, 2.1e5, 2.4e8, 0.2e8),
    ]
    for place, (name, config, accuracy, parameters, acs, macs) in enumerate(models):
        labels = np.arange(288) % 11
        right = rng.random((3 if place != 4 else 1, 288)) < accuracy
        predicted = np.where(right, labels, (labels + 1) % 11)
        rows = [(f"user{i:04d}", labels[i], *predicted[:, i]) for i in range(288)]
        figures = {
            "parameters": Score(value=parameters, better="lower"),
            "firing_rate": Score(value=0.08 + 0.02 * place, better="lower"),
            "synaptic_operations.effective_acs": Score(value=acs, unit="operations/sample", better="lower"),
            "synaptic_operations.effective_macs": Score(value=macs, unit="operations/sample", better="lower"),
        }
        errors = [int(288 - run.sum()) for run in right]
        record = make_record(
            board, errors, model=name, config=config, samples=288, classes=11, scores=figures
        )
        write_record(board, record, rows)
