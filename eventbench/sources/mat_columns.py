"""MATLAB (`.mat`), versions 5 and 7.3: variables or one struct of ts (or t), x, y and pol (or p); ASL-DVS.

ASL-DVS (Bi et al. 2019): times in microseconds, x and y on the DAVIS240C, polarity 0 and 1, a column each. Structs: `TD`
of Prophesee's and G. Orchard's tools (x and y count from 1), `aedat.data.polarity` of AedatTools.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from eventbench.errors import BadRecording
from eventbench.files.hdf5 import is_hdf5, opened
from eventbench.files.isolated import MAX_COMPRESSION, OUT_OF_MEMORY
from eventbench.sources._columns.hdf5_streams import events_in, stream_of
from eventbench.sources._columns.named import all_columns, found_columns
from eventbench.sources._columns.source import ColumnSource, NamedColumns, unit_of_names
from eventbench.sources._isolated import ReadIsolated
from eventbench.sources.base import Decoded, Documentation, Note, RawColumns, Size, how_to_set

DEEPEST = 4  # structs in structs


class MatColumns(ReadIsolated, ColumnSource, frozen=True, forbid_unknown_fields=True):
    """Reader of MATLAB files. `unit` is that of the times; `first` what x and y are counted from, 0 or 1.

    Without `first`, those of a struct `TD` without a zero count from 1, all others from 0. `group` names the struct in a
    file with several, as "aedat.data.polarity".
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        what="MATLAB, versions 5 and 7.3: ASL-DVS, structs TD, AedatTools",
        recognised="the first bytes `MATLAB 5.0 MAT-file` or `MATLAB 7.3 MAT-file`",
        sensor="not in the file: the card, `sensor=`, or the smallest that holds every event",
        unit="us, or `unit`",
        polarity="0 and 1, -1 and +1, or bool",
        traps=(
            "MATLAB counts from 1: `first = 1` where x and y do, as in structs TD. ASL-DVS counts from 0, and is upside down."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".mat",)
    magics: ClassVar[tuple[bytes, ...]] = (b"MATLAB 5.0 MAT-file", b"MATLAB 7.3 MAT-file")

    group: str = ""

    def read_here(self, path: Path, name: str, sensor: Size | None) -> Decoded:
        """Raises BadRecording where there are no four variables of events."""
        columns = self._load(path.read_bytes(), name)
        for key in "txyp":
            values = getattr(columns, key)
            if values.ndim > 1 and max(values.shape) != values.size:
                raise BadRecording(f"{key} has the shape {values.shape}", where=name, allowed="one column")
        return self.events_of(columns.flat(), sensor, name)

    def raw_columns(self, data: bytes) -> RawColumns | None:
        """The variables as they are stored."""
        columns = self._load(data, "")
        return self.raw_of(columns.flat())

    def _load(self, data: bytes, name: str) -> NamedColumns:
        if not is_hdf5(data):
            return _from_1(*_version_5(data, name, self.ordered, self.group))
        with opened(data, name) as file:
            group = self.group.replace(".", "/")
            path = stream_of(file, name, group)
            return _from_1(events_in(file, len(data), name, self.ordered, path), path)


def _from_1(columns: NamedColumns, struct: str) -> NamedColumns:
    """The columns, said to count from 1 where they are of a struct TD and nothing speaks against it."""
    x, y = columns.x, columns.y
    if (
        struct.replace("/", ".").rpartition(".")[2] != "TD"
        or not x.size
        or not y.size
        or min(x.min(), y.min()) < 1
    ):
        return columns
    what = "x and y are taken to count from 1, as in structs TD; first = 0 says that they do not"
    return columns._replace(first=1, notes=(*columns.notes, Note("first", what)))


def _version_5(data: bytes, name: str, ordered: Any, group: str) -> tuple[NamedColumns, str]:
    """The columns, and the name of the struct that holds them ("" without)."""
    from scipy.io import loadmat, whosmat

    try:
        shapes = {stored_as: (shape, kind) for stored_as, shape, kind in whosmat(io.BytesIO(data))}
        for stored_as, (shape, _) in shapes.items():
            if 8 * np.prod(shape, dtype=np.float64) > MAX_COMPRESSION * len(data):
                raise BadRecording(
                    f"{stored_as} says it has the shape {shape}, in a file of {len(data):,} bytes", where=name
                )
        names = found_columns(shapes)
        if len(names) == 4 and not group:
            loaded = loadmat(io.BytesIO(data), variable_names=list(names.values()))
            variables = {key: np.asarray(loaded[stored_as]) for key, stored_as in names.items()}
            return NamedColumns.of(variables, unit=unit_of_names([names["t"]])), ""
        loaded = loadmat(io.BytesIO(data), variable_names=list(shapes))
        return _of_structs({key: loaded[key] for key in shapes if key in loaded}, name, ordered, group)
    except BadRecording:
        raise
    except Exception as error:  # noqa: BLE001  # scipy raises a dozen unrelated types on foreign bytes
        message = " ".join(str(error).split())[:200]
        raise BadRecording(
            f"not a readable MATLAB file ({message})",
            where=name,
            reason=OUT_OF_MEMORY if isinstance(error, MemoryError) else "",
        ) from None


def _of_structs(variables: dict[str, Any], name: str, ordered: Any, group: str) -> tuple[NamedColumns, str]:
    """The columns of the one struct with four fields of events, or of an array (events, 4)."""
    structs = {path: value for path, value in _structs(variables, "", DEEPEST) if not group or path == group}
    if len(structs) > 1:
        raise BadRecording(
            f"{len(structs):,} structs of events: {', '.join(structs)}",
            where=name,
            fix=f"say which: {how_to_set('group', next(iter(structs)))}",
            reason="several_streams",
        )
    for path, value in structs.items():
        names = found_columns(value.dtype.names)
        fields = {key: np.asarray(value[stored_as]) for key, stored_as in names.items()}
        return NamedColumns.of(fields, unit=unit_of_names([names["t"]])), path
    arrays = {
        key: value
        for key, value in variables.items()
        if value.ndim == 2 and 4 in value.shape and value.size > 16
    }
    if len(arrays) == 1 and next(iter(arrays.values())).dtype.kind in "iuf":
        columns, notes = ordered(next(iter(arrays.values())), name)
        return NamedColumns.of(columns, notes=notes), ""
    all_columns(variables, name, "variable")
    raise BadRecording("no variables of events", where=name)


def _structs(fields: dict[str, Any], path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """The paths and records of structs with four fields of events."""
    for key, value in fields.items():
        below = f"{path}.{key}" if path else key
        if not isinstance(value, np.ndarray) or not value.dtype.names or value.size != 1:
            continue
        record = np.ravel(value)[0]
        if len(found_columns(value.dtype.names)) == 4:
            yield below, record
        elif depth:
            yield from _structs({name: record[name] for name in value.dtype.names}, below, depth - 1)
