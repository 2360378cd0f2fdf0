"""From a finished draft to the HDF5 file, sealed under a temporary name and renamed when everything is on disk."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from eventbench import digest
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.store.draft import Draft, Row
from eventbench.store.key import LAYOUT_VERSION
from eventbench.store.seal import ROOM, set_seal

COPIED = 1 << 18  # bytes at a time: as many as stay in a cache


class Column(NamedTuple):
    """A payload dataset: its path in the file, its type, and the dataset of offsets below /samples that cuts it, if any."""

    path: str
    dtype: np.dtype
    offsets: str = ""


def finish(
    draft: Draft,
    store: Path,
    key: dict[str, Any],
    card: Named[Card],
    sensor: tuple[int, int],
    columns: dict[str, Column],
    shape: tuple[int, ...] | None = None,
) -> None:
    """Write `store` from the draft and discard the draft; `columns` are the draft's, by name.

    `shape` is that of a sample's frames. Memory use does not depend on how many events there are.
    """
    unfinished = store.with_name(store.name + ".unfinished")
    with h5py.File(unfinished, "w", libver=("earliest", "v110"), userblock_size=ROOM) as file:
        file.attrs.update(
            {
                "format": "eventbench",
                "layout": key["layout"],
                "layout_version": LAYOUT_VERSION,
                "key": digest.of_value(key),
                "key_json": digest.canonical_json(key).decode(),
                "dataset": card.id,
                "sensor": np.asarray(sensor, np.int64),
                "classes": json.dumps(card.spec.classes),
            }
        )
        if shape:
            file.attrs["shape"] = np.asarray(shape, np.int64)
        rows = _rows(draft.rows, columns, with_start=key["layout"] == "events")
        for path, values in rows.items():
            file.create_dataset(path, data=values)
        places: dict[str, int] = {}
        for number, (name, column) in enumerate(columns.items()):
            size = sum(row.bytes[number] for row in draft.rows) // column.dtype.itemsize
            if size:
                places[name] = _room(file, column, size)
            else:
                file.create_dataset(column.path, (0,), column.dtype)
        file.attrs["complete"] = 1
    with unfinished.open("r+b") as target:
        for name, at in places.items():
            with draft.column_path(name).open("rb") as source:
                target.seek(at)
                shutil.copyfileobj(source, target, COPIED)
    set_seal(unfinished, [(at, draft.column_path(name).stat().st_size) for name, at in places.items()])
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.replace(store)
    draft.discard()


def _rows(rows: list[Row], columns: dict[str, Column], *, with_start: bool) -> dict[str, np.ndarray]:
    found = {
        f"samples/{name}": _texts(getattr(row, name) for row in rows)
        for name in ("id", "split", "subject", "sha256")
    }
    found["samples/label"] = np.array([row.label for row in rows], "<i4")
    found["samples/xxh3"] = np.array([row.xxh3 for row in rows], "<u8")
    if with_start:
        found["samples/start_us"] = np.array([row.start_us for row in rows], "<i8")
    for number, column in enumerate(columns.values()):
        if column.offsets:
            ends = np.cumsum([0, *(row.bytes[number] // column.dtype.itemsize for row in rows)])
            found[f"samples/{column.offsets}"] = ends.astype("<i8")
    for name in ("events", "kept"):
        found[f"account/{name}"] = np.array([getattr(row, name) for row in rows], "<i8")
    for reason in sorted({reason for row in rows for reason in row.lost}):
        found[f"account/lost/{reason}"] = np.array([row.lost.get(reason, 0) for row in rows], "<i8")
    return found


def _texts(values: Iterable[str]) -> np.ndarray:
    encoded = [value.encode() for value in values]
    return np.array(encoded, h5py.string_dtype("utf-8", max([1, *map(len, encoded)])))


def _room(file: h5py.File, column: Column, size: int) -> int:
    """A contiguous dataset that is not filled yet, and where in the file its bytes go."""
    how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    how.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    how.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    how.set_obj_track_times(False)  # the same content is the same bytes on any day
    parents = h5py.h5p.create(h5py.h5p.LINK_CREATE)
    parents.set_create_intermediate_group(True)
    kind, space = h5py.h5t.py_create(column.dtype), h5py.h5s.create_simple((size,))
    made = h5py.h5d.create(file.id, None, kind, space, how)
    h5py.h5o.link(made, file.id, column.path.encode(), lcpl=parents)
    return made.get_offset()
