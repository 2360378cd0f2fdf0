"""HDF5 with the table of Prophesee (`.hdf5`): `CD/events` of x, y, p, t, and `geometry` as an attribute of the file.

Prophesee, "HDF5 event files". Their own software writes and expects the table packed by their filter ECF. How such files are
read: `sources/hdf5_columns.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np

from eventbench.events import Events
from eventbench.files.hdf5_writing import writing
from eventbench.writers._hdf5_file import Compression, append, growing
from eventbench.writers.base import Documentation, Size, Writer

ROW = np.dtype([("x", "<u2"), ("y", "<u2"), ("p", "<i2"), ("t", "<i8")])


class Hdf5Prophesee(Writer, frozen=True, forbid_unknown_fields=True):
    """Writer of HDF5 with the table `CD/events`.

    Parameters
    ----------
    compression : "gzip", which every HDF5 reads, "blosc", which needs hdf5plugin, or "none"
    """

    about: ClassVar[Documentation] = Documentation(
        what="HDF5 with Prophesee's table CD/events",
        readers="evutils",
        sensor="the attribute geometry of the file",
        holds="any events",
        traps="Metavision itself takes every chunk for one packed by its filter ECF: for it, write EVT 3.0",
    )
    suffixes: ClassVar[tuple[str, ...]] = (".hdf5",)
    source: ClassVar[str] = "hdf5_columns"

    compression: Compression = "gzip"

    def write(self, parts: Iterable[Events], sensor: Size, path: Path) -> None:
        """Write the table."""
        with writing(path) as (file, check):
            file.attrs["version"], file.attrs["geometry"] = "1.0", f"{sensor[0]}x{sensor[1]}"
            table = growing(file, "CD/events", ROW, self.compression)
            for part in parts:
                rows = np.empty(len(part), ROW)
                for name in "xypt":
                    rows[name] = getattr(part, name)
                append(table, rows)
                check()
