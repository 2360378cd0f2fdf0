"""Spikes of many recordings in one HDF5 file: SHD and SSC, the cochlea's 700 channels as a sensor of 700 x 1.

`spikes/times` (seconds) and `spikes/units` have an array each a recording, `labels` its class, `extra/speaker` who spoke
(Cramer et al. 2020). x is the unit, y is 0, every event is ON.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from eventbench.errors import BadRecording
from eventbench.events import Events
from eventbench.files.content import file_size
from eventbench.files.hdf5 import column, names_in, opened
from eventbench.files.isolated import call
from eventbench.sources._columns.values import microseconds, whole_numbers
from eventbench.sources._isolated import ReadIsolated
from eventbench.sources.base import Decoded, Documentation, RawColumns, Size, smallest_sensor

Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class SpikesHdf5(ReadIsolated, frozen=True, forbid_unknown_fields=True):
    """Reader of SHD's and SSC's files. Times are rounded to microseconds; spikes out of order are sorted (stable)."""

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        what="SHD and SSC: many recordings in one HDF5 file",
        recognised="HDF5 with `spikes/times` and `spikes/units`",
        sensor="the card: the cochlea's 700 channels as 700 x 1",
        unit="s in the file (half or single precision); out comes us",
        polarity="none in the file: every spike is ON",
        traps=(
            "Times are rounded to whole microseconds. Some spikes are out of order and are sorted (stable). A "
            "recording is a row of the file, not a file."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".h5", ".hdf5")
    time_unit: ClassVar[str] = "s"
    has_polarity: ClassVar[bool] = False
    holds_many: ClassVar[bool] = True

    @classmethod
    def recognises(cls, data: bytes) -> bool:
        """Whether it is HDF5 with `spikes/times` and `spikes/units`."""
        return {"spikes/times", "spikes/units"} <= names_in(data)

    def read_here(self, path: Path, name: str, sensor: tuple[int, int] | None) -> Decoded:
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
            return self._decoded(_row(file, 0, name), name, sensor)

    def decode_row(self, path: Path, row: int, sensor: tuple[int, int] | None = None) -> Events:
        """Recording number `row` of the file at `path`, counted from 0."""
        return self.decode_row_counted(path, row, sensor).events

    def decode_row_counted(self, path: Path, row: int, sensor: Size | None = None) -> Decoded:
        """As `decode_row`, with an account of what was left out."""
        name = f"{path}, recording {row}"
        size = file_size(path)
        return call(self.row_here, size, name, path.absolute(), row, name, sensor)

    def row_here(self, path: Path, row: int, name: str, sensor: Size | None) -> Decoded:
        """As `decode_row_counted`; only the helper process calls it."""
        try:
            return self._decoded(_row(_opened_once(path), row, name), name, sensor)
        except BadRecording:
            raise
        except Exception as error:  # noqa: BLE001  # h5py raises half a dozen unrelated types on damaged files
            raise BadRecording(f"cannot be read ({error})", where=name) from None

    def _decoded(self, columns: Columns, name: str, sensor: Size | None) -> Decoded:
        _, x, y, _ = columns
        return self.checked(columns, sensor=sensor or smallest_sensor(x, y, name), name=name)

    def recordings_in(self, path: Path) -> int:
        """How many recordings the file at `path` holds; 0 where it cannot be read."""
        try:
            size = file_size(path)
            return call(_rows_here, size, str(path), path.absolute())
        except BadRecording:
            return 0

    def labels_in(self, path: Path) -> np.ndarray:
        """int64 (recordings,): the class of each. Raises BadRecording where the file has none."""
        labels = _extra(path, "labels")
        if labels is None:
            raise BadRecording("no labels in it", where=path)
        return labels

    def subjects_in(self, path: Path) -> np.ndarray:
        """int64 (recordings,): who spoke, -1 where the file does not say."""
        speakers = _extra(path, "extra/speaker")
        return np.full(len(self.labels_in(path)), -1) if speakers is None else speakers

    def polarity_convention(self, raw: RawColumns | None) -> str:  # noqa: ARG002  # all files have the same
        """None: a spike has no sign."""
        return "none: every spike is taken as ON"


def _rows_here(path: Path) -> int:
    with opened(path, "") as file:
        return len(file["spikes/times"])


_OPEN: dict[tuple[Path, int, int], Any] = {}


def _opened_once(path: Path) -> Any:
    """The file, opened once in the helper process as long as it is the same; only the last few stay open."""
    import h5py

    status = path.stat()
    key = path, status.st_size, status.st_mtime_ns
    if key not in _OPEN:
        while len(_OPEN) >= 4:
            _OPEN.pop(next(iter(_OPEN))).close()
        _OPEN[key] = h5py.File(path, "r")
    return _OPEN[key]


def _row(file: Any, row: int, name: str) -> Columns:
    """Its columns t, x, y, p, in order of time."""
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
    return t, x, np.zeros(len(x), np.uint16), np.ones(len(x), np.uint8)


def _extra(path: Path, dataset: str) -> np.ndarray | None:
    size = file_size(path)
    return call(_extra_here, size, str(path), path.absolute(), dataset, str(path))


def _extra_here(path: Path, dataset: str, name: str) -> np.ndarray | None:
    with opened(path, name) as file:
        if dataset not in file:
            return None
        return whole_numbers(column(file[dataset], path.stat().st_size, name), dataset, name).astype(np.int64)
