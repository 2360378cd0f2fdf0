"""HDF5 as DSEC has it (`.h5`): `events/{t,x,y,p}`, `t_offset`, and `ms_to_idx`, by which its loaders find a time.

Gehrig et al. 2021 and the loaders of DSEC: times count from `t_offset`; `ms_to_idx[ms]` is the first event at or after that
millisecond. How such files are read: `sources/hdf5_columns.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.files.hdf5_writing import writing
from eventbench.writers._hdf5_file import Compression, append, filters, growing
from eventbench.writers.base import Documentation, Limits, Size, Writer

TYPES = {"t": "<u4", "x": "<u2", "y": "<u2", "p": "u1"}


class Hdf5Dsec(Writer, frozen=True, forbid_unknown_fields=True):
    """Writer of HDF5 in the layout of DSEC.

    Parameters
    ----------
    compression : "gzip", which every HDF5 reads, "blosc" as DSEC's own files, which needs hdf5plugin, or "none"
    """

    about: ClassVar[Documentation] = Documentation(
        what="HDF5 in the layout of DSEC: events/{t,x,y,p}, t_offset, ms_to_idx",
        readers="h5py as DSEC's loader asks it, evutils",
        sensor="attributes width and height of the file",
        holds="recordings up to 2^32 - 1 us long (71 minutes), at any time",
        traps="`t` counts from t_offset, as in DSEC: add it",
    )
    suffixes: ClassVar[tuple[str, ...]] = (".h5",)
    source: ClassVar[str] = "hdf5_columns"

    compression: Compression = "gzip"

    def limits(self) -> Limits:
        """32 bits of time from the first event on."""
        return Limits(longest_us=2**32 - 1)

    def write(self, parts: Iterable[Events], sensor: Size, path: Path) -> None:
        """Write the columns, and the index over milliseconds."""
        with writing(path) as (file, check):
            file.attrs["width"], file.attrs["height"] = sensor
            columns = {
                name: growing(file, f"events/{name}", dtype, self.compression)
                for name, dtype in TYPES.items()
            }
            offset, index = 0, _Milliseconds()
            for part in parts:
                if not len(part):
                    continue
                offset = int(part.t[0]) if not len(columns["t"]) else offset
                elapsed = part.t - offset
                index.add(elapsed, len(columns["t"]))
                for name, dataset in columns.items():
                    append(dataset, elapsed if name == "t" else getattr(part, name))
                check()
            file["t_offset"] = np.int64(offset)
            milliseconds = index.whole(len(columns["t"]))
            file.create_dataset("ms_to_idx", data=milliseconds, **filters(self.compression))


class _Milliseconds:
    """The first event at or after each millisecond, told part by part."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []
        self._next = 0

    def add(self, elapsed: np.ndarray, before: int) -> None:
        """Events at these times (us), after `before` others. A millisecond that the next part may begin in waits for it."""
        stop = int(elapsed[-1]) // 1000 + 1
        starts = np.arange(self._next, stop) * 1000
        self._parts.append(before + np.searchsorted(elapsed, starts))
        self._next = max(self._next, stop)

    def whole(self, events: int) -> np.ndarray:
        """uint64 (milliseconds,), one more than the recording lasts, so that its end can be asked for."""
        return np.concatenate([*self._parts, [events]]).astype(np.uint64)
