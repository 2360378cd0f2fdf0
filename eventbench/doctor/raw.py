"""The columns as a file has them, before they are made events: unsorted, unchecked, polarity as it was written.

A decoder says the first thing that is wrong and stops. What is here looks at all of it, so that the doctor can say how
much is wrong, and what convention the file follows. It trusts the format, and decides nothing about the events.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from eventbench.files.hdf5 import is_hdf5, opened
from eventbench.files.isolated import call
from eventbench.sources import hdf5_columns, mat_columns, text_columns
from eventbench.sources._aedat_header import CHIPS, chip_of, header_lines
from eventbench.sources._percent_header import percent_header
from eventbench.sources.numpy_columns import NumpyColumns

Size = tuple[int, int] | None

ATIS_BYTES, ATIS_MARKER_Y, ATIS_MARKER_US = 5, 240, 1 << 13
DAT_BYTES = AEDAT2_BYTES = 8
# DAT's version -> (mask of x, shift and mask of y, shift and mask of polarity).
DAT_FIELDS = {"1": (0x1FF, 9, 0xFF, 17, 0x1), "2": (0x3FFF, 14, 0x3FFF, 28, 0xF)}
# AEDAT 2: (bits of words that are no events, shift and mask of x, shift and mask of y, shift of polarity).
AEDAT2_FIELDS = {True: (0x8000, 1, 0x7F, 8, 0x7F, 0), False: (0x80000400, 12, 0x3FF, 22, 0x1FF, 11)}


class Raw(NamedTuple):
    """Columns of one length. `unit` is that of t; `size` the sensor's where the file states it.

    `markers` are timestamp overflow markers, `wraps` how often the clock began anew (undone in t), `clock_us` the time
    it takes to, `others` the words or records that are no events of the camera.
    """

    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    p: np.ndarray
    unit: str = "us"
    size: Size = None
    markers: int = 0
    wraps: int = 0
    clock_us: int = 0
    others: int = 0


def raw_columns(source: str, data: bytes) -> Raw | None:
    """The columns of a file of the format `source`; None where the format has no such, or the bytes are none of it."""
    reader = _READERS.get(source)
    if reader is None:
        return None
    try:
        # Libraries that crash on damaged files are called in a process apart.
        raw = call(reader, len(data), "", data) if source in APART else reader(data)
    except Exception:  # the decoder has said what is wrong with it
        return None
    if raw is None:
        return None
    columns = (raw.t, raw.x, raw.y, raw.p)
    flat = all(column.ndim == 1 and column.dtype.kind in "iufb" for column in columns)
    return raw if flat and len({len(column) for column in columns}) == 1 else None


def _atis(data: bytes) -> Raw:
    rows = np.frombuffer(data, np.uint8, len(data) // ATIS_BYTES * ATIS_BYTES).reshape(-1, ATIS_BYTES)
    marks = rows[:, 1] == ATIS_MARKER_Y
    wide = rows[~marks].astype(np.int64)
    t = (wide[:, 2] & 0x7F) << 16 | wide[:, 3] << 8 | wide[:, 4]
    added = np.cumsum(marks)[~marks] * ATIS_MARKER_US
    p = (wide[:, 2] >> 7).astype(np.uint8)
    return Raw(t + added, wide[:, 0], wide[:, 1], p, markers=int(marks.sum()), clock_us=1 << 23)


def _unwrapped(clock: np.ndarray) -> tuple[np.ndarray, int]:
    """int64 times of a 32-bit clock, and how often it began anew."""
    t = clock.astype(np.int64)
    began = np.diff(t) < -(2**31)
    if len(t) > 1:
        t[1:] += np.cumsum(began) * 2**32
    return t, int(began.sum())


def _dat(data: bytes) -> Raw:
    header = percent_header(data)
    start = header.end + 2
    words = np.frombuffer(data, "<u4", (len(data) - start) // DAT_BYTES * 2, start).reshape(-1, 2)
    word = words[:, 1]
    said = [line.split()[1] for line in header.lines if line.lower().startswith("version ")]
    x_mask, y_shift, y_mask, p_shift, p_mask = DAT_FIELDS[said[0] if said else "1"]
    t, wraps = _unwrapped(words[:, 0])
    x, y, p = word & x_mask, word >> y_shift & y_mask, word >> p_shift & p_mask
    return Raw(t, x, y, p, size=header.size(), wraps=wraps, clock_us=2**32)


def _aedat2(data: bytes) -> Raw:
    lines, start = header_lines(data)
    words = np.frombuffer(data, ">u4", (len(data) - start) // AEDAT2_BYTES * 2, start).reshape(-1, 2)
    words = words.astype(np.uint32)
    camera = chip_of(lines, "") or "DVS128"
    foreign, x_shift, x_mask, y_shift, y_mask, p_shift = AEDAT2_FIELDS[camera == "DVS128"]
    ours = words[:, 0] & foreign == 0
    t, wraps = _unwrapped(words[ours, 1])
    word = words[ours, 0]
    x, y, p = word >> x_shift & x_mask, word >> y_shift & y_mask, word >> p_shift & 1
    others = int(len(ours) - ours.sum())
    return Raw(t, x, y, p, size=CHIPS[camera], wraps=wraps, clock_us=2**32, others=others)


def _text(data: bytes) -> Raw:
    data = data.removeprefix(text_columns.BYTE_ORDER_MARK)
    names, size, start, separator = text_columns._head(data, "")
    order = text_columns._order(names, "")
    columns = text_columns._table(data[start:], separator, order, "", 0)
    unit = "s" if columns["t"].dtype.kind == "f" else "us"
    t, x, y, p = (columns[key] for key in "txyp")
    return Raw(t, x, y, p, unit, size)


def _numpy(data: bytes) -> Raw:
    import io

    columns: dict[str, Any] = NumpyColumns()._columns(np.load(io.BytesIO(data), allow_pickle=False), "")
    inside = columns.pop("sensor", None)
    t, x, y, p = (columns[key] for key in "txyp")
    if inside is None:
        return Raw(t, x, y, p)
    width, height = np.ravel(inside).tolist()
    return Raw(t, x, y, p, size=(width, height))


def _hdf5(data: bytes) -> Raw:
    with opened(data, "") as file:
        columns = hdf5_columns._columns(file, len(data), "")
        if "t_offset" in file:
            columns["t"] = columns["t"].astype(np.int64) + int(file["t_offset"][()])
        t, x, y, p = (columns[key] for key in "txyp")
        return Raw(t, x, y, p, size=hdf5_columns._size(file, ""))


def _mat(data: bytes) -> Raw | None:
    if is_hdf5(data):
        return None
    columns = mat_columns._version_5(data, "")
    t, x, y, p = (np.ravel(columns[key]) for key in "txyp")
    return Raw(t, x, y, p)


APART = ("hdf5_columns", "mat_columns")
_READERS = {
    "atis_bin": _atis,
    "dat": _dat,
    "aedat2": _aedat2,
    "text_columns": _text,
    "numpy_columns": _numpy,
    "hdf5_columns": _hdf5,
    "mat_columns": _mat,
}
