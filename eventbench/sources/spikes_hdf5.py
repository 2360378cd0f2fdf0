"""Spikes of many recordings in one HDF5 file: SHD and SSC, the cochlea's 700 channels as a sensor of 700 x 1.

`spikes/times` (seconds) and `spikes/units` have an array each a recording, `labels` its class, `extra/speaker` who spoke
(Cramer et al. 2020). x is the unit, y is 0, every event is ON.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from eventbench.errors import BadEvents, BadRecording
from eventbench.events import Events
from eventbench.sources._hdf5_file import column, names_in, opened
from eventbench.sources._named_columns import microseconds, whole_numbers
from eventbench.sources.base import Source, smallest_sensor


class SpikesHdf5(Source, frozen=True, forbid_unknown_fields=True):
    """Reader of SHD's and SSC's files. Times are rounded to microseconds; spikes out of order are sorted (stable)."""

    version: ClassVar[int] = 1
    suffixes: ClassVar[tuple[str, ...]] = (".h5", ".hdf5")

    @classmethod
    def recognises(cls, data: bytes) -> bool:
        """Whether it is HDF5 with `spikes/times` and `spikes/units`."""
        return {"spikes/times", "spikes/units"} <= names_in(data)

    def decode(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Events:
        """The one recording in `data`. Raises BadRecording where there are more: those of a dataset are read by row."""
        with opened(data, name) as file:
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
        try:
            file = _kept(path)
            with _LOCK:
                return _row(file, row, f"{path}, recording {row}", sensor)
        except BadRecording:
            raise
        except Exception as error:  # h5py raises half a dozen unrelated types on damaged files
            raise BadRecording(f"cannot be read ({error})", where=f"{path}, recording {row}") from None


_LOCK = threading.Lock()  # h5py serves one thread at a time; this keeps the file open between rows as well
_OPEN: dict[Path, Any] = {}


def _kept(path: Path) -> Any:
    """The file, opened once; only the last few stay open."""
    import h5py

    with _LOCK:
        if path not in _OPEN:
            while len(_OPEN) >= 4:
                _OPEN.pop(next(iter(_OPEN))).close()
            _OPEN[path] = h5py.File(path, "r")
        return _OPEN[path]


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
    return _extra(path, "labels")


def speakers_of(path: Path) -> np.ndarray:
    """int64 (recordings,): who spoke, -1 where the file does not say."""
    with opened(path, str(path)) as file:
        if "extra" not in file or "speaker" not in file["extra"]:
            return np.full(len(file["spikes/times"]), -1)
    return _extra(path, "extra/speaker")


def _extra(path: Path, called: str) -> np.ndarray:
    if not path.is_file():
        raise BadRecording("cannot be read: No such file or directory", where=path)
    with opened(path, str(path)) as file:
        if called not in file:
            raise BadRecording(f"no {called} in it", where=path)
        return whole_numbers(column(file[called], path.stat().st_size, str(path)), called, str(path)).astype(
            np.int64
        )
