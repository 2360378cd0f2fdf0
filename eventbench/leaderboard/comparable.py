"""Which records can be in one table: made by one set of rules, from the same input, scored the same way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from eventbench.errors import NotComparable
from eventbench.leaderboard.entry import Entry
from eventbench.specs.record import Record

RESUBMIT_OR_WITHDRAW = (
    "withdraw the older records in withdrawn.toml, then submit those models again under the present rules"
)

# The store key is included because it also covers the versions of the reader, the steps and the representation.
# None says nothing and disagrees with nothing.
MUST_AGREE: dict[str, Callable[[Record], str | None]] = {
    "task.digest": lambda record: record.task.digest,
    "dataset.digest": lambda record: record.dataset.digest,
    "pipeline.digest": lambda record: record.pipeline.digest,
    "store": lambda record: record.store,
    "recordings": lambda record: record.raw_digest or None,
    "samples": lambda record: str(record.samples) if record.samples else None,
    "classes": lambda record: str(record.classes),
}


class Apart(NamedTuple):
    """A sound record that cannot be in the table of its task, and every reason why."""

    entry: Entry
    reasons: list[str]

    @property
    def mean(self) -> float | None:
        """Mean over its runs of the main figure of its kind of task; None where a run lacks it."""
        values = [run.scores.get(self.entry.kind.main_figure) for run in self.entry.record.runs]
        known = [score.value for score in values if score is not None]
        return fmean(known) if known and len(known) == len(values) else None

    def as_json(self) -> dict[str, Any]:
        """What `compare TASK --json` prints of it."""
        record = self.entry.record
        figure = {self.entry.kind.main_figure: self.mean, "seeds": len(record.runs)}
        return {"record": self.entry.id, "model": record.model.name, **figure, "reasons": self.reasons}


class Together(NamedTuple):
    """The records that are in the table of a task, and those that stand apart from it."""

    entries: list[Entry]
    apart: list[Apart]


def together(entries: Iterable[Entry], task_digest: str = "") -> Together:
    """Which records can be in one table. None is left out: the others stand apart, with the reasons.

    The rules of the table are those of the task file as it is now, `task_digest`; beyond that, those that most records were
    made by, and of as many those of the oldest, so that a single new record never displaces a board.
    """
    ordered = sorted(entries, key=lambda entry: entry.path.stem)
    current = [entry for entry in ordered if not task_digest or entry.record.task.digest == task_digest]
    rules = _common_rules(entry.record for entry in current)
    rules |= {"task.digest": task_digest} if task_digest else {}
    apart: list[Apart] = []
    kept: list[Entry] = []
    for entry in ordered:
        reasons = _differences(rules, entry.record)
        apart += [Apart(entry, reasons)] if reasons else []
        kept += [] if reasons else [entry]
    for reasons_of in (_other_samples, _other_figures):
        found = reasons_of(kept)
        apart += [Apart(entry, found[entry.id]) for entry in kept if entry.id in found]
        kept = [entry for entry in kept if entry.id not in found]
    return Together(kept, apart)


def reasons_apart(record: Record, entries: Iterable[Entry], task_digest: str) -> list[str]:
    """Why a record, not written yet, would stand apart from these; empty where it would be in the table.

    `record` may lack what is known only after scoring: its runs, and with 0 their number of samples.
    """
    beside = together((entry for entry in entries if not entry.withdrawn), task_digest).entries
    reasons = _differences(_common_rules(entry.record for entry in beside), record)
    definitions = {name: _most(list(values)) for name, values in _definitions(beside).items()}
    for name, own in _definitions_of(record).items():
        if definitions.get(name, own) != own:
            reasons.append(_other_definition(name, own, definitions[name]))
    return reasons


def _common_rules(records: Iterable[Record]) -> dict[str, str]:
    """The value of each field of MUST_AGREE in the largest group of records that agree, oldest first where equal."""
    groups: list[dict[str, str]] = []
    sizes: list[int] = []
    for record in records:
        fields = {field: value for field, of in MUST_AGREE.items() if (value := of(record)) is not None}
        for index, group in enumerate(groups):
            if all(group.get(field, value) == value for field, value in fields.items()):
                groups[index], sizes[index] = {**fields, **group}, sizes[index] + 1
                break
        else:
            groups.append(fields)
            sizes.append(1)
    return groups[sizes.index(max(sizes))] if groups else {}


def _differences(rules: Mapping[str, str], record: Record) -> list[str]:
    """A sentence for each field of MUST_AGREE in which a record has another value."""
    differing = []
    for field, value_of in MUST_AGREE.items():
        value = value_of(record)
        if value is not None and rules.get(field, value) != value:
            differing.append(f"{field} is {_short(value)}, here {_short(rules[field])}")
    return differing


def _short(value: str) -> str:
    return value[:8] or "empty"


def _other_samples(entries: Sequence[Entry]) -> dict[str, list[str]]:
    """Entries, by id, whose predictions are of other samples than those of most."""
    samples = {entry.id: tuple(_labelled_samples(entry)) for entry in entries}
    if not samples:
        return {}
    common = _most(list(samples.values()))
    reasons = {}
    for id, own in samples.items():
        if own != common:
            differing = sorted({name for name, _ in set(common) ^ set(own)})
            reasons[id] = [
                f"it was scored on other test samples: {len(differing)} differ, the first is {differing[0]!r}"
            ]
    return reasons


Definition = tuple[int, str, str]


def _definitions_of(record: Record) -> dict[str, Definition]:
    return {
        name: (score.version, score.unit, score.better)
        for run in record.runs
        for name, score in run.scores.items()
    }


def _definitions(entries: Iterable[Entry]) -> dict[str, list[Definition]]:
    found: dict[str, list[Definition]] = defaultdict(list)
    for entry in entries:
        for name, definition in _definitions_of(entry.record).items():
            found[name].append(definition)
    return found


def _other_figures(entries: Sequence[Entry]) -> dict[str, list[str]]:
    """Entries, by id, with a metric of another version, unit or direction than most: one column would mix figures."""
    common = {name: _most(definitions) for name, definitions in _definitions(entries).items()}
    reasons: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        for name, own in _definitions_of(entry.record).items():
            if own != common[name]:
                reasons[entry.id].append(_other_definition(name, own, common[name]))
    return dict(reasons)


def _other_definition(name: str, own: Definition, common: Definition) -> str:
    said, here = (
        f"version {version} ({unit or 'no unit'}, better {better})" for version, unit, better in (own, common)
    )
    return f"its metric {name} is {said}, here {here}"


def _most(values: Sequence[Any]) -> Any:
    """The most frequent value, the first of those that are as frequent."""
    return Counter(values).most_common(1)[0][0]


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
