"""The cells of frames: their types and limits, and what becomes of events that they cannot take."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventbench.errors import BadSpec, EventbenchError
from eventbench.events.events import Events
from eventbench.representations.base import Account


class Cell(NamedTuple):
    """How counts are kept: the type of a cell, the largest count it holds exactly, the type the kernel counts in."""

    dtype: np.dtype
    limit: int
    counted_as: np.dtype  # unsigned integers are what the kernel is fast on


def _cell(name: str) -> Cell:
    dtype = np.dtype(name)
    if dtype.kind == "f":  # up to here every whole number has its own float
        return Cell(dtype, 2 ** (np.finfo(dtype).nmant + 1), dtype)
    return Cell(dtype, int(np.iinfo(dtype).max), np.dtype(f"u{dtype.itemsize}"))


CELLS = {name: _cell(name) for name in ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float32")}


def account_of(total: int, in_frames: int, saturated: int) -> Account:
    """Of `total` events, those in no frame are the tail; those in a frame that no cell could take are saturated."""
    lost = {"tail": total - in_frames, "saturated": saturated}
    return Account(total, in_frames - saturated, {reason: count for reason, count in lost.items() if count})


def cells_of(sensor: tuple[int, int]) -> int:
    """How many cells a frame has. Raises BadSpec for more than a kernel can address."""
    width, height = sensor
    if width * height > 2**31:
        raise BadSpec(f"the sensor is {width}x{height}", where="frames", allowed="up to 2**31 pixels")
    return 2 * height * width


def overflow_error(events: Events, cuts: np.ndarray, lost: np.ndarray, cell: Cell) -> EventbenchError:
    """The refusal, naming the fullest cell of the first frame that is over the limit."""
    width, height = events.sensor
    k = int(np.argmax(lost > 0))
    part = events[int(cuts[k]) : int(cuts[k + 1])]
    address = (part.p.astype(np.int64) * height + part.y) * width + part.x
    cells, counts = np.unique(address, return_counts=True)
    at = int(np.argmax(counts))
    p, y, x = (int(i) for i in np.unravel_index(cells[at], (2, height, width)))
    return EventbenchError(
        f"{int(counts[at])} events in one cell (frame {k}, polarity {p}, y {y}, x {x})",
        where="frames",
        allowed=f"{cell.limit} in {cell.dtype}",
        fix="take a wider dtype, more bins, or overflow='saturate', which counts what it loses",
    )
