"""Index files: what one pass over a long recording has found, kept in the cache so that the next opening needs none.

A line (format, length and xxh3 of the head), the head in JSON, and arrays, each at a multiple of 64 bytes.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote_from_bytes, unquote_to_bytes

import msgspec
import numpy as np
import xxhash

from eventbench import digest
from eventbench.errors import BadStore
from eventbench.sources.base import Decoded, Note, Piece, Scan

FOLDER, ENDING, UNFINISHED = "recording-indexes", ".index", ".unfinished"
FORMAT = b"eventbench index 1"
ALIGNED = 64
COLUMNS = (
    "t",
    "x",
    "y",
    "p",
)  # arrays of a recording that was decoded whole; they are not checked as a whole

Arrays = Mapping[str, np.ndarray]


class Place(msgspec.Struct, frozen=True, array_like=True):
    """An array of the file: its type and shape, where it begins behind the head, and its xxh3 (0 for columns)."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    xxh3: int


class Index(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a recording without its events; times in microseconds, None where there is no event.

    made_from : the file as it was, and how it was read
    pieces : where it can be cut, [] where it was decoded whole
    """

    made_from: dict[str, Any]
    sensor: tuple[int, int]
    events: int
    first_us: int | None
    last_us: int | None
    ordered: bool = True
    lost: dict[str, int] = {}
    notes: tuple[Note, ...] = ()
    pieces: list[Piece] = []

    @classmethod
    def of(cls, decoded: Decoded, made_from: dict[str, Any]) -> Index:
        """That of a recording that was decoded whole."""
        events = decoded.events
        return cls(
            made_from=made_from,
            sensor=events.sensor,
            events=len(events),
            first_us=int(events.t[0]) if len(events) else None,
            last_us=int(events.t[-1]) if len(events) else None,
            lost=dict(decoded.lost),
            notes=decoded.notes,
        )

    @classmethod
    def of_scan(cls, scan: Scan, made_from: dict[str, Any]) -> Index:
        """That of a recording which can be cut."""
        return cls(
            made_from=made_from,
            sensor=scan.sensor,
            events=sum(piece.events for piece in scan.pieces),
            first_us=min((piece.first_us for piece in scan.pieces), default=None),
            last_us=max((piece.last_us for piece in scan.pieces), default=None),
            ordered=scan.ordered,
            lost=dict(scan.lost),
            notes=scan.notes,
            pieces=scan.pieces,
        )


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    index: Index
    arrays: dict[str, Place]


def name_of(path: Path) -> str:
    """A path as an index has it: bytes that are not ASCII as %XX, since JSON has no words for names that are no text."""
    return quote_from_bytes(os.fsencode(path.resolve()), safe="/\\: ")


def path_of(name: str) -> Path:
    """The path of `name_of`."""
    return Path(os.fsdecode(unquote_to_bytes(name)))


def index_path(cache: Path, made_from: Mapping[str, Any]) -> Path:
    """Where the index of a recording lies: the same for the file as it was before and as it is now."""
    of = {name: made_from[name] for name in ("path", "source", "parameters", "sensor")}
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(made_from["path"]).stem)[:40]
    return cache / FOLDER / f"{stem}-{digest.of_value(of)[:16]}{ENDING}"


def find(path: Path, made_from: Mapping[str, Any]) -> tuple[Index, dict[str, np.ndarray]] | None:
    """The index at `path` and its arrays; None where there is none, a damaged one, or one of another file or reading."""
    try:
        with path.open("rb") as file:
            index, arrays = mapped(file)
    except (OSError, ValueError, msgspec.DecodeError):
        return None
    return (index, arrays) if index.made_from == made_from else None


def read_head(path: Path) -> Index | None:
    """The index at `path`, without its arrays; None where it is damaged or none."""
    try:
        with path.open("rb") as file:
            return _head_of(file)[0].index
    except (OSError, ValueError, msgspec.DecodeError):
        return None


def mapped(file: BinaryIO) -> tuple[Index, dict[str, np.ndarray]]:
    """The index in an open file and its arrays, mapped from it. Raises ValueError where it is none or damaged."""
    head, start = _head_of(file)
    content = np.memmap(file, np.uint8, "r").view(np.ndarray)
    arrays = {name: _array(content[start:], place) for name, place in head.arrays.items()}
    return head.index, arrays


def _head_of(file: BinaryIO) -> tuple[_Head, int]:
    """The head, and where the arrays begin."""
    file.seek(0)
    line = file.readline(200)
    words = line.rsplit(b" ", 2)
    if len(words) != 3 or words[0] != FORMAT:
        raise ValueError
    length, checksum = int(words[1]), int(words[2], 16)
    encoded = file.read(length)
    if len(encoded) != length or xxhash.xxh3_64_intdigest(encoded) != checksum:
        raise ValueError
    return msgspec.json.decode(encoded, type=_Head), _aligned(len(line) + length)


def _array(content: np.ndarray, place: Place) -> np.ndarray:
    dtype = np.dtype(place.dtype)
    array = content[place.offset : place.offset + dtype.itemsize * int(np.prod(place.shape, dtype=np.int64))]
    array = array.view(dtype).reshape(place.shape)  # a ValueError where the file is cut off
    if place.xxh3 and _checksum(array) != place.xxh3:
        raise ValueError
    return array


def keep(path: Path, index: Index, arrays: Arrays) -> tuple[Index, dict[str, np.ndarray]]:
    """Write an index under its name, and what it is once it is read back. Raises BadStore where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex[:12]}{UNFINISHED}")
        try:
            with unfinished.open("x+b") as file:
                write(file, index, arrays)
                os.fsync(file.fileno())
                kept = mapped(file)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise BadStore(
            f"the index of {path_of(index.made_from['path'])} cannot be written: {error.strerror or error}",
            where=path.parent,
            fix="name a folder that can be written: cache_dir=, --cache-dir or EVENTBENCH_CACHE",
            reason="not_writable",
        ) from None
    return kept


def write(file: BinaryIO, index: Index, arrays: Arrays) -> None:
    """Write an index and its arrays to an empty file."""
    places: dict[str, Place] = {}
    end = 0
    for name, array in arrays.items():
        checksum = 0 if name in COLUMNS else _checksum(array)
        places[name] = Place(array.dtype.str, array.shape, end, checksum)
        end = _aligned(end + array.nbytes)
    encoded = msgspec.json.encode(_Head(index, places))
    line = b"%s %d %016x\n" % (FORMAT, len(encoded), xxhash.xxh3_64_intdigest(encoded))
    file.write(line + encoded)
    start = _aligned(len(line) + len(encoded))
    for place, array in zip(places.values(), arrays.values(), strict=True):
        file.seek(start + place.offset)
        file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    file.flush()


def _aligned(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED


def _checksum(array: np.ndarray) -> int:
    return xxhash.xxh3_64_intdigest(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
