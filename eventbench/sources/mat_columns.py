"""MATLAB (`.mat`), versions 5 and 7.3: variables ts (or t), x, y and pol (or p); ASL-DVS.

ASL-DVS (Bi et al. 2019): times in microseconds, x and y on the DAVIS240C, polarity 0 and 1, a column each.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import ClassVar

import numpy as np

from eventbench.errors import BadRecording, BadSpec
from eventbench.events import Events
from eventbench.files.hdf5 import column, is_hdf5, opened
from eventbench.sources._isolated import ReadIsolated
from eventbench.sources._named_columns import all_columns, check_unit
from eventbench.sources._column_values import whole_numbers, whole_or_in
from eventbench.sources.base import Documentation, RawColumns, checked_events, smallest_sensor

MOST_TIMES = 1100  # deflate packs no better than 1032 to 1


class MatColumns(ReadIsolated, frozen=True, forbid_unknown_fields=True):
    """Reader of MATLAB files. `unit` is that of the times; `first` what x and y are counted from, 0 or 1."""

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        what="MATLAB, versions 5 and 7.3: ASL-DVS",
        recognised="the first bytes `MATLAB 5.0 MAT-file` or `MATLAB 7.3 MAT-file`",
        sensor="not in the file: the card, `sensor=`, or the smallest that holds every event",
        unit="us, or `unit`",
        polarity="0 and 1, -1 and +1, or bool",
        traps=(
            "MATLAB counts from 1: `first = 1` where x and y do. ASL-DVS counts from 0, and is upside down."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".mat",)
    magics: ClassVar[tuple[bytes, ...]] = (b"MATLAB 5.0 MAT-file", b"MATLAB 7.3 MAT-file")

    unit: str = "us"
    first: int = 0

    def __post_init__(self) -> None:
        check_unit(self.unit, "mat_columns")
        if self.first not in (0, 1):
            raise BadSpec(f"first is {self.first!r}", where="mat_columns", allowed="0 or 1")

    def read_here(self, path: Path, name: str, sensor: tuple[int, int] | None) -> Events:
        """Raises BadRecording where there are no four variables of events."""
        data = path.read_bytes()
        if is_hdf5(data):
            with opened(path, name) as file:
                names = all_columns((key for key in file if not key.startswith("#")), name, "variable")
                columns = {key: column(file[stored_as], len(data), name) for key, stored_as in names.items()}
        else:
            columns = _version_5(data, name)
        for key, values in columns.items():
            if values.ndim > 1 and max(values.shape) != values.size:
                raise BadRecording(f"{key} has the shape {values.shape}", where=name, allowed="one column")
        t = whole_or_in(np.ravel(columns["t"]), self.unit, name)
        x, y, p = (whole_numbers(np.ravel(columns[key]), key, name) for key in "xyp")
        if self.first:
            x, y = x.astype(np.int64) - 1, y.astype(np.int64) - 1
        return checked_events(t, x, y, p, sensor=sensor or smallest_sensor(x, y, name), name=name)

    def raw_columns(self, data: bytes) -> RawColumns | None:
        """The variables as they are stored in a file of version 5; None for one of version 7.3."""
        if is_hdf5(data):
            return None
        columns = _version_5(data, "")
        t, x, y, p = (np.ravel(columns[key]) for key in "txyp")
        return RawColumns(t, x, y, p)


def _version_5(data: bytes, name: str) -> dict[str, np.ndarray]:
    from scipy.io import loadmat, whosmat

    try:
        shapes = {stored_as: shape for stored_as, shape, _ in whosmat(io.BytesIO(data))}
        names = all_columns(shapes, name, "variable")
        for stored_as in names.values():
            if 8 * np.prod(shapes[stored_as], dtype=np.float64) > MOST_TIMES * len(data):
                raise BadRecording(
                    f"{stored_as} says it has the shape {shapes[stored_as]}, in a file of {len(data):,} bytes",
                    where=name,
                )
        loaded = loadmat(io.BytesIO(data), variable_names=list(names.values()))
        columns = {key: np.asarray(loaded[stored_as]) for key, stored_as in names.items()}
    except BadRecording:
        raise
    except Exception as error:  # noqa: BLE001  # scipy raises a dozen unrelated types on foreign bytes
        message = " ".join(str(error).split())[:200]
        raise BadRecording(f"not a readable MATLAB file ({message})", where=name) from None
    return columns
