"""HDF5 (`.h5`, `.hdf5`): the layouts of DSEC, of Prophesee, of v2e, MVSEC and others; columns t, x, y, p in any group.

DSEC has `events/{t,x,y,p}` and `t_offset`, which is added to the times (Gehrig et al. 2021); Prophesee has `CD/events`, a
table of x, y, p, t; v2e has `events`, an array (events, 4). Names such as ts, xs, pol are taken for what they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from eventbench.errors import BadRecording
from eventbench.files.content import file_open, file_size
from eventbench.files.hdf5 import is_hdf5, names_in, opened
from eventbench.files.isolated import call
from eventbench.files.temporary import as_file
from eventbench.sources._columns.hdf5_plain import layout_of, stored_in
from eventbench.sources._columns.hdf5_streams import events_in
from eventbench.sources._columns.source import StoredColumnSource
from eventbench.sources._columns.stored import StoredColumns
from eventbench.sources._isolated import ReadIsolated
from eventbench.sources.base import Decoded, Documentation, RawColumns, Size


class Hdf5Columns(ReadIsolated, StoredColumnSource, frozen=True, forbid_unknown_fields=True):
    """Reader of events in HDF5. `unit` is that of the times: "us" unless it or their name says another.

    `group` is the path of the columns in a file with several streams, as "davis/left/events"; "" takes the only one.
    The sensor is what the file's attributes width and height, geometry ("640x480"), or resolution say, or datasets
    `width` and `height`, where it has them.
    """

    version: ClassVar[int] = 2  # 2: sizes that files state as datasets or as a resolution
    about: ClassVar[Documentation] = Documentation(
        what="HDF5: DSEC, Prophesee's `CD/events`, v2e, MVSEC, M3ED, RVT, or columns t, x, y, p in any one group",
        recognised="HDF5 with none of the layouts of another source",
        sensor="width and height, geometry, or resolution; else the smallest that holds every event",
        unit="us, or `unit`",
        polarity="0 and 1, -1 and +1, or bool; -1 in an unsigned type, as 4294967295",
        traps=(
            "DSEC's times begin anew: its `t_offset` is added. Filters such as blosc come with hdf5plugin; "
            "where one is missing (Prophesee's ECF) the refusal names it. Of two cameras `group` says which."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".h5", ".hdf5")

    group: str = ""

    @classmethod
    def recognises(cls, data: bytes) -> bool:
        """Whether it is HDF5 and of no layout that another source reads (MATLAB's, or rows of spikes)."""
        names = names_in(data)
        return (
            is_hdf5(data) and not data.startswith(b"MATLAB") and not {"spikes/times", "spikes/units"} <= names
        )

    def decode_counted(self, data: bytes, name: str, sensor: Size | None = None) -> Decoded:
        """The events in `data`. Raises BadRecording where they cannot be read, or reading does not end."""
        with as_file(data) as path:
            return self._read(path, len(data), name, sensor)

    def read_counted(self, recording: Path | str, sensor: Size | None = None) -> Decoded:
        """As `decode_counted`, from the file itself."""
        size = file_size(recording)
        return self._read(Path(recording).absolute(), size, str(recording), sensor)

    def _read(self, path: Path, size: int, name: str, sensor: Size | None) -> Decoded:
        with self._stored(path, size, name) as stored:
            if stored and (plain := self.plain_events(stored, sensor)):
                return plain
        return call(self.read_here, size, name, path, name, sensor)

    @contextmanager
    def stored(self, path: Path) -> Iterator[StoredColumns | None]:
        """As every source of stored columns."""
        size = file_size(path)
        with self._stored(path.absolute(), size, str(path)) as stored:
            yield stored

    @contextmanager
    def _stored(self, path: Path, size: int, name: str) -> Iterator[StoredColumns | None]:
        layout = layout_of(path, size, path.stat().st_mtime_ns, name, self.group)
        with file_open(path) as file:
            yield layout and stored_in(layout, file, path, size, name)

    def read_here(self, path: Path, name: str, sensor: Size | None) -> Decoded:
        """Raises BadRecording where there are no four columns, or a filter is missing."""
        with opened(path, name) as file:
            if file.attrs.get("format") == "eventbench":
                raise BadRecording(
                    "an eventbench store, not a recording", where=name, fix="open it with eb.open_store"
                )
            columns = events_in(file, path.stat().st_size, name, self.ordered, self.group)
            return self.events_of(columns, sensor, name)

    def raw_columns(self, data: bytes) -> RawColumns:
        """The columns as they are stored, DSEC's offset added."""
        with opened(data, "") as file:
            return self.raw_of(events_in(file, len(data), "", self.ordered, self.group))
