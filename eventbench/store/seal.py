"""Checksums of a store, all XXH3: of each sample's bytes, and of every other byte of the file.

HDF5 itself can crash on a file whose structure is harmed, so the second is checked before HDF5 sees the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import xxhash

BLOCK = 1 << 24
ROOM = 512  # bytes before the HDF5 file proper, HDF5's "user block", where the seal stands
TITLE = b"eventbench store\n"
UNSEALED = "damaged: its labels, its ids or its structure are not what was written"
_FORM = re.compile(
    rb"payload:((?: \d{1,19}\+\d{1,19})*)\nXXH3-128 of this line and all else from 512 on: [0-9a-f]{32}\n\0*"
)

Extents = list[tuple[int, int]]  # (offset, bytes) of the payload datasets, in order, none touching another


def raw_bytes(array: np.ndarray) -> memoryview | bytes:
    """The bytes of an array in C order, without a copy where it lies so."""
    return np.ascontiguousarray(array).data.cast("B") if array.size else b""


def payload_checksum(columns: Iterable[np.ndarray]) -> int:
    """XXH3-64 of a sample's columns, one after the other."""
    return bytes_checksum([raw_bytes(column) for column in columns])


def bytes_checksum(parts: Sequence[memoryview | bytes]) -> int:
    """XXH3-64 of all these bytes, one after the other."""
    if len(parts) == 1:
        return xxhash.xxh3_64_intdigest(parts[0])
    state = xxhash.xxh3_64()
    for part in parts:
        state.update(part)
    return state.intdigest()


def set_seal(path: Path, payload: Extents) -> None:
    """Write the seal of a finished file into its first bytes."""
    with path.open("r+b") as file:
        seal = _seal_of(file, sorted(payload))
        file.seek(0)
        file.write(seal)


def is_sealed(path: Path) -> bool | None:
    """Whether all bytes that belong to no sample are as they were sealed; None where the file has no seal."""
    with path.open("rb") as file:
        seal = file.read(ROOM)
        if not seal.startswith(TITLE):
            return None
        match = _FORM.fullmatch(seal, len(TITLE))
        if match is None:
            return False
        pairs = (pair.split(b"+") for pair in match[1].split())
        return seal == _seal_of(file, [(int(offset), int(size)) for offset, size in pairs])


def _seal_of(file: BinaryIO, payload: Extents) -> bytes:
    payload_line = "payload:" + "".join(f" {offset}+{size}" for offset, size in payload) + "\n"
    state = xxhash.xxh3_128(payload_line.encode())
    for start, stop in _between(payload, file.seek(0, 2)):
        file.seek(start)
        while start < stop and (block := file.read(min(BLOCK, stop - start))):
            state.update(block)
            start += len(block)
    text = f"{payload_line}XXH3-128 of this line and all else from {ROOM} on: {state.hexdigest()}\n"
    return (TITLE + text.encode()).ljust(ROOM, b"\0")


def _between(payload: Extents, end: int) -> Iterator[tuple[int, int]]:
    """The parts of the file, from its seal to its `end`, that are no payload."""
    start = ROOM
    for offset, size in payload:
        yield start, offset
        start = max(start, offset + size)
    yield start, end
