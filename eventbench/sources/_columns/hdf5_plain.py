"""Columns of an HDF5 file as they lie in it: read from the file itself where they lie in one piece, else by the helper.

The helper process opens the file and says where its columns are; no bytes of a damaged file are followed in this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from eventbench.errors import BadRecording
from eventbench.files.hdf5 import opened, require_room
from eventbench.files.isolated import OUT_OF_MEMORY, call, call_shared, shared_room
from eventbench.sources._columns.hdf5_streams import places_of, size_in, stream_of, unit_of
from eventbench.sources._columns.named import found_columns
from eventbench.sources._columns.source import unit_of_names
from eventbench.sources._columns.stored import BLOCK_ROWS, Block, InBytes, Place, StoredColumns
from eventbench.sources.base import Size

SLICE_ROWS = 1 << 20  # asked of the helper at once
ALIGNED = 64  # bytes
MOST_PACKED, SMALL_BYTES = (
    64,
    1 << 22,
)  # a file that claims to hold more is not believed before the helper has read it


class Column(NamedTuple):
    """One column: its dataset, its field there ("" where the dataset is the column), and the type of the dataset's values.

    `start` is the byte of the file where the dataset's values begin, one after the other; -1 where they are packed or in
    chunks. `chunk` is how many rows a chunk has.
    """

    dataset: str
    field: str
    dtype: np.dtype[Any]
    start: int
    chunk: int


class Layout(NamedTuple):
    """Where the columns of the one stream are, and what the file says of them, as StoredColumns has it."""

    columns: dict[str, Column]
    rows: int
    unit: str
    offset_us: int
    size: Size | None
    either_way: bool


@lru_cache(maxsize=8)  # asked once a piece of a long recording
def layout_of(path: Path, size: int, changed_ns: int, name: str, group: str) -> Layout | None:  # noqa: ARG001  # a changed file is another
    """The layout of a file whose columns are four datasets or one table, of whole numbers; None for any other."""
    return call(layout_here, size, name, path, name, group)


def layout_here(path: Path, name: str, group: str) -> Layout | None:
    """As `layout_of`.

    Only the helper process calls it. What is wrong with a file is said by whoever reads all of it.
    """
    try:
        with opened(path, name) as file:
            return None if file.attrs.get("format") == "eventbench" else _layout(file, path, name, group)
    except BadRecording as error:
        if error.reason == OUT_OF_MEMORY:
            raise
        return None


def _layout(file: Any, path: Path, name: str, group: str) -> Layout | None:
    import h5py

    at = stream_of(file, name, group)
    stored = file[at] if at else file
    if isinstance(stored, h5py.Group):
        names = found_columns(map(str, stored))
        datasets = {key: (stored[called], "") for key, called in names.items()}
        unit = unit_of_names([names["t"]]) or unit_of(stored[names["t"]])
    elif stored.dtype.names:
        names = found_columns(stored.dtype.names)
        datasets = {key: (stored, called) for key, called in names.items()}
        unit = unit_of_names([names["t"]]) or unit_of(stored)
    else:
        return None
    size = path.stat().st_size
    if any(dataset.ndim != 1 or len(dataset) != len(datasets["t"][0]) for dataset, _ in datasets.values()):
        return None
    claimed = sum(
        dataset.size * dataset.dtype.itemsize
        for dataset in {d.name: d for d, _ in datasets.values()}.values()
    )
    if claimed > max(MOST_PACKED * size, SMALL_BYTES):
        return None
    columns = {key: _column(dataset, field, size, name) for key, (dataset, field) in datasets.items()}
    places = places_of(file, at)
    offset = next((place["t_offset"] for place in places if "t_offset" in place), None)
    stated, either_way = size_in(places, name)
    added = 0 if offset is None else int(offset[()])
    return Layout(columns, len(datasets["t"][0]), unit, added, stated, either_way)


def _column(dataset: Any, field: str, size: int, name: str) -> Column:
    require_room(dataset, size, name)
    chunk = dataset.chunks[0] if dataset.chunks else 1
    return Column(dataset.name, field, dataset.dtype, _start(dataset, size), chunk)


def _start(dataset: Any, size: int) -> int:
    """The byte where the values begin, where the file has all of them one after the other in the type that they are read in."""
    import h5py

    properties = dataset.id.get_create_plist()
    start = dataset.id.get_offset()
    as_read = h5py.h5t.py_create(dataset.dtype, logical=True) == dataset.id.get_type()
    alone = not (properties.get_nfilters() or properties.get_external_count())
    if properties.get_layout() != h5py.h5d.CONTIGUOUS or start is None or not (alone and as_read):
        return -1
    return int(start) if start + dataset.size * dataset.dtype.itemsize <= size else -1


def stored_in(layout: Layout, file: int, path: Path, size: int, name: str) -> StoredColumns:
    """The columns of a layout; `file` is open, of `size` bytes, and used as long as they are."""
    stored: StoredColumns
    if all(column.start >= 0 for column in layout.columns.values()):
        places = {key: _place(column, column.start) for key, column in layout.columns.items()}
        stored = InBytes(dict.fromkeys(places, file), places, layout.rows, name)
    else:
        stored = InHelper(layout, path, size, name)
    stored.unit, stored.offset_us = layout.unit, layout.offset_us
    stored.size, stored.either_way = layout.size, layout.either_way
    return stored


def _place(column: Column, start: int) -> Place:
    """Where the column is when its dataset's values begin at a byte."""
    if not column.field:
        return Place(column.dtype, start, column.dtype.itemsize)
    assert column.dtype.fields is not None
    kind, within = column.dtype.fields[column.field][:2]
    return Place(kind, start + within, column.dtype.itemsize)


class InHelper(StoredColumns):
    """Columns that the helper process unpacks, a slice at a time, into memory that both see."""

    def __init__(self, layout: Layout, path: Path, size: int, name: str) -> None:
        self.layout, self.path, self.file_size, self.name = layout, path, size, name
        self.rows = layout.rows

    def types(self) -> dict[str, np.dtype[np.generic]]:
        """As the columns are stored."""
        return {key: _place(column, 0).dtype for key, column in self.layout.columns.items()}

    def blocks(self, start: int, stop: int, into: Mapping[str, np.ndarray]) -> Iterator[Block]:  # noqa: ARG002  # copied from the shared memory
        """As every class of stored columns."""
        datasets = {column.dataset: column.dtype for column in self.layout.columns.values()}
        chunk = max(column.chunk for column in self.layout.columns.values())
        slice_rows = max(1, SLICE_ROWS // chunk) * chunk
        while start < stop:
            end = min((start // slice_rows + 1) * slice_rows, stop)
            starts = _starts(datasets, end - start)
            asked = (self.path, datasets, start, end, self.name)
            with call_shared(rows_here, self.file_size, self.name, *asked) as shared:
                places = {
                    key: _place(column, starts[column.dataset]) for key, column in self.layout.columns.items()
                }
                for first in range(start, end, BLOCK_ROWS):
                    last = min(first + BLOCK_ROWS, end)
                    yield (
                        first,
                        last,
                        {
                            key: place.within(shared, first - start, last - start)
                            for key, place in places.items()
                        },
                    )
            start = end


def _starts(datasets: Mapping[str, np.dtype[Any]], rows: int) -> dict[str, int]:
    """The byte where each dataset's rows begin in shared memory; that of "" is where they end."""
    starts, at = {}, 0
    for dataset, dtype in datasets.items():
        starts[dataset] = at
        at += -(-rows * dtype.itemsize // ALIGNED) * ALIGNED
    return {**starts, "": at}


def rows_here(path: Path, datasets: dict[str, np.dtype[Any]], start: int, stop: int, name: str) -> int:
    """Unpack rows of the datasets into shared memory; how many bytes. Only the helper process calls it."""
    starts = _starts(datasets, stop - start)
    room = shared_room(starts[""])
    with opened(path, name) as file:
        for called, dtype in datasets.items():
            dataset = file[called]
            require_room(dataset, path.stat().st_size, name)
            if dataset.dtype != dtype or dataset.ndim != 1 or len(dataset) < stop:
                raise BadRecording(
                    "the file changed while it was read", where=name, fix="run the command again"
                )
            rows = np.ndarray((stop - start,), dtype, room, starts[called])
            dataset.read_direct(rows, np.s_[start:stop])
    return starts[""]
