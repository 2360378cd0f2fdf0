"""What decoders had to say of the files of a store, by kind: a second event stream, an order of columns that was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import h5py
import numpy as np

from eventbench.store.draft import Row
from eventbench.store.opening import texts

GROUP = "notes"
TEXTS = ("kind", "what", "fix", "file")


class FileNote(NamedTuple):
    """Of how many `files` a note of this `kind` is, and for one `file` of them `what` it says; `fix` is "" where none is needed."""

    kind: str
    files: int
    file: str
    what: str
    fix: str


def notes_by_kind(rows: Iterable[Row], path_of: Callable[[str], str]) -> list[FileNote]:
    """The notes of a draft's rows, a kind each, in order of kind; `path_of` an id is its path below the dataset's folder."""
    first: dict[str, FileNote] = {}
    seen: dict[str, set[str]] = {}
    for row in rows:
        for kind, what, fix in row.notes:
            if kind not in first:
                first[kind], seen[kind] = FileNote(kind, 0, path_of(row.id), what, fix), set()
            seen[kind].add(row.sha256)
    return [first[kind]._replace(files=len(seen[kind])) for kind in sorted(first)]


def write_notes(file: h5py.File, notes: Sequence[FileNote]) -> None:
    """The group /notes; none where there is nothing to say."""
    if not notes:
        return
    for name in TEXTS:
        encoded = [str(getattr(note, name)).encode("utf-8", "backslashreplace") for note in notes]
        file[f"{GROUP}/{name}"] = np.array(encoded, h5py.string_dtype("utf-8", max([1, *map(len, encoded)])))
    file[f"{GROUP}/files"] = np.array([note.files for note in notes], "<i8")


def read_notes(file: h5py.File) -> list[FileNote]:
    """What `write_notes` wrote."""
    if GROUP not in file:
        return []
    columns = {name: texts(file[GROUP][name][:]) for name in TEXTS}
    columns["files"] = file[GROUP]["files"][:].tolist()
    return [FileNote(*row) for row in zip(*(columns[name] for name in FileNote._fields), strict=True)]
