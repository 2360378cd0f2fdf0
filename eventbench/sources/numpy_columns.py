"""NumPy files: `.npz` with arrays t, x, y, p, or `.npy` with a structured or an (events, 4) array."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.lib import format as npy

from eventbench.errors import BadRecording
from eventbench.events import Events
from eventbench.sources._named_columns import all_columns, check_unit
from eventbench.sources._column_values import whole_numbers, whole_or_in
from eventbench.sources.base import Documentation, RawColumns, Source, checked_events, smallest_sensor

MOST_TIMES = 1100  # deflate packs no better than 1032 to 1


class NumpyColumns(Source, frozen=True, forbid_unknown_fields=True):
    """Reader of columns saved by NumPy; pickled objects are never loaded.

    `order` names the columns of an (events, 4) array, as in "txyp"; a structured array or an `.npz` needs none, and may call
    them ts, pol, on and the like. `unit` is that of the times, "us" unless it is said. The sensor is `sensor` in the
    `.npz` (width, height) where it is there.
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
        polarity="0 and 1, -1 and +1, or bool",
        traps=(
            "An (events, 4) array does not say which column is which: `order` does. Pickled objects are never "
            "loaded; a file that says it unpacks to more than it can is refused."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".npz", ".npy")
    magics: ClassVar[tuple[bytes, ...]] = (b"\x93NUMPY", b"PK\x03\x04")

    order: str = ""
    unit: str = "us"

    def __post_init__(self) -> None:
        check_unit(self.unit, "numpy_columns")

    def decode(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Events:
        """The events in `data`. Raises BadRecording where there are no four columns of events."""
        try:
            columns = self._load(data, name)
        except BadRecording:
            raise
        except Exception as error:  # noqa: BLE001  # np.load raises a dozen unrelated types on foreign bytes
            raise BadRecording(f"not a readable NumPy file: {error}", where=name) from None
        t = columns["t"]
        if t.dtype.kind == "f" or self.unit != "us":
            t = whole_or_in(t, self.unit, name)
        # Whole numbers come as floats where one type had to hold all columns.
        x, y, p = (whole_numbers(columns[key], key, name) for key in "xyp")
        size: Sequence[int] | None = sensor
        if size is None and "sensor" in columns:
            size = np.ravel(columns["sensor"]).tolist()  # what is no (width, height) is refused below
        return checked_events(
            t, x, y, p, sensor=smallest_sensor(x, y, name) if size is None else size, name=name
        )

    def raw_columns(self, data: bytes) -> RawColumns:
        """The columns as they were saved."""
        columns = self._load(data, "")
        t, x, y, p = (columns[key] for key in "txyp")
        if "sensor" not in columns:
            return RawColumns(t, x, y, p)
        width, height = np.ravel(columns["sensor"]).tolist()
        return RawColumns(t, x, y, p, size=(width, height))

    def _load(self, data: bytes, name: str) -> dict[str, np.ndarray]:
        """Columns t, x, y, p and, where the file has it, the sensor."""
        _refuse_bombs(data, name)
        loaded = np.load(io.BytesIO(data), allow_pickle=False)
        if isinstance(loaded, np.lib.npyio.NpzFile):
            names = all_columns(loaded.files, name, "array")
            columns = {column: loaded[stored_as] for column, stored_as in names.items()}
            return columns | ({"sensor": loaded["sensor"]} if "sensor" in loaded.files else {})
        if loaded.dtype.names:
            names = all_columns(loaded.dtype.names, name, "field")
            return {column: np.ascontiguousarray(loaded[stored_as]) for column, stored_as in names.items()}
        if loaded.ndim == 2 and loaded.shape[1] == 4 and sorted(self.order) == sorted("txyp"):
            return {key: np.ascontiguousarray(loaded[:, self.order.index(key)]) for key in "txyp"}
        raise BadRecording(
            f"an array {loaded.shape} of {loaded.dtype} does not say which column is which",
            where=name,
            allowed='a structured array, or (events, 4) with order = "txyp"',
        )


def _refuse_bombs(data: bytes, name: str) -> None:
    """Raises BadRecording for members that say they unpack to more than packing allows, and arrays larger than their file.

    NumPy makes room for what a header says before it reads on.
    """
    if not data.startswith(b"PK"):
        _refuse_too_large(io.BytesIO(data), len(data), "the array", name)
        return
    with zipfile.ZipFile(io.BytesIO(data)) as members:
        listed = members.infolist()
        total = sum(member.file_size for member in listed)
        if total > MOST_TIMES * len(data):
            raise BadRecording(
                f"says it unpacks to {total:,} bytes, from {len(data):,}",
                where=name,
                allowed=f"{MOST_TIMES} times as many",
            )
        for member in listed:
            if member.filename.endswith(".npy"):
                with members.open(member) as stream:
                    _refuse_too_large(stream, member.file_size, member.filename, name)


def _refuse_too_large(stream: Any, size: int, what: str, name: str) -> None:
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    stated = math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and stated > size:
        raise BadRecording(f"{what} says it has {stated:,} bytes, in {size:,}", where=name)
