"""Spikes of many recordings in one HDF5 file: SHD and SSC, the cochlea's 700 channels as a sensor of 700 x 1.

`spikes/times` (seconds) and `spikes/units` have an array each a recording, `labels` its class, `extra/speaker` who spoke
(Cramer et al. 2020). x is the unit, y is 0, every event is ON.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from eventbench.errors import BadEvents, BadRecording
from eventbench.events import Events
from eventbench.files.content import file_head
from eventbench.files.hdf5 import column, names_in, opened
from eventbench.files.isolated import call
from eventbench.sources._named_columns import microseconds, whole_numbers
from eventbench.sources._read_isolated import ReadIsolated
from eventbench.sources.base import smallest_sensor


class SpikesHdf5(ReadIsolated, frozen=True, forbid_unknown_fields=True):
    """Reader of SHD's and SSC's files. Times are rounded to microseconds; spikes out of order are sorted (stable)."""

    version: ClassVar[int] = 1
    suffixes: ClassVar[tuple[str, ...]] = (".h5", ".hdf5")

    @classmethod
    def recognises(cls, data: bytes) -> bool:
        """Whether it is HDF5 with `spikes/times` and `spikes/units`."""
        return {"spikes/times", "spikes/units"} <= names_in(data)

    def read_here(self, path: Path, name: str, sensor: tuple[int, int] | None) -> Events:
        """The one recording of a file. Raises BadRecording where there are more: those of a dataset are read by row."""
        with opened(path, name) as file:
            rows = len(file["spikes/times"])
            if rows != 1:
                raise BadRecording(
                    f"holds {rows:,} recordings",
                    where=name,
                    allowed="one",
                    fix="preprocess the dataset they are of: eventbench ls datasets",
                )
            return _row(file, 0, name, sensor)

    def decode_row(self, path: Path, row: int, sensor: tuple[int, int] | None = None) -> Events:
        """Recording number `row` of the file at `path`, counted from 0."""
        name = f"{path}, recording {row}"
        _, size = file_head(path, 1)
        return call(_row_here, size, name, path.absolute(), row, name, sensor)


def _row_here(path: Path, row: int, name: str, sensor: tuple[int, int] | None) -> Events:
    try:
        return _row(_kept(path), row, name, sensor)
    except BadRecording:
        raise
    except Exception as error:  # h5py raises half a dozen unrelated types on damaged files
        raise BadRecording(f"cannot be read ({error})", where=name) from None


_OPEN: dict[tuple[Path, int, int], Any] = {}


def _kept(path: Path) -> Any:
    """The file, opened once in the helper as long as it is the same; only the last few stay open."""
    import h5py

    seen = path.stat()
    key = path, seen.st_size, seen.st_mtime_ns
    if key not in _OPEN:
        while len(_OPEN) >= 4:
            _OPEN.pop(next(iter(_OPEN))).close()
        _OPEN[key] = h5py.File(path, "r")
    return _OPEN[key]


def _row(file: Any, row: int, name: str, sensor: tuple[int, int] | None) -> Events:
    times, units = file["spikes/times"], file["spikes/units"]
    if not 0 <= row < len(times) or len(times) != len(units):
        raise BadRecording(
            f"no recording {row} among {len(times):,} of times and {len(units):,} of units", where=name
        )
    t = microseconds(np.asarray(times[row], np.float64), "s", name)
    x = whole_numbers(np.asarray(units[row]), "unit", name)
    if len(t) != len(x):
        raise BadRecording(f"{len(t):,} times and {len(x):,} units", where=name)
    order = np.argsort(t, kind="stable")
    t, x = t[order], x[order]
    y, p = np.zeros(len(x), np.uint16), np.ones(len(x), np.uint8)
    try:
        return Events(t=t, x=x, y=y, p=p, sensor=sensor or smallest_sensor(x, y, name))
    except BadEvents as error:
        raise BadRecording(str(error), where=name) from None


def labels_of(path: Path) -> np.ndarray:
    """int64 (recordings,): the class of each. Raises BadRecording where the file has none."""
    found = _extra(path, "labels")
    if found is None:
        raise BadRecording("no labels in it", where=path)
    return found


def speakers_of(path: Path) -> np.ndarray:
    """int64 (recordings,): who spoke, -1 where the file does not say."""
    found = _extra(path, "extra/speaker")
    return np.full(len(labels_of(path)), -1) if found is None else found


def _extra(path: Path, called: str) -> np.ndarray | None:
    _, size = file_head(path, 1)
    return call(_extra_here, size, str(path), path.absolute(), called, str(path))


def _extra_here(path: Path, called: str, name: str) -> np.ndarray | None:
    with opened(path, name) as file:
        if called not in file:
            return None
        return whole_numbers(column(file[called], path.stat().st_size, name), called, name).astype(np.int64)
