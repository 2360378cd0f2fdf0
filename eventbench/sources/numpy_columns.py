"""NumPy files: `.npz` with arrays t, x, y, p or one table of events, or `.npy` with such a table.

A table is a structured array or an (events, 4) one, whose order is told from how its columns behave.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.lib import format as npy

from eventbench.errors import BadRecording
from eventbench.files.content import file_bytes, file_open, file_size
from eventbench.files.isolated import MAX_COMPRESSION
from eventbench.sources._columns.named import all_columns, found_columns
from eventbench.sources._columns.numpy_plain import stored_in
from eventbench.sources._columns.source import NamedColumns, StoredColumnSource, is_table_shape, unit_of_names
from eventbench.sources._columns.stored import StoredColumns
from eventbench.sources.base import Decoded, Documentation, RawColumns, Size, how_to_set

_EVENTS = re.compile(r"(?i)ev|dvs")  # what an array of events is called


class NumpyColumns(StoredColumnSource, frozen=True, forbid_unknown_fields=True):
    """Reader of columns saved by NumPy; pickled objects are never loaded.

    `order` names the columns of an (events, 4) array, as in "txyp"; a structured array or an `.npz` needs none, and may call
    them ts, pol, on and the like. `unit` is that of the times, "us" unless it or their name says another. The sensor is
    `sensor` in the `.npz` (width, height) where it is there. `array` names the array of an `.npz` that has several tables.
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        what=(
            "NumPy: `.npz` of arrays t, x, y, p, or `.npy` of a structured or an (events, 4) array: tonic's "
            "DVS128 Gesture and POKER-DVS, DVS-Lip"
        ),
        recognised="the first bytes of `.npy` or of a zip archive",
        sensor="`sensor` in the `.npz`; else the smallest that holds every event",
        unit="us, or `unit`: tonic's DVS128 Gesture is in ms",
        polarity="0 and 1, -1 and +1, or bool; -1 in an unsigned type, as 255",
        traps=(
            "An (events, 4) array does not say which column is which: how they behave does, or `order`. Pickled objects are "
            "never loaded; a file that says it unpacks to more than it can is refused."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".npz", ".npy")
    magics: ClassVar[tuple[bytes, ...]] = (b"\x93NUMPY", b"PK\x03\x04")

    array: str = ""

    def read_counted(self, recording: Path | str, sensor: Size | None = None) -> Decoded:
        """As `decode_counted`, of a file."""
        size = file_size(recording)
        with file_open(recording) as file:
            if plain := self._plain(file, size, str(recording), sensor):
                return plain
        return self._decoded(file_bytes(recording), str(recording), sensor)

    def decode_counted(self, data: bytes, name: str, sensor: Size | None = None) -> Decoded:
        """The events in `data`. Raises BadRecording where there are no four columns of events."""
        return self._plain(data, len(data), name, sensor) or self._decoded(data, name, sensor)

    @contextmanager
    def stored(self, path: Path) -> Iterator[StoredColumns | None]:
        """As every source of stored columns; None for members that are packed, of which no part is had without the rest."""
        size = file_size(path)
        with file_open(path) as file:
            stored = None if self.array else stored_in(file, size, str(path))
            packed = stored and any(isinstance(source, bytes) for source in stored.sources.values())
            yield None if packed else stored

    def _plain(self, source: int | bytes, size: int, name: str, sensor: Size | None) -> Decoded | None:
        stored = None if self.array else stored_in(source, size, name)
        return self.plain_events(stored, sensor) if stored else None

    def _decoded(self, data: bytes, name: str, sensor: Size | None) -> Decoded:
        try:
            columns = self._load(data, name)
        except BadRecording:
            raise
        except Exception as error:  # noqa: BLE001  # np.load raises a dozen unrelated types on foreign bytes
            raise BadRecording(f"not a readable NumPy file: {error}", where=name) from None
        return self.events_of(columns, sensor, name)

    def raw_columns(self, data: bytes) -> RawColumns:
        """The columns as they were saved."""
        return self.raw_of(self._load(data, ""))

    def _load(self, data: bytes, name: str) -> NamedColumns:
        shapes = _headers(data, name)
        if any(dtype.hasobject for _, dtype in shapes.values()):
            shapes = _without_pickles(shapes, name)
        loaded = np.load(io.BytesIO(data), allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            return self._of_table(loaded, name)
        if self.array:
            if self.array not in loaded.files:
                raise BadRecording(f"no array {self.array!r} among {loaded.files[:12]}", where=name)
            columns = self._of_table(loaded[self.array], name)
        elif len(found_columns(loaded.files)) < 4 and (table := self._table_in(shapes, name)):
            columns = self._of_table(loaded[table], name)
        else:
            if len(found_columns(loaded.files)) < 4:
                _refuse_frames(shapes, name)
            names = all_columns(loaded.files, name, "array")
            members = {key: loaded[stored_as] for key, stored_as in names.items()}
            columns = NamedColumns.of(members, unit=unit_of_names([names["t"]]))
        return columns._replace(size=_sensor(loaded)) if "sensor" in loaded.files else columns

    def _table_in(self, shapes: dict[str, tuple[tuple[int, ...], np.dtype[Any]]], name: str) -> str:
        """The name of the one array that is a table of events; "" where there is none. Raises BadRecording for several."""
        tables = [
            array
            for array, (shape, dtype) in shapes.items()
            if (dtype.names and len(found_columns(dtype.names)) == 4)
            or (len(shape) == 2 and 4 in shape and max(shape) > 4 and dtype.kind in "iuf")
        ]
        called = [array for array in tables if _EVENTS.search(array)] or tables
        if len(called) > 1:
            raise BadRecording(
                f"several tables that may be events: {called[:8]}",
                where=name,
                fix=how_to_set("array", called[0]),
            )
        return called[0] if called else ""

    def _of_table(self, table: np.ndarray, name: str) -> NamedColumns:
        """The columns of a structured or an (events, 4) array."""
        if table.dtype.names:
            names = all_columns(table.dtype.names, name, "field")
            fields = {key: np.ascontiguousarray(table[stored_as]) for key, stored_as in names.items()}
            return NamedColumns.of(fields, unit=unit_of_names([names["t"]]))
        if table.ndim == 2 and is_table_shape(table.shape) and table.dtype.kind in "iufb":
            columns, notes = self.ordered(table, name)
            return NamedColumns.of(columns, notes=notes)
        _refuse_frames({"the array": (table.shape, table.dtype)}, name)
        raise BadRecording(
            f"an array {table.shape} of {table.dtype} is no table of events",
            where=name,
            allowed='a structured array, or (events, 4) with order = "txyp"',
        )


def _sensor(loaded: Any) -> Any:
    """What an `.npz` says of its sensor; what is no (width, height) is refused where events are made."""
    return np.ravel(loaded["sensor"]).tolist()


def _without_pickles(
    shapes: dict[str, tuple[tuple[int, ...], np.dtype[Any]]], name: str
) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """The arrays that are no pickled objects. Raises BadRecording where the columns of events are."""
    plain = {array: header for array, header in shapes.items() if not header[1].hasobject}
    pickled = [array for array in shapes if array not in plain]
    if len(found_columns(plain)) == 4 or (
        len(found_columns(shapes)) < 4 and any(len(s) <= 2 for s, _ in plain.values())
    ):
        return plain
    raise BadRecording(
        f"{', '.join(pickled[:5])} holds Python objects (pickled), which are never loaded: they may run any code",
        where=name,
        fix="where you trust the file, load it with allow_pickle=True and save plain columns: np.savez(path, t=t, x=x, y=y, p=p)",
        reason="pickled",
    )


def _refuse_frames(shapes: dict[str, tuple[tuple[int, ...], np.dtype[Any]]], name: str) -> None:
    for array, (shape, _) in shapes.items():
        if len(shape) >= 3:
            raise BadRecording(
                f"{array} has the shape {shape}: frames or a grid of events, not events",
                where=name,
                allowed="columns t, x, y and p",
                fix="get the recording that these were made from: events cannot be had back from frames",
                reason="frames",
            )


def _headers(data: bytes, name: str) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """(shape, type) of each array. Raises BadRecording for members that say they unpack to more than packing allows.

    Also for arrays larger than their file: NumPy makes room for what a header says before it reads on.
    """
    if not data.startswith(b"PK"):
        return {"the array": _header(io.BytesIO(data), len(data), "the array", name)}
    headers = {}
    with zipfile.ZipFile(io.BytesIO(data)) as members:
        listed = members.infolist()
        _refuse_other_archives([member.filename for member in listed], name)
        total = sum(member.file_size for member in listed)
        if total > MAX_COMPRESSION * len(data):
            raise BadRecording(
                f"says it unpacks to {total:,} bytes, from {len(data):,}",
                where=name,
                allowed=f"{MAX_COMPRESSION} times as many",
            )
        for member in listed:
            if member.filename.endswith(".npy"):
                with members.open(member) as stream:
                    array = member.filename.removesuffix(".npy")
                    headers[array] = _header(stream, member.file_size, member.filename, name)
    return headers


def _refuse_other_archives(members: list[str], name: str) -> None:
    """Raises BadRecording for a zip archive that NumPy did not write, named for what it is."""
    if any(member.endswith(".npy") for member in members):
        return
    if any(member.startswith("xl/") for member in members):
        what, fix = "an Excel workbook", "save its sheet as CSV"
    elif any(member.endswith("data.pkl") for member in members):
        what = "a file of PyTorch, which holds Python objects (pickled) and is never loaded"
        fix = "where you trust it, load it and save plain columns: np.savez(path, t=t, x=x, y=y, p=p)"
    else:
        what, fix = (
            f"a zip archive without arrays of NumPy: {members[:5]}",
            "unpack it, and name what is in it",
        )
    raise BadRecording(what, where=name, fix=fix, reason="foreign_format")


def _header(stream: Any, size: int, what: str, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    stated = math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and stated > size:
        raise BadRecording(f"{what} says it has {stated:,} bytes, in {size:,}", where=name)
    return shape, dtype
