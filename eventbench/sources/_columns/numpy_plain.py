"""Columns of `.npy` and `.npz` files as they lie in them: a structured array, or four arrays, packed or not."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from eventbench.files.isolated import MAX_COMPRESSION
from eventbench.sources._columns.named import found_columns
from eventbench.sources._columns.source import unit_of_names
from eventbench.sources._columns.stored import Checksum, InBytes, Place

HEAD_BYTES = 1 << 16  # a header of `.npy` is longer only where it describes hundreds of fields
LOCAL_HEADER = 30
MOST_SENSOR_BYTES = 1 << 12


class Array(NamedTuple):
    """An array: the file or bytes that hold it, the byte where its values begin, its checksum where it is not packed."""

    source: int | bytes
    start: int
    rows: int
    dtype: np.dtype[Any]
    checksum: Checksum | None = None


def stored_in(source: int | bytes, size: int, name: str) -> InBytes | None:
    """The columns of the one table or four arrays in a file of `size` bytes, open or in memory; None for any other file.

    What is wrong with a file is said by whoever reads all of it.
    """
    try:
        if _part(source, 0, 2) != b"PK":
            array = _array(source, 0, size, _part(source, 0, HEAD_BYTES))
            return _of_table(array, name) if array else None
        with (
            io.BytesIO(source)
            if isinstance(source, bytes)
            else os.fdopen(source, "rb", closefd=False) as file,
            zipfile.ZipFile(file) as members,
        ):
            return _of_members(members, source, size, name)
    except Exception:  # noqa: BLE001  # foreign bytes raise a dozen unrelated types, here as where all is read
        return None


def _part(source: int | bytes, start: int, size: int) -> bytes:
    return source[start : start + size] if isinstance(source, bytes) else os.pread(source, size, start)


def _array(
    source: int | bytes, start: int, size: int, head: bytes, packed: zipfile.ZipInfo | None = None
) -> Array | None:
    """The array of `.npy` in `size` bytes from `start` on; None where it has not one dimension, or not all its values."""
    stream = io.BytesIO(head)
    read = npy.read_array_header_1_0 if npy.read_magic(stream) == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    begin = stream.tell()
    if len(shape) != 1 or dtype.hasobject or begin + shape[0] * dtype.itemsize > size:
        return None
    checksum = None
    if packed:
        if begin + shape[0] * dtype.itemsize != size:
            return None
        checksum = Checksum(packed.filename, zlib.crc32(head[:begin]), packed.CRC)
    return Array(source, start + begin, shape[0], dtype, checksum)


def _of_table(array: Array, name: str) -> InBytes | None:
    names = found_columns(array.dtype.names or ())
    if len(names) < 4:
        return None
    assert array.dtype.fields is not None
    places = {}
    for key, field in names.items():
        kind, within = array.dtype.fields[field][:2]
        places[key] = Place(kind, array.start + within, array.dtype.itemsize)
    stored = InBytes(dict.fromkeys(places, array.source), places, array.rows, name)
    stored.unit = unit_of_names([names["t"]])
    return stored


def _of_members(members: zipfile.ZipFile, source: int | bytes, size: int, name: str) -> InBytes | None:
    listed = [member.removesuffix(".npy") for member in members.namelist() if member.endswith(".npy")]
    if sum(member.file_size for member in members.infolist()) > MAX_COMPRESSION * size:
        return None
    names = found_columns(listed)
    if len(names) < 4:
        tables = [called for called in listed if not called.startswith("sensor")]
        table = len(tables) == 1 and _member(members, f"{tables[0]}.npy", source, size, whole=True)
        return _of_table(table, name) if table and "sensor" not in listed else None
    arrays = {key: _member(members, f"{called}.npy", source, size) for key, called in names.items()}
    present = {key: array for key, array in arrays.items() if array and array.rows == arrays["t"].rows}  # type: ignore[union-attr]
    if len(present) < 4 or any(array.dtype.names for array in present.values()):
        return None
    stored = InBytes(
        {key: array.source for key, array in present.items()},
        {key: Place(array.dtype, array.start, array.dtype.itemsize) for key, array in present.items()},
        present["t"].rows,
        name,
        {key: array.checksum for key, array in present.items() if array.checksum},
    )
    stored.unit = unit_of_names([names["t"]])
    if "sensor" in listed:
        if members.getinfo("sensor.npy").file_size > MOST_SENSOR_BYTES:
            return None
        sensor = npy.read_array(io.BytesIO(members.read("sensor.npy")), allow_pickle=False)
        stored.size = tuple(np.ravel(sensor).tolist())
    return stored


def _member(
    members: zipfile.ZipFile, called: str, source: int | bytes, size: int, *, whole: bool = False
) -> Array | None:
    """The array of one member, unpacked where it is packed; with `whole` in any case, which looks at its checksum."""
    member = members.getinfo(called)
    if whole or member.compress_type != zipfile.ZIP_STORED:
        with members.open(member) as stream:
            data = stream.read(member.file_size)
        return _array(data, 0, len(data), data[:HEAD_BYTES])
    local = _part(source, member.header_offset, LOCAL_HEADER)
    start = (
        member.header_offset
        + LOCAL_HEADER
        + int.from_bytes(local[26:28], "little")
        + int.from_bytes(local[28:30], "little")
    )
    sound = (
        local.startswith(b"PK\x03\x04")
        and not member.flag_bits & 1
        and member.file_size == member.compress_size
    )
    if not sound or start + member.file_size > size:
        return None
    return _array(
        source, start, member.file_size, _part(source, start, min(HEAD_BYTES, member.file_size)), member
    )
