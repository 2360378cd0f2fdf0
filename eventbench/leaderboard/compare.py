"""Comparison of two records: what each was made from, then paired statistics of their figures and runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eventbench.errors import BadRecord, NotComparable
from eventbench.leaderboard.check import check_evidence
from eventbench.leaderboard.comparable import refuse_different_recordings, refuse_different_samples
from eventbench.leaderboard.entry import Entry
from eventbench.leaderboard.ranking import figure_over_runs
from eventbench.statistics.paired import holm
from eventbench.statistics.procedures import procedure_difference, too_few_runs


def compare(a: Entry, b: Entry) -> dict[str, Any]:
    """What `compare RECORD RECORD --json` prints.

    * `provenance`: a list of `{"field", "a", "b", "same"}`; fields of the environment only where they differ.
    * The main figure of the kind of task (`accuracy` for a classification): each record's figure, and A minus B with a
      95 % interval and p, twice: `difference` of these checkpoints on other samples, by the kind's paired test, and
      `difference_of_procedures`, of how they are trained, seeds and samples both random; for fewer than three runs of one
      of them that is `{"why_not_tested"}`.
    * `runs`: for the k-th run of A and the k-th of B, the counts that the kind compares and their p, also adjusted by
      Holm over the pairs.
    * `metrics`: every other figure that both have.

    For a classification the interval comes from a paired bootstrap and p from the exact sign-flip test over per-sample
    shares of runs that are right; two runs are compared by the samples only one of them got right, with McNemar's p.

    Raises BadRecord when either record is broken, NotComparable when the task, the recordings or the test samples differ.
    """
    for entry in (a, b):
        if broken := check_evidence(entry):
            raise BadRecord(broken[0], where=entry.id, fix="eventbench verify records lists every problem")
    _refuse_different_tasks(a, b)
    refuse_different_recordings(a, b)
    refuse_different_samples([a, b])
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
            "difference_of_procedures": _difference_of_procedures(a, b),
        },
        "runs": _pairs(a, b),
        "metrics": _other_metrics(a, b),
    }


def _refuse_different_tasks(a: Entry, b: Entry) -> None:
    task_a, task_b = a.record.task, b.record.task
    if task_a != task_b or a.record.kind != b.record.kind:
        difference = "different tasks" if task_a.id != task_b.id else "different versions of one task"
        raise NotComparable(
            f"{a.id} and {b.id} were scored by {difference}: "
            f"{task_a.id} {task_a.digest[:8]} and {task_b.id} {task_b.digest[:8]}",
            fix="submit one of the models to the other's task, then compare those two",
        )


def provenance(a: Entry, b: Entry) -> list[dict[str, Any]]:
    """What each record was made from: a table for each field; fields of the environment only where they differ."""
    fields_a, fields_b = _provenance(a), _provenance(b)
    # A field that only B has comes after the fields of the same group, not at the end.
    groups = list(dict.fromkeys(name.partition(".")[0] for name in [*fields_a, *fields_b]))
    names = sorted(
        dict.fromkeys([*fields_a, *fields_b]), key=lambda name: groups.index(name.partition(".")[0])
    )
    rows: list[dict[str, Any]] = [
        {"field": name, "a": value_a, "b": value_b, "same": value_a == value_b}
        for name in names
        for value_a, value_b in [(fields_a.get(name), fields_b.get(name))]
    ]
    return [row for row in rows if not (row["same"] and row["field"].startswith("environment."))]


def _provenance(entry: Entry) -> dict[str, Any]:
    record = entry.record
    fields: dict[str, Any] = {}
    for name in ("task", "dataset", "pipeline"):
        pinned = getattr(record, name)
        fields[name] = pinned.id
        fields[f"{name}.digest"] = pinned.digest
    fields |= {
        "store": record.store,
        **({"recordings": record.raw_digest} if record.raw_digest else {}),
        "harness": f"{record.harness.name} {record.harness.version}",
        "created": record.created,
        "status": record.status,
        "model": record.model.name,
        "model.code": record.code,
        **_flattened("model.files", record.files),
        **_flattened("model.config", record.model.config),
        "seeds": [run.seed for run in record.runs],
        "weights": [run.weights for run in record.runs],
        **_flattened("training", record.training),
        **_flattened("environment", record.environment),
    }
    if entry.withdrawn:
        fields["withdrawn"] = entry.withdrawn
    return fields


def _flattened(prefix: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a nested table by dotted name."""
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}.{key}"
        values |= _flattened(name, value) if isinstance(value, Mapping) else {name: value}
    return values


def _figure(entry: Entry, name: str) -> dict[str, Any]:
    scores = [run.scores[name] for run in entry.record.runs if name in run.scores]
    return vars(figure_over_runs(entry.kind, name, scores, entry.record.samples))


def _difference_of_procedures(a: Entry, b: Entry) -> dict[str, Any]:
    marks_a, marks_b = a.predictions.marks, b.predictions.marks
    if why_not := too_few_runs(len(marks_a), len(marks_b)):
        return {"why_not_tested": why_not}
    return procedure_difference(marks_a, marks_b)._asdict()


def _pairs(a: Entry, b: Entry) -> list[dict[str, Any]]:
    pairs = [
        {"seed_a": run_a.seed, "seed_b": run_b.seed, **a.kind.compared_runs(marks_a, marks_b)}
        for run_a, run_b, marks_a, marks_b in zip(
            a.record.runs, b.record.runs, a.predictions.marks, b.predictions.marks, strict=False
        )
    ]
    adjusted = holm([pair["p"] for pair in pairs])
    return [{**pair, "p_holm": p} for pair, p in zip(pairs, adjusted, strict=True)]


def _other_metrics(a: Entry, b: Entry) -> dict[str, dict[str, Any]]:
    """The figures that both records have, apart from the main one, where version, unit and direction are the same."""
    figures = {}
    for name in dict.fromkeys(name for run in a.record.runs for name in run.scores):
        definitions = {
            (score.version, score.unit, score.better)
            for entry in (a, b)
            for run in entry.record.runs
            for score in [run.scores.get(name)]
            if score is not None
        }
        in_both = any(name in run.scores for run in b.record.runs)
        if name != a.kind.main_figure and in_both and len(definitions) == 1:
            figures[name] = {"a": _figure(a, name), "b": _figure(b, name)}
    return figures
