"""Writing a store: from a finished draft to the HDF5 file, sealed under a temporary name and renamed once it is on disk."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import h5py
import numpy as np

from eventbench import digest
from eventbench.files.hdf5_writing import writing
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.specs.raw_files import RawFiles
from eventbench.store.draft import Draft, Row
from eventbench.store.key import LAYOUT_VERSION
from eventbench.store.left_out import LeftOut, write_left_out
from eventbench.store.notes import FileNote, write_notes
from eventbench.store.paths import UNFINISHED, beside
from eventbench.store.seal import ROOM, set_seal

COPIED = 1 << 18  # bytes at a time: as many as stay in a cache


class Column(NamedTuple):
    """A payload dataset: its path in the file, its type, and the dataset of offsets below /samples that cuts it, if any."""

    path: str
    dtype: np.dtype
    offsets: str = ""


def finish(
    draft: Draft,
    card: Named[Card],
    sensor: tuple[int, int],
    columns: dict[str, Column],
    shape: tuple[int, ...] | None = None,
    raw: RawFiles | None = None,
    left_out: Sequence[LeftOut] = (),
    notes: Sequence[FileNote] = (),
) -> None:
    """Write the store from its draft and discard the draft; `columns` are the draft's, by name.

    `sensor` is (width, height) of the arrays in the store, `shape` (T, C, H, W) that of a sample's frames, `raw` what the
    events were made from where the card does not pin it, `left_out` the samples it was made without, `notes` what
    decoders said. Memory use does not depend on how many events there are.
    """
    unfinished = beside(draft.key.path, UNFINISHED)
    with writing(unfinished, libver=("earliest", "v110"), userblock_size=ROOM) as (file, _):
        file.attrs.update(_head(draft, card, sensor, shape))
        rows = _rows(draft.rows, columns, with_start=draft.key.value["layout"] == "events")
        for path, values in rows.items():
            file.create_dataset(path, data=values)
        if raw is not None:
            _write_raw_files(file, raw)
        write_left_out(file, left_out)
        write_notes(file, notes)
        offsets = _make_room(file, draft, columns)
        file.attrs["complete"] = 1
    with unfinished.open("r+b") as target:
        for name, offset in offsets.items():
            with draft.column_path(name).open("rb") as source:
                target.seek(offset)
                shutil.copyfileobj(source, target, COPIED)
    set_seal(unfinished, [(at, draft.column_path(name).stat().st_size) for name, at in offsets.items()])
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.replace(draft.key.path)
    draft.discard()


def _head(
    draft: Draft, card: Named[Card], sensor: tuple[int, int], shape: tuple[int, ...] | None
) -> dict[str, Any]:
    """The root attributes of LAYOUT.md but for `complete`, which is written last."""
    head = {
        "format": "eventbench",
        "layout": draft.key.value["layout"],
        "layout_version": LAYOUT_VERSION,
        "key": draft.key.digest,
        "key_json": digest.canonical_json(draft.key.value).decode(),
        "dataset": card.id,
        "sensor": np.asarray(sensor, np.int64),
        "classes": json.dumps(card.spec.classes),
    }
    return head | ({"shape": np.asarray(shape, np.int64)} if shape else {})


def _rows(rows: list[Row], columns: dict[str, Column], *, with_start: bool) -> dict[str, np.ndarray]:
    """Every dataset below /samples, /account and /mended, by path."""
    datasets = {
        f"samples/{name}": _texts(getattr(row, name) for row in rows)
        for name in ("id", "split", "subject", "sha256")
    }
    datasets["samples/label"] = np.array([row.label for row in rows], "<i4")
    datasets["samples/xxh3"] = np.array([row.xxh3 for row in rows], "<u8")
    if with_start:
        datasets["samples/start_us"] = np.array([row.start_us for row in rows], "<i8")
    for number, column in enumerate(columns.values()):
        if column.offsets:
            ends = np.cumsum([0, *(row.bytes[number] // column.dtype.itemsize for row in rows)])
            datasets[f"samples/{column.offsets}"] = ends.astype("<i8")
    for name in ("events", "kept"):
        datasets[f"account/{name}"] = np.array([getattr(row, name) for row in rows], "<i8")
    for reason in sorted({reason for row in rows for reason in row.lost}):
        datasets[f"account/lost/{reason}"] = np.array([row.lost.get(reason, 0) for row in rows], "<i8")
    for kind in sorted({kind for row in rows for kind in row.mended}):
        datasets[f"mended/{kind}"] = np.array([row.mended.get(kind, 0) for row in rows], "<i8")
    return datasets


def _write_raw_files(file: h5py.File, raw: RawFiles) -> None:
    """The group /raw: files sorted by path."""
    file.attrs["raw_digest"] = raw.digest
    paths = sorted(raw.files)
    files = [raw.files[path] for path in paths]
    file["raw/folder"] = _encoded([os.fsencode(raw.folder)])
    file["raw/path"] = _encoded([os.fsencode(path) for path in paths])
    file["raw/sha256"] = _texts(entry.sha256 for entry in files)
    file["raw/size"] = np.array([entry.size for entry in files], "<i8")
    file["raw/changed_ns"] = np.array([entry.changed_ns for entry in files], "<i8")


def _texts(values: Iterable[str]) -> np.ndarray:
    return _encoded([value.encode() for value in values])


def _encoded(encoded: list[bytes]) -> np.ndarray:
    return np.array(encoded, h5py.string_dtype("utf-8", max([1, *map(len, encoded)])))


def _make_room(file: h5py.File, draft: Draft, columns: dict[str, Column]) -> dict[str, int]:
    """A dataset for each column; where in the file the bytes of those go that have any."""
    offsets: dict[str, int] = {}
    for number, (name, column) in enumerate(columns.items()):
        size = sum(row.bytes[number] for row in draft.rows) // column.dtype.itemsize
        if size:
            offsets[name] = _contiguous(file, column, size)
        else:
            file.create_dataset(column.path, (0,), column.dtype)
    return offsets


def _contiguous(file: h5py.File, column: Column, size: int) -> int:
    """Make a contiguous dataset that is not filled yet; where in the file its bytes go."""
    options = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    options.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    options.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    options.set_obj_track_times(False)  # the same content is the same bytes on any day
    parents = h5py.h5p.create(h5py.h5p.LINK_CREATE)
    parents.set_create_intermediate_group(True)
    dtype, space = h5py.h5t.py_create(column.dtype), h5py.h5s.create_simple((size,))
    dataset = h5py.h5d.create(file.id, None, dtype, space, options)
    h5py.h5o.link(dataset, file.id, column.path.encode(), lcpl=parents)
    return int(dataset.get_offset())
