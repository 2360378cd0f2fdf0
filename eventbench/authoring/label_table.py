"""A table of labels in a folder of recordings: a CSV file whose columns are a path and a label, maybe a split and a subject."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from eventbench.authoring.names import natural, split_named
from eventbench.authoring.structure import FIFTHS, Structure

# What such columns are called.
NAMES = {
    "path": ("path", "file", "filename", "file_name", "recording", "name", "sample"),
    "label": ("label", "class", "category", "gesture", "target", "word"),
    "split": ("split", "set", "partition", "subset"),
    "subject": ("subject", "user", "person", "participant", "speaker", "group"),
}


def table_structure(root: Path, recordings: Sequence[str]) -> Structure | None:
    """The structure that a CSV file directly in `root` says; None where none names these recordings by their paths."""
    for path in sorted([*root.glob("*.csv"), *root.glob("*.tsv")]):
        if path.name not in recordings and (structure := _structure(path, set(recordings))):
            return structure
    return None


def _structure(path: Path, recordings: set[str]) -> Structure | None:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    separator = max(",;\t", key=(lines or [""])[0].count)
    rows = [row for row in csv.reader(lines, delimiter=separator) if "".join(row).strip()]
    header = [name.strip().lower() for name in (rows or [[]])[0]]
    found = {
        column: name
        for column, names in NAMES.items()
        if (name := next((n for n in names if n in header), ""))
    }
    if not {"path", "label"} <= set(found) or any(len(row) < len(header) for row in rows[1:]):
        return None
    columns = {
        column: [row[header.index(name)].strip() for row in rows[1:]] for column, name in found.items()
    }
    endings = ["", *sorted({PurePosixPath(recording).suffix for recording in recordings})]
    suffix = next(
        (end for end in endings if {f"{name}{end}" for name in columns["path"]} <= recordings), None
    )
    if suffix is None or not columns["path"]:
        return None
    renamed = {column: name for column, name in found.items() if column != name}
    layout: dict[str, object] = {"name": "labels_csv", "table": path.name}
    layout |= {"columns": renamed} if renamed else {}
    layout |= {"suffix": suffix} if suffix else {}
    structure = Structure(
        layout, sorted(set(columns["label"]), key=natural), sorted(set(columns.get("split", [])))
    )
    structure.guesses["classes"] = f"from the column {found['label']} of {path.name}"
    if structure.splits:
        structure.splits.sort(key=lambda name: ["train", "validation", "test", ""].index(split_named(name)))
        structure.guesses["splits"] = f"from the column {found['split']} of {path.name}"
    else:
        structure.splits, layout["parts"], layout["seed"] = ["train", "test"], FIFTHS, 0
        structure.guesses["splits"] = "none in the table: 80 and 20 % of each class, by a seed"
    structure.subjects = len(set(columns.get("subject", [])) - {""})
    if structure.subjects:
        structure.guesses["subject"] = f"{structure.subjects} in the column {found['subject']}"
    return structure
