"""Checksums of a store: of a sample's bytes, of its rows and attributes, and of the whole file. All are XXH3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from eventbench import digest

BLOCK = 1 << 24
ROOM = 512  # bytes before the HDF5 file proper, HDF5's "user block", where the seal stands
TITLE = b"eventbench store\n"


def raw_bytes(array: np.ndarray) -> memoryview | bytes:
    """The bytes of an array in C order, without a copy where it lies so."""
    return np.ascontiguousarray(array).data.cast("B") if array.size else b""


def of_payload(columns: Iterable[np.ndarray]) -> int:
    """XXH3-64 of a sample's columns, one after the other."""
    columns = [column for column in columns if column.size]
    if len(columns) == 1:
        return xxhash.xxh3_64_intdigest(raw_bytes(columns[0]))
    state = xxhash.xxh3_64()
    for column in columns:
        state.update(raw_bytes(column))
    return state.intdigest()


def of_rows(attributes: Mapping[str, Any], rows: Mapping[str, np.ndarray]) -> str:
    """XXH3-128, hex, of what a reader keeps in memory: the attributes (JSON values) and every dataset of rows, by path."""
    state = xxhash.xxh3_128(digest.canonical_json(dict(attributes)))
    for path in sorted(rows):
        array = rows[path]
        state.update(f"\n{path} {array.dtype.str} {array.shape}\n".encode())
        state.update(raw_bytes(array))
    return state.hexdigest()


def set_seal(path: Path) -> None:
    """Write the seal of a finished file into its first bytes."""
    seal = _seal_of(path)
    with path.open("r+b") as file:
        file.write(seal)


def is_whole(path: Path) -> bool:
    """Whether every byte of the file is what it was when it was sealed."""
    with path.open("rb") as file:
        stated = file.read(ROOM)
    return stated == _seal_of(path)


def has_seal(path: Path) -> bool:
    """Whether the file begins as sealed ones do."""
    with path.open("rb") as file:
        return file.read(len(TITLE)) == TITLE


def _seal_of(path: Path) -> bytes:
    state = xxhash.xxh3_128()
    with path.open("rb") as file:
        file.seek(ROOM)
        while block := file.read(BLOCK):
            state.update(block)
    told = f"XXH3-128 of all bytes from {ROOM} on: {state.hexdigest()}\n"
    return (TITLE + told.encode()).ljust(ROOM, b"\0")
