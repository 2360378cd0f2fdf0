"""Which records may stand in one table: those made by the same rules, from the same input, scored the same way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from eventbench.errors import NotComparable, some
from eventbench.leaderboard.entry import Entry

WAY_OUT = "submit the older models again under the present rules, or withdraw them in withdrawn.toml"

# The store key is here because it also covers the versions of the reader, the steps and the representation.
MUST_AGREE: dict[str, Callable[[Entry], str]] = {
    "task.id": lambda entry: entry.record.task.id,
    "task.digest": lambda entry: entry.record.task.digest,
    "dataset.digest": lambda entry: entry.record.dataset.digest,
    "pipeline.digest": lambda entry: entry.record.pipeline.digest,
    "store": lambda entry: entry.record.store,
    "samples": lambda entry: str(entry.record.samples),
    "classes": lambda entry: str(entry.record.classes),
}


def refuse_mixed(entries: Sequence[Entry]) -> None:
    """Raises NotComparable, with the records on each side and every field that differs, unless all agree."""
    differing = {}
    for field, value_of in MUST_AGREE.items():
        sides: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            sides[value_of(entry)].append(entry)
        if len(sides) > 1:
            differing[field] = sides
    if differing:
        clauses = "; ".join(f"{field} is {_sides(sides)}" for field, sides in differing.items())
        raise NotComparable(
            f"records made by different rules cannot stand in one table: {clauses}",
            where=entries[0].record.task.id,
            fix=WAY_OUT,
        )
    _refuse_mixed_figures(entries)


def _sides(sides: dict[str, list[Entry]]) -> str:
    return " and ".join(
        f"{value[:8] or 'empty'} in {some([entry.id for entry in side], 3)}" for value, side in sides.items()
    )


def _refuse_mixed_figures(entries: Sequence[Entry]) -> None:
    """A metric whose version, unit or direction changed would put two different figures into one column."""
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
                f"the metric {name} is {clauses}", where=entries[0].record.task.id, fix=WAY_OUT
            )


def refuse_other_samples(entries: Sequence[Entry]) -> None:
    """Raises NotComparable unless all predictions are of the same samples with the same labels."""
    first = entries[0]
    for other in entries[1:]:
        if (first.predictions.ids, first.predictions.labels) == (
            other.predictions.ids,
            other.predictions.labels,
        ):
            continue
        of_first, of_other = (
            set(zip(entry.predictions.ids, entry.predictions.labels, strict=True)) for entry in (first, other)
        )
        differ = sorted(of_first ^ of_other)
        raise NotComparable(
            f"{first.id} and {other.id} were scored on different test samples: "
            f"{len({name for name, _ in differ})} differ, the first is {differ[0][0]!r}",
            where=first.record.task.id,
            fix=WAY_OUT,
        )
