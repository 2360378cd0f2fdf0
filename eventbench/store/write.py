"""From a finished draft to the HDF5 file, under a temporary name and renamed when everything is on disk."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from eventbench import digest
from eventbench.catalog import Named
from eventbench.specs.card import Card
from eventbench.store.draft import BLOCK, Draft
from eventbench.store.key import LAYOUT_VERSION


class Column(NamedTuple):
    """A payload dataset: its path in the file, its type, and the shape of one row of it."""

    path: str
    dtype: np.dtype
    row: tuple[int, ...] = ()


def finish(
    draft: Draft,
    store: Path,
    key: dict[str, Any],
    card: Named[Card],
    sensor: tuple[int, int],
    columns: dict[str, Column],
) -> None:
    """Write `store` from the draft and discard the draft; `columns` are the draft's, by name.

    Memory use does not depend on how many samples or events there are.
    """
    unfinished = store.with_name(store.name + ".unfinished")
    with h5py.File(unfinished, "w", libver=("earliest", "v110")) as file:
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
        _write_rows(file, draft.rows, key["layout"])
        for name, column in columns.items():
            size = sum(row["bytes"][name] for row in draft.rows)
            shape = (size // (column.dtype.itemsize * math.prod(column.row)), *column.row)
            _copy(draft.column_path(name), file.create_dataset(column.path, shape, column.dtype))
        file.attrs["complete"] = 1
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.replace(store)
    draft.discard()


def _write_rows(file: h5py.File, rows: list[dict[str, Any]], layout: str) -> None:
    metas = [row["meta"] for row in rows]
    text = h5py.string_dtype()
    samples = file.create_group("samples")
    samples.create_dataset("id", data=[row["id"] for row in rows], dtype=text)
    for name in ("split", "subject", "sha256"):
        samples.create_dataset(name, data=[meta[name] for meta in metas], dtype=text)
    samples.create_dataset("label", data=np.array([meta["label"] for meta in metas], "<i4"))
    samples.create_dataset("crc32", data=np.array([row["crc32"] for row in rows], "<u4"))
    if layout == "events":
        samples.create_dataset("start_us", data=np.array([meta["start_us"] for meta in metas], "<i8"))
        for name, column, size in (("offset", "dt", 2), ("long_offset", "long_dt", 8)):
            lengths = [row["bytes"][column] // size for row in rows]
            samples.create_dataset(name, data=np.concatenate([[0], np.cumsum(lengths)]).astype("<i8"))
    account = file.create_group("account")
    for name in ("events", "kept"):
        account.create_dataset(name, data=np.array([meta[name] for meta in metas], "<i8"))
    for reason in sorted({reason for meta in metas for reason in meta["lost"]}):
        counts = np.array([meta["lost"].get(reason, 0) for meta in metas], "<i8")
        account.create_dataset(f"lost/{reason}", data=counts)


def _copy(source: Path, target: h5py.Dataset) -> None:
    """Bytes of a column file into a contiguous dataset, a block of whole rows at a time."""
    if not target.size:
        return
    row = target.dtype.itemsize * math.prod(target.shape[1:])
    rows = max(1, BLOCK // row)
    with source.open("rb") as file:
        for start in range(0, target.shape[0], rows):
            stop = min(start + rows, target.shape[0])
            block = np.frombuffer(file.read((stop - start) * row), target.dtype)
            target[start:stop] = block.reshape(stop - start, *target.shape[1:])
