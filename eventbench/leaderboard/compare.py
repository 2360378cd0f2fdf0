"""Two records side by side: first what they were made from, then who is right where the other is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eventbench.errors import BadRecord, NotComparable
from eventbench.leaderboard.check import check_evidence
from eventbench.leaderboard.comparable import refuse_other_samples
from eventbench.leaderboard.entry import Entry
from eventbench.leaderboard.ranking import figure_over_runs
from eventbench.statistics.paired import holm


def compare(a: Entry, b: Entry) -> dict[str, Any]:
    """What `compare RECORD RECORD --json` prints.

    `provenance` lists `{"field", "a", "b", "same"}`; of the environment only what differs. The main figure of the kind
    of task (of a classification `accuracy`) has each record's figure and `difference` (A minus B) with its 95 %
    interval and the p of the kind's paired test. `runs` has, for the k-th run of A and the k-th of B, what the kind
    compares in them and its p, also adjusted by Holm over the pairs. `metrics` has every other figure both have.

    Of a classification the interval is a paired bootstrap's, p the exact sign-flip test's over per-sample shares of
    runs that are right, and two runs are compared by the samples only one of them got right and McNemar's exact p.

    Raises BadRecord when either record is broken, NotComparable when the task or the test samples differ.
    """
    for entry in (a, b):
        if broken := check_evidence(entry):
            raise BadRecord(broken[0], where=entry.id, fix="eventbench verify records says all of it")
    _refuse_other_task(a, b)
    refuse_other_samples([a, b])
    main = a.kind.main_figure
    return {
        "records": {"a": a.id, "b": b.id},
        "task": a.record.task.id,
        "samples": a.record.samples,
        "provenance": provenance(a, b),
        main: {
            "a": _figure(a, main),
            "b": _figure(b, main),
            "difference": a.kind.difference(a.predictions.marks, b.predictions.marks)._asdict(),
        },
        "runs": _pairs(a, b),
        "metrics": _others(a, b),
    }


def _refuse_other_task(a: Entry, b: Entry) -> None:
    task_a, task_b = a.record.task, b.record.task
    if task_a != task_b or a.record.kind != b.record.kind:
        differs = "other tasks" if task_a.id != task_b.id else "other versions of one task"
        raise NotComparable(
            f"{a.id} and {b.id} were scored by {differs}: "
            f"{task_a.id} {task_a.digest[:8]} and {task_b.id} {task_b.digest[:8]}",
            fix="submit one of the models to the other's task, then compare those two",
        )


def provenance(a: Entry, b: Entry) -> list[dict[str, Any]]:
    """What each was made from, a field a line, the environment only where it differs."""
    of_a, of_b = _provenance(a), _provenance(b)
    # A key only B has stands beside its kin and not at the end.
    groups = list(dict.fromkeys(name.partition(".")[0] for name in [*of_a, *of_b]))
    fields = sorted(dict.fromkeys([*of_a, *of_b]), key=lambda name: groups.index(name.partition(".")[0]))
    return [
        {"field": name, "a": of_a.get(name), "b": of_b.get(name), "same": of_a.get(name) == of_b.get(name)}
        for name in fields
        if of_a.get(name) != of_b.get(name) or not name.startswith("environment.")
    ]


def _provenance(entry: Entry) -> dict[str, Any]:
    record = entry.record
    fields: dict[str, Any] = {}
    for name in ("task", "dataset", "pipeline"):
        pinned = getattr(record, name)
        fields[name] = pinned.id
        fields[f"{name}.digest"] = pinned.digest
    fields |= {
        "store": record.store,
        "harness": f"{record.harness.name} {record.harness.version}",
        "created": record.created,
        "status": record.status,
        "model": record.model.name,
        "model.code": record.code,
        **_flat("model.config", record.model.config),
        "seeds": [run.seed for run in record.runs],
        "weights": [run.weights for run in record.runs],
        **_flat("training", record.training),
        **_flat("environment", record.environment),
    }
    if entry.withdrawn:
        fields["withdrawn"] = entry.withdrawn
    return fields


def _flat(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Nested tables as dotted names."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= _flat(f"{name}.{key}", value) if isinstance(value, Mapping) else {f"{name}.{key}": value}
    return flat


def _figure(entry: Entry, name: str) -> dict[str, Any]:
    scores = [run.scores[name] for run in entry.record.runs if name in run.scores]
    return vars(figure_over_runs(entry.kind, name, scores, entry.record.samples))


def _pairs(a: Entry, b: Entry) -> list[dict[str, Any]]:
    pairs = [
        {"seed_a": run_a.seed, "seed_b": run_b.seed, **a.kind.compared_runs(marks_a, marks_b)}
        for run_a, run_b, marks_a, marks_b in zip(
            a.record.runs, b.record.runs, a.predictions.marks, b.predictions.marks, strict=False
        )
    ]
    adjusted = holm([pair["p"] for pair in pairs])
    return [{**pair, "p_holm": p} for pair, p in zip(pairs, adjusted, strict=True)]


def _others(a: Entry, b: Entry) -> dict[str, dict[str, Any]]:
    """Figures of one metric are put side by side only where both were measured the same way."""
    shown = {}
    for name in dict.fromkeys(name for run in a.record.runs for name in run.scores):
        measured_as = {
            (score.version, score.unit, score.better)
            for entry in (a, b)
            for run in entry.record.runs
            for score in [run.scores.get(name)]
            if score is not None
        }
        in_both = any(name in run.scores for run in b.record.runs)
        if name != a.kind.main_figure and in_both and len(measured_as) == 1:
            shown[name] = {"a": _figure(a, name), "b": _figure(b, name)}
    return shown
