"""HDF5: columns in `events/` as DSEC has them, a table in `CD/events` as Prophesee has it."""

from __future__ import annotations

import io
from typing import Any

import h5py
import numpy as np

from tests.support.formats.shared import COLUMNS
from tests.support.miniatures import structured

PACKINGS: tuple[dict[str, Any], ...] = (
    {},
    {"compression": "gzip", "shuffle": True},
    {"compression": "lzf"},
    {"fletcher32": True},
)


def seeds() -> list[bytes]:
    """Columns plain and packed, a table, and columns packed as far as packing goes."""
    return [*(_columns(packing) for packing in PACKINGS), _table(), _zeros()]


def _columns(packing: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as out:
        for name, values in COLUMNS.items():
            kind = "i8" if name == "t" else "u2"
            out.create_dataset(f"events/{name}", data=values.astype(kind), chunks=(64,), **packing)
        out["t_offset"] = 1000
    return file.getvalue()


def _table() -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w", libver="latest") as out:
        out["CD/events"] = structured(COLUMNS, "xypt", {"x": "<u2", "y": "<u2", "p": "<i2", "t": "<i8"})
        out.attrs["geometry"] = "100x90"
    return file.getvalue()


def _zeros() -> bytes:
    """A million values in a few kilobytes."""
    file = io.BytesIO()
    with h5py.File(file, "w") as out:
        for name in "txyp":
            zeros = np.zeros(2**18, "u2")
            out.create_dataset(f"events/{name}", data=zeros, chunks=(2**18,), compression="gzip")
    return file.getvalue()
