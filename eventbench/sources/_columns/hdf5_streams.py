"""Where in an HDF5 file the columns of events are, and what it says of them: the sensor's size, the unit of times."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from eventbench.errors import BadRecording
from eventbench.files.hdf5 import column, matrix
from eventbench.sources._columns.named import UNIT_OF, all_columns, found_columns
from eventbench.sources._columns.source import NamedColumns, is_table_shape, unit_of_names
from eventbench.sources.base import Note, Size, how_to_set

USUAL = ("events", "CD/events", "CD", "")  # DSEC, Prophesee, and columns at the root
DEEPEST, MOST_ITEMS = 5, 2000
_CALLED_EVENTS = re.compile(r"(?i)event|evs\b|\bevt|dvs")
_GEOMETRY = re.compile(r"\s*(\d{1,5})\s*x\s*(\d{1,5})\s*")
Ordered = Callable[[np.ndarray, str], tuple[dict[str, np.ndarray], tuple[Note, ...]]]


def events_in(file: Any, size: int, name: str, ordered: Ordered, group: str = "") -> NamedColumns:
    """The columns of the one stream of events in a file of `size` bytes, or of that at `group`.

    `ordered` names the columns of an array. Raises BadRecording where there is none, or several and no group.
    """
    path = stream_of(file, name, group)
    stored = file[path] if path else file
    columns = _columns(stored, size, name, ordered)
    places = places_of(file, path)
    if offset := next((place["t_offset"] for place in places if "t_offset" in place), None):
        t = columns.t if columns.t.dtype.kind == "f" else columns.t.astype(np.int64)
        columns = columns._replace(t=t + int(offset[()]))
    size_stated, either_way = size_in(places, name)
    return columns._replace(
        size=_side_by_side(size_stated, columns) if size_stated and either_way else size_stated
    )


def stream_of(file: Any, name: str, group: str = "") -> str:
    """The path of the group, table or array with the columns of events. Raises BadRecording as `events_in`."""
    if group:
        if group.strip("/") and group.strip("/") not in file:
            raise BadRecording(f"no group {group!r}; {_contents(file)}", where=name)
        inside = [path for path in _streams(file) if _is_below(path, group.strip("/"))]
        if not inside:
            inside = [group.strip("/")] if _is_stream(file[group.strip("/")], called_events=True) else []
        streams = inside
    else:
        for path in USUAL:
            if (not path or path in file) and _is_stream(file[path] if path else file, called_events=True):
                return path
        streams = _streams(file)
    if not streams:
        raise BadRecording(
            f"no columns of events; {_contents(file)}",
            where=name,
            allowed="events/{t,x,y,p}, CD/events, or t, x, y, p at the root, or a group of such",
        )
    if len(streams) > 1:
        raise BadRecording(
            f"{len(streams):,} streams of events: {', '.join(streams[:8])}",
            where=name,
            fix=f"say which: {how_to_set('group', streams[0])}",
            reason="several_streams",
        )
    return streams[0]


def _is_below(path: str, group: str) -> bool:
    return not group or path == group or path.startswith(f"{group}/")


def _contents(file: Any) -> str:
    return f"it has {sorted(map(str, file))[:8]}"


def _streams(file: Any) -> list[str]:
    """The paths of all that look like columns of events, the first at most a few thousand items in."""
    return [path for path, item in _items(file, "", DEEPEST, [MOST_ITEMS]) if _is_stream(item)]


def _items(group: Any, path: str, depth: int, left: list[int]) -> Iterator[tuple[str, Any]]:
    import h5py

    for name in group:
        left[0] -= 1
        if left[0] < 0:
            return
        if group.get(name, getlink=True).__class__ is not h5py.HardLink:
            continue
        item, below = group[name], f"{path}/{name}" if path else str(name)
        yield below, item
        if isinstance(item, h5py.Group) and depth:
            yield from _items(item, below, depth - 1, left)


def _is_stream(item: Any, *, called_events: bool = False) -> bool:
    import h5py

    if isinstance(item, h5py.Group):
        columns = found_columns(map(str, item))
        return len(columns) == 4 and all(isinstance(item.get(key), h5py.Dataset) for key in columns.values())
    if not isinstance(item, h5py.Dataset):
        return False
    if item.dtype.names:
        return len(found_columns(item.dtype.names)) == 4
    if item.ndim != 2 or item.dtype.kind not in "iuf":
        return False
    if called_events:
        return is_table_shape(item.shape)
    return 4 in item.shape and bool(_CALLED_EVENTS.search(str(item.name)))


def _columns(stored: Any, size: int, name: str, ordered: Ordered) -> NamedColumns:
    import h5py

    if isinstance(stored, h5py.Group):
        names = found_columns(map(str, stored))
        unit = unit_of_names([names["t"]]) or unit_of(stored[names["t"]])
        return NamedColumns.of({key: column(stored[path], size, name) for key, path in names.items()}, unit)
    if stored.dtype.names:
        names = all_columns(stored.dtype.names, name, "field")
        rows = column(stored, size, name)
        fields = {key: np.ascontiguousarray(rows[stored_as]) for key, stored_as in names.items()}
        return NamedColumns.of(fields, unit=unit_of_names([names["t"]]) or unit_of(stored))
    columns, notes = ordered(matrix(stored, size, name), name)
    return NamedColumns.of(columns, unit=unit_of(stored), notes=notes)


def unit_of(dataset: Any) -> str:
    """The unit that a dataset's attribute says, "" without."""
    stated = dataset.attrs.get("unit", dataset.attrs.get("units", ""))
    text = stated.decode("utf-8", "replace") if isinstance(stated, bytes) else str(stated)
    return UNIT_OF.get(text.strip().lower(), "")


def places_of(file: Any, path: str) -> list[Any]:
    """Groups in which things about a stream may stand: its own, those above it, and the root."""
    import h5py

    parts = path.split("/") if path else []
    above = [file["/".join(parts[:k])] for k in range(len(parts), 0, -1)] + [file]
    return [place for place in above if isinstance(place, h5py.Group)]


def size_in(places: list[Any], name: str) -> tuple[Size | None, bool]:
    """The sensor's (width, height), as the nearest place states it, and whether it may be height and width."""
    for place in places:
        stated = {key.lower(): value for key, value in place.attrs.items()}
        if {"width", "height"} <= stated.keys():
            return (int(stated["width"]), int(stated["height"])), False
        if "geometry" in stated:
            return _geometry(stated["geometry"], name), False
        if "width" in place and "height" in place:
            width, height = (np.ravel(place[side][()]) for side in ("width", "height"))
            if len(width) == len(height) == 1 and int(width[0]) > 0 < int(height[0]):
                return (int(width[0]), int(height[0])), False
        for key, rows_first in (
            ("sensor_resolution", True),
            ("resolution", False),
            ("calib/resolution", False),
        ):
            value = stated.get(key) if key in stated else place[key][()] if key in place else None
            if value is not None and np.size(value) == 2:
                first, second = (int(side) for side in np.ravel(value))
                return ((second, first) if rows_first else (first, second)), True
    return None, False


def _side_by_side(size: Size, columns: NamedColumns) -> Size:
    """The size, or height and width swapped where only so every event lies inside: writers do not agree."""
    if not len(columns.x):
        return size
    wide, high = columns.x.max(), columns.y.max()
    inside, swapped = wide < size[0] and high < size[1], wide < size[1] and high < size[0]
    return (size[1], size[0]) if swapped and not inside else size


def _geometry(value: Any, name: str) -> Size:
    geometry = np.ravel(value).tolist()[0]  # a string of Python's, or of fixed length
    text = geometry.decode("ascii", "replace") if isinstance(geometry, bytes) else str(geometry)
    if not (match := _GEOMETRY.fullmatch(text)):
        raise BadRecording(f"its geometry is {text[:40]!r}", where=name, allowed="as '640x480'")
    return int(match[1]), int(match[2])
