"""HDF5 (`.h5`, `.hdf5`): the layouts of DSEC, of Prophesee, and columns t, x, y, p in `events/` or at the root.

DSEC has `events/{t,x,y,p}` and `t_offset`, which is added to the times (Gehrig et al. 2021); Prophesee has `CD/events`, a
table of x, y, p, t. Names such as ts, xs, pol are taken for what they are.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from eventbench.errors import BadRecording
from eventbench.events import Events
from eventbench.files.hdf5 import column, is_hdf5, names_in, opened
from eventbench.sources._isolated import ReadIsolated
from eventbench.sources._column_values import whole_numbers, whole_or_in
from eventbench.sources._named_columns import (
    all_columns,
    check_unit,
    found_columns,
)
from eventbench.sources.base import Documentation, RawColumns, checked_events, smallest_sensor

GROUPS = ("events", "CD", "")


class Hdf5Columns(ReadIsolated, frozen=True, forbid_unknown_fields=True):
    """Reader of events in HDF5. `unit` is that of the times: "us" unless it is said, as both layouts have it.

    The sensor is what the file's attributes width and height, or geometry ("640x480"), say, where it has them.
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        what="HDF5: DSEC, Prophesee's `CD/events`, or columns t, x, y, p in `events/` or at the root",
        recognised="HDF5 with none of the layouts of another source",
        sensor="attributes width and height, or geometry; else the smallest that holds every event",
        unit="us, or `unit`",
        polarity="0 and 1, -1 and +1, or bool",
        traps=(
            "DSEC's times begin anew: its `t_offset` is added. Filters such as blosc come with hdf5plugin; "
            "where one is missing (Prophesee's ECF) the refusal names it."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".h5", ".hdf5")

    unit: str = "us"

    def __post_init__(self) -> None:
        check_unit(self.unit, "hdf5_columns")

    @classmethod
    def recognises(cls, data: bytes) -> bool:
        """Whether it is HDF5 and of no layout that another source reads (MATLAB's, or rows of spikes)."""
        names = names_in(data)
        return (
            is_hdf5(data) and not data.startswith(b"MATLAB") and not {"spikes/times", "spikes/units"} <= names
        )

    def read_here(self, path: Path, name: str, sensor: tuple[int, int] | None) -> Events:
        """Raises BadRecording where there are no four columns, or a filter is missing."""
        with opened(path, name) as file:
            if file.attrs.get("format") == "eventbench":
                raise BadRecording(
                    "an eventbench store, not a recording", where=name, fix="open it with eb.open_store"
                )
            columns = _columns(file, path.stat().st_size, name)
            t = whole_or_in(columns["t"], self.unit, name) + _offset(file)
            x, y, p = (whole_numbers(columns[key], key, name) for key in "xyp")
            size = sensor or _size(file, name) or smallest_sensor(x, y, name)
            return checked_events(t, x, y, p, sensor=size, name=name)

    def raw_columns(self, data: bytes) -> RawColumns:
        """The columns as they are stored, DSEC's offset added."""
        with opened(data, "") as file:
            columns = _columns(file, len(data), "")
            t, x, y, p = (columns[key] for key in "txyp")
            if offset := _offset(file):
                t = t.astype(np.int64) + offset
            return RawColumns(t, x, y, p, size=_size(file, ""))


def _offset(file: Any) -> int:
    """What DSEC's times are counted from, in microseconds; 0 in other layouts."""
    return int(file["t_offset"][()]) if "t_offset" in file else 0


def _columns(file: Any, size: int, name: str) -> dict[str, np.ndarray]:
    import h5py

    for group in GROUPS:
        where = file.get(group) if group else file
        if not isinstance(where, h5py.Group):
            continue
        table = where.get("events")
        if isinstance(table, h5py.Dataset) and table.dtype.names:
            names = all_columns(table.dtype.names, name, "field")
            rows = column(table, size, name)
            return {key: np.ascontiguousarray(rows[stored_as]) for key, stored_as in names.items()}
        if len(names := found_columns(where)) == 4:
            return {key: column(where[stored_as], size, name) for key, stored_as in names.items()}
    raise BadRecording(
        f"no columns of events; it has {sorted(map(str, file))[:8]}",
        where=name,
        allowed="events/{t,x,y,p}, CD/events, or t, x, y, p at the root",
    )


def _size(file: Any, name: str) -> tuple[int, int] | None:
    attributes = {key.lower(): value for key, value in file.attrs.items()}
    if {"width", "height"} <= attributes.keys():
        return int(attributes["width"]), int(attributes["height"])
    if "geometry" in attributes:
        geometry = np.ravel(attributes["geometry"]).tolist()[0]  # a string of Python's, or of fixed length
        text = geometry.decode("ascii", "replace") if isinstance(geometry, bytes) else str(geometry)
        if not (match := re.fullmatch(r"\s*(\d{1,5})\s*x\s*(\d{1,5})\s*", text)):
            raise BadRecording(f"its geometry is {text[:40]!r}", where=name, allowed="as '640x480'")
        return int(match[1]), int(match[2])
    return None
