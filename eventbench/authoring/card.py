"""A card from a folder of recordings: what the files and their paths say is written down, what was guessed is marked."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import msgspec

from eventbench import registry
from eventbench.authoring.label_table import table_structure
from eventbench.authoring.rows import rows_structure
from eventbench.authoring.structure import Structure, structure_of
from eventbench.doctor import Examined, examine_folder
from eventbench.doctor.recording import FROM_EVENTS
from eventbench.errors import BadDataset
from eventbench.files.progress import Progress, no_progress
from eventbench.recordings.dataset import Dataset
from eventbench.recordings.files_read import path_below
from eventbench.recordings.read import Reading, configured
from eventbench.sources.base import Source
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.specs.sample import Sample

ROW = re.compile(r"#\d+$")  # of a recording in a file of many, after the file's path


class WrittenCard(NamedTuple):
    """A card that was written: its text, what it says, how many recordings there are by split, what is not right yet.

    `guesses` are what the card marks as guessed, by key; `remarks` are files that it does not take or that cannot be read.
    """

    path: Path
    text: str
    card: Card
    samples: dict[str, int]
    guesses: dict[str, str]
    remarks: list[str]


def new_card(
    folder: Path,
    out: Path,
    reading: Reading | None = None,
    progress: Progress = no_progress,
    *,
    pin: bool = False,
) -> WrittenCard:
    """Write the card `out` of the recordings below `folder`; with `pin`, their numbers are demanded from then on.

    Raises BadDataset where there is no recording that can be read, or no classes are found; where `out` is there already.
    """
    if out.exists():
        raise BadDataset("it is there already", where=out, fix="name another file with --out")
    if not folder.is_dir():
        raise BadDataset("no such folder", where=folder)
    reading = reading or Reading()
    examined = examine_folder(folder, reading, progress)
    recordings = [
        recording for recording in examined.recordings if not Path(recording.path).name.startswith("._")
    ]
    taken, others, remarks = _of_one_kind(recordings, folder)
    source = configured(registry.sources.get(taken[0].format), taken[0].format, reading.parameters, folder)
    paths = [recording.path.replace("\\", "/") for recording in taken]
    if source.holds_many and any(map(ROW.search, paths)):
        structure = rows_structure(folder, sorted({ROW.sub("", path) for path in paths}), source)
    else:
        structure = table_structure(folder, paths) or structure_of(paths, folder)
    sensor = _sensor(taken, reading, structure.guesses)
    if source.settable("unit"):
        _mark_unit(taken, structure.guesses)
    card = msgspec.convert(
        {
            "sensor": sensor,
            "classes": structure.classes,
            "source": _source_table(taken[0].format, source, reading),
            "layout": structure.layout,
            "splits": {split: {} for split in structure.splits},
            "obtain": {"how": f"ask whoever recorded the folder {folder.resolve().name}"},
        },
        Card,
    )
    dataset = Dataset(Named(out.stem, out, card), folder)
    samples = dataset.samples()
    remarks += _not_taken(dataset, samples, others, examined.passed_over)
    counts = {
        split: [
            sum(sample.label == label for sample in samples if sample.split == split)
            for label in range(len(card.classes))
        ]
        for split in card.splits
    }
    text = _text(card, folder, counts, structure, pin=pin)
    out.write_text(text, encoding="utf-8")
    numbers = {split: sum(by_class) for split, by_class in counts.items()}
    return WrittenCard(out, text, card, numbers, structure.guesses, remarks)


def _not_taken(
    dataset: Dataset, samples: list[Sample], others: list[Examined], passed_over: list[str]
) -> list[str]:
    """Remarks on what the card does not take, each file once, and on each text that it takes and that has no events.

    `others` are recordings of another kind; of those that nobody would take for a sample, only that they are there is told.
    """
    found = {path_below(dataset.root, sample.recording) for sample in samples}
    told = dataset.passed_over(samples)
    named = {file.path for file in told}
    kinds = Counter(_kind(one) for one in others if ROW.sub("", one.path).replace("\\", "/") not in named)
    unread = [path for path in passed_over if path.replace("\\", "/") in found]
    return [
        *(
            f"not taken: {count:,} recordings of another kind: {name} ({ending})"
            for (name, ending), count in kinds.items()
        ),
        *(f"not taken: {file}" for file in told),
        *(f"cannot be read: {path}: eventbench doctor says why" for path in unread),
    ]


def _kind(recording: Examined) -> tuple[str, str]:
    """Its format and ending."""
    return recording.format, PurePosixPath(ROW.sub("", recording.path)).suffix


def _of_one_kind(
    recordings: list[Examined], folder: Path
) -> tuple[list[Examined], list[Examined], list[str]]:
    """The recordings of the most frequent format and ending, all others, and a remark on each of the first that cannot be read."""
    readable = [recording for recording in recordings if recording.summary]
    if not readable:
        if not recordings:
            raise BadDataset("no recording below it but notes of macOS", where=folder)
        first = recordings[0]
        problem = first.problems[0] if first.problems else None
        raise BadDataset(
            f"none of {len(recordings):,} recordings can be read; {first.path}: {problem.what if problem else 'unknown'}",
            where=folder,
            fix=problem.fix if problem else "",
        )

    most = Counter(map(_kind, readable)).most_common(1)[0][0]
    taken = [
        recording
        for recording in recordings
        if _kind(recording) == most or (not recording.summary and _kind(recording)[1] == most[1])
    ]
    broken = [
        f"cannot be read: {recording.path}: {recording.problems[0].what}; {recording.problems[0].fix}"
        for recording in taken
        if not recording.summary and recording.problems
    ]
    of_the_kind = {recording.path for recording in taken}
    others = [recording for recording in recordings if recording.path not in of_the_kind]
    return taken, others, broken


def _source_table(name: str, source: Source, reading: Reading) -> dict[str, Any]:
    """The card's table of the source, with the parameters that were asked for."""
    values = msgspec.to_builtins(source)
    return {"name": name, **{key: values[key] for key in reading.parameters}}


def _sensor(taken: list[Examined], reading: Reading, guesses: dict[str, str]) -> tuple[int, int]:
    """The sensor that was given, that the files state, or the smallest that holds every event."""
    if reading.sensor:
        return reading.sensor
    sizes = Counter(recording.summary.sensor for recording in taken if recording.summary)
    if any(recording.sensor_from == FROM_EVENTS for recording in taken):
        guesses["sensor"] = "the smallest that holds every event; put the camera's width and height here"
    elif len(sizes) > 1:
        listed = ", ".join(f"{width}x{height}" for width, height in sorted(sizes))
        guesses["sensor"] = f"the largest that files state, of {listed}"
    return max(width for width, _ in sizes), max(height for _, height in sizes)


def _mark_unit(taken: list[Examined], guesses: dict[str, str]) -> None:
    units = Counter(recording.suspected_unit for recording in taken if recording.suspected_unit)
    if units.total() * 2 > len(taken):
        unit = units.most_common(1)[0][0]
        guesses["source"] = (
            f"times are taken as {taken[0].time_unit} and may be {unit}: eventbench doctor says why"
        )


def _text(
    card: Card, folder: Path, counts: Mapping[str, list[int]], structure: Structure, *, pin: bool
) -> str:
    """The card as TOML."""
    guesses = structure.guesses

    def mark(key: str) -> str:
        return f"# guessed: {guesses[key]}\n" if key in guesses else ""

    layout = card.layout or {}
    text = f'# Written by eventbench new card from {folder.resolve().name}; lines marked "guessed" want a look.\n'
    text += mark("sensor") + f"sensor = {_toml(list(card.sensor))}\n"
    text += mark("classes") + f"classes = {_toml(card.classes)}\n\n"
    text += mark("source") + "[source]\n" + _table(card.source) + "\n"
    text += mark("folders") + mark("subject") + "[layout]\n" + _table(layout) + "\n"
    text += mark("splits")
    text += "# With samples (and per_class), a folder of any other number of recordings is refused.\n"
    for split, by_class in counts.items():
        hidden = "" if pin else "# "
        text += f"[splits.{_key(split)}]\n{hidden}samples = {sum(by_class)}\n{hidden}per_class = {_toml(by_class)}\n\n"
    text += f"[obtain]\nhow = {_toml(card.obtain.how)}\n\n"
    return text + f'[about]\ntitle = {_toml(folder.resolve().name)}\nlicence = ""\n'


def _table(values: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())


def _toml(value: Any) -> str:
    """A value of lists, tables, text and numbers as TOML, in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key)
