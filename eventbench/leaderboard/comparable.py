"""Refuse records that cannot be in one table: made by different rules, from different input, or scored differently."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from eventbench.errors import NotComparable, some
from eventbench.leaderboard.entry import Entry

RESUBMIT_OR_WITHDRAW = (
    "submit the older models again under the present rules, or withdraw them in withdrawn.toml"
)

# The store key is included because it also covers the versions of the reader, the steps and the representation.
# None says nothing and disagrees with nothing.
MUST_AGREE: dict[str, Callable[[Entry], str | None]] = {
    "task.id": lambda entry: entry.record.task.id,
    "task.digest": lambda entry: entry.record.task.digest,
    "dataset.digest": lambda entry: entry.record.dataset.digest,
    "pipeline.digest": lambda entry: entry.record.pipeline.digest,
    "store": lambda entry: entry.record.store,
    "recordings": lambda entry: entry.record.raw_digest or None,
    "samples": lambda entry: str(entry.record.samples),
    "classes": lambda entry: str(entry.record.classes),
}


def refuse_mixed(entries: Sequence[Entry]) -> None:
    """Raises NotComparable where records differ in a field of MUST_AGREE, with the values and the records of each."""
    differing = {}
    for field, value_of in MUST_AGREE.items():
        sides: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            if (value := value_of(entry)) is not None:
                sides[value].append(entry)
        if len(sides) > 1:
            differing[field] = sides
    if differing:
        clauses = "; ".join(f"{field} is {_sides(sides)}" for field, sides in differing.items())
        raise NotComparable(
            f"records made by different rules cannot be in one table: {clauses}",
            where=entries[0].record.task.id,
            fix=RESUBMIT_OR_WITHDRAW,
        )
    _refuse_mixed_figures(entries)


def _sides(sides: dict[str, list[Entry]]) -> str:
    return " and ".join(
        f"{value[:8] or 'empty'} in {some([entry.id for entry in side], 3)}" for value, side in sides.items()
    )


def _refuse_mixed_figures(entries: Sequence[Entry]) -> None:
    """Raises NotComparable for a metric of several versions, units or directions: one column would mix figures."""
    first_entries: dict[str, dict[tuple[int, str, str], Entry]] = defaultdict(dict)
    for entry in entries:
        for run in entry.record.runs:
            for name, score in run.scores.items():
                definition = score.version, score.unit, score.better
                first_entries[name].setdefault(definition, entry)
    for name, definitions in first_entries.items():
        if len(definitions) > 1:
            clauses = " and ".join(
                f"version {version} ({unit or 'no unit'}, better {better}) in {entry.id}"
                for (version, unit, better), entry in definitions.items()
            )
            raise NotComparable(
                f"the metric {name} is {clauses}", where=entries[0].record.task.id, fix=RESUBMIT_OR_WITHDRAW
            )


def refuse_different_recordings(a: Entry, b: Entry) -> None:
    """Raises NotComparable where two records say that they were scored on different recordings of a card that pins none."""
    digests = a.record.raw_digest, b.record.raw_digest
    if all(digests) and digests[0] != digests[1]:
        raise NotComparable(
            f"{a.id} and {b.id} were scored on different recordings: {digests[0][:8]} and {digests[1][:8]}",
            where=a.record.task.id,
            fix=RESUBMIT_OR_WITHDRAW,
        )


def refuse_different_samples(entries: Sequence[Entry]) -> None:
    """Raises NotComparable unless all predictions are of the same samples with the same labels."""
    first = entries[0]
    expected = _labelled_samples(first)
    for entry in entries[1:]:
        samples = _labelled_samples(entry)
        if samples == expected:
            continue
        differing = sorted(set(expected) ^ set(samples))
        raise NotComparable(
            f"{first.id} and {entry.id} were scored on different test samples: "
            f"{len({id for id, _ in differing})} differ, the first is {differing[0][0]!r}",
            where=first.record.task.id,
            fix=RESUBMIT_OR_WITHDRAW,
        )


def _labelled_samples(entry: Entry) -> list[tuple[str, Any]]:
    """The (id, label) of every test sample, in the order of the predictions."""
    return list(zip(entry.predictions.ids, entry.predictions.labels, strict=True))
