"""Two records side by side: first what they were made from, then who is right where the other is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eventbench.errors import BadRecord, NotComparable
from eventbench.leaderboard.check import check_evidence
from eventbench.leaderboard.comparable import refuse_other_samples
from eventbench.leaderboard.entry import Entry
from eventbench.leaderboard.ranking import figure
from eventbench.statistics.paired import difference_in_units, holm, mcnemar_exact, paired_bootstrap, sign_flip


def compare(a: Entry, b: Entry) -> dict[str, Any]:
    """What `compare RECORD RECORD --json` prints.

    `provenance` lists `{"field", "a", "b", "same"}`; of the environment only what differs. `accuracy` has each
    record's figure and `difference` (A minus B) with its 95 % paired bootstrap interval and the p of the exact
    sign-flip test over per-sample shares of runs that are right. `runs` has, for the k-th run of A and the k-th of B,
    the samples only one of them got right and McNemar's exact p, also adjusted by Holm over the pairs. `metrics` has
    every other figure both have.

    Raises BadRecord when either record is broken, NotComparable when the task or the test samples differ.
    """
    for entry in (a, b):
        if broken := check_evidence(entry):
            raise BadRecord(broken[0], where=entry.id, fix="eventbench verify records says all of it")
    _refuse_other_task(a, b)
    refuse_other_samples([a, b])
    differences, units = difference_in_units(a.predictions.correct, b.predictions.correct)
    low, high = paired_bootstrap(differences)
    return {
        "records": {"a": a.id, "b": b.id},
        "task": a.record.task.id,
        "samples": a.record.samples,
        "provenance": provenance(a, b),
        "accuracy": {
            "a": _figure(a, "accuracy"),
            "b": _figure(b, "accuracy"),
            "difference": {
                "mean": float(differences.mean()) / units,
                "low": low / units,
                "high": high / units,
                "p": sign_flip(differences),
            },
        },
        "runs": _pairs(a, b),
        "metrics": _others(a, b),
    }


def _refuse_other_task(a: Entry, b: Entry) -> None:
    one, two = a.record.task, b.record.task
    if one != two:
        differs = "other tasks" if one.id != two.id else "other versions of one task"
        raise NotComparable(
            f"{a.id} and {b.id} were scored by {differs}: "
            f"{one.id} {one.digest[:8]} and {two.id} {two.digest[:8]}",
            fix="submit one of the models to the other's task, then compare those two",
        )


def provenance(a: Entry, b: Entry) -> list[dict[str, Any]]:
    """What each was made from, a field a line, the environment only where it differs."""
    one, two = _provenance(a), _provenance(b)
    # A key only B has stands beside its kin and not at the end.
    kinds = list(dict.fromkeys(name.partition(".")[0] for name in [*one, *two]))
    fields = sorted(dict.fromkeys([*one, *two]), key=lambda name: kinds.index(name.partition(".")[0]))
    return [
        {"field": name, "a": one.get(name), "b": two.get(name), "same": one.get(name) == two.get(name)}
        for name in fields
        if one.get(name) != two.get(name) or not name.startswith("environment.")
    ]


def _provenance(entry: Entry) -> dict[str, Any]:
    record = entry.record
    fields: dict[str, Any] = {}
    for kind in ("task", "dataset", "pipeline"):
        pinned = getattr(record, kind)
        fields[kind] = pinned.id
        fields[f"{kind}.digest"] = pinned.digest
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
    return vars(figure(name, scores, entry.record.samples))


def _pairs(a: Entry, b: Entry) -> list[dict[str, Any]]:
    pairs = []
    for run_a, run_b, right_a, right_b in zip(
        a.record.runs, b.record.runs, a.predictions.correct, b.predictions.correct, strict=False
    ):
        only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
        pairs.append(
            {
                "seed_a": run_a.seed,
                "seed_b": run_b.seed,
                "only_a": only_a,
                "only_b": only_b,
                "p": mcnemar_exact(only_a, only_b),
            }
        )
    adjusted = holm([pair["p"] for pair in pairs])
    return [{**pair, "p_holm": p} for pair, p in zip(pairs, adjusted, strict=True)]


def _others(a: Entry, b: Entry) -> dict[str, dict[str, Any]]:
    """Figures of one metric are put side by side only where both were measured the same way."""
    shown = {}
    for name in dict.fromkeys(name for run in a.record.runs for name in run.scores):
        kinds = {
            (score.version, score.unit, score.better)
            for entry in (a, b)
            for run in entry.record.runs
            for score in [run.scores.get(name)]
            if score is not None
        }
        there = any(name in run.scores for run in b.record.runs)
        if name != "accuracy" and there and len(kinds) == 1:
            shown[name] = {"a": _figure(a, name), "b": _figure(b, name)}
    return shown
