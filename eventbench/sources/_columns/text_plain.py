"""Text of rows of whole numbers, read in one pass; what needs more than that is left to `TextColumns`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from eventbench.errors import BadRecording
from eventbench.events import Events
from eventbench.sources._columns import text_plain_kernels as kernels
from eventbench.sources._columns.named import found_columns, unit_in_name
from eventbench.sources._columns.order import LOOKED_AT, behaviour_of, found_order
from eventbench.sources._columns.plain import sensor_of
from eventbench.sources._columns.source import order_note
from eventbench.sources._columns.text_head import Head, as_ascii, head_of
from eventbench.sources._columns.values import DATES_S
from eventbench.sources._memory import columns as fresh_columns
from eventbench.sources.base import Decoded, Size

HEAD_BYTES = 1 << 16
SLOTS = {"t": kernels.T, "x": kernels.X, "y": kernels.Y, "p": kernels.P, "-": kernels.NONE}
Tables = Callable[[bytes, Head], list[np.ndarray]]


class Rows(NamedTuple):
    """How the rows of a text are read: where they begin, what each column is, what separates them, what times are in.

    `told` says that a header or a parameter gives the order; else it is what the first rows do, and all have to. `unit`
    is "" where only the values say it. `size` is the sensor's, where it is stated.
    """

    start: int
    order: str
    told: bool
    separator: int
    unit: str
    seconds: bool
    size: Size | None
    columns: int


def rows_of(head: bytes, order: str, unit: str, name: str, table: Tables) -> Rows | None:
    """How the rows of a text that begins so are read; None where they are not of the simple kind.

    `table` reads rows of any kind.
    """
    head = head[: head.rfind(b"\n") + 1]
    if as_ascii(head) != head:
        return None
    try:
        found = head_of(head, order, name)
        names = found_columns(found.names)
        by_name = {stored_as: key for key, stored_as in names.items()}
        told = order or "".join(by_name.get(stored_as, "-") for stored_as in found.names)
        if found.decimal_comma or len(told or "txyp") != found.columns:
            return None
        named = told or found_order(table(head[found.start :], found), "txyp", name)
    except BadRecording:
        return None
    unit = unit or (unit_in_name(names["t"]) if "t" in names else "")
    row = head[found.start : head.find(b"\n", found.start)]
    separator = ord("\t") if found.separator == " " and b"\t" in row else ord(found.separator)
    seconds = unit == "s" or (not unit and b"." in row)
    if unit not in ("", "us", "s"):
        return None
    return Rows(found.start, named, bool(told), separator, unit, seconds, found.size, found.columns)


def decoded_plain(data: np.ndarray, rows: Rows, sensor: Size | None, name: str) -> Decoded | None:
    """The events of uint8 (bytes,), which end with a line feed; None where a row needs more than a look."""
    rest = len(data) - rows.start
    head = data[rows.start : rows.start + HEAD_BYTES]
    likely = int(np.count_nonzero(head == 10)) * rest // len(head)
    for most in (likely + likely // 8 + 64, rest // (2 * rows.columns) + 1):
        room = tuple(fresh_columns(most))
        slots = np.array([SLOTS[key] for key in rows.order], np.uint8)
        count, at, wide, high, fractions = kernels.rows_of_whole_numbers(
            data, rows.start, len(data), np.uint8(rows.separator), slots, rows.seconds, -1, *room
        )
        if at == len(data) or count < most:
            break
    t, x, y, p = (column[:count] for column in room)
    if at < len(data) or not count or max(wide, high) > 65535 or not _is_unit(rows, t, fractions):
        return None
    if not rows.told and not _is_order(rows, (t, x, y, p), wide, high, name):
        return None
    size = sensor_of(wide, high, sensor, rows.size)
    notes = () if rows.told or rows.order == "txyp" else (order_note(rows.order),)
    return Decoded(Events.trusted(t, x, y, p, size), {}, notes) if size else None


def _is_unit(rows: Rows, t: np.ndarray, fractions: bool) -> bool:
    """Whether the times are in the unit that they were taken to be in."""
    if rows.unit:
        return True
    is_date = DATES_S[0] * 10**9 <= t[0] and t[-1] <= DATES_S[1] * 10**9
    return fractions if rows.seconds else not is_date


def _is_order(rows: Rows, columns: tuple[np.ndarray, ...], wide: int, high: int, name: str) -> bool:
    """Whether all columns behave as the first rows do."""
    t, x, y, p = columns
    ends = {"t": (t, t[0], t[-1]), "x": (x, 0, wide), "y": (y, 0, high), "p": (p, 0, p.max())}
    scale = kernels.PER_S if rows.seconds else 1
    behaviours = [
        behaviour_of(values[:LOOKED_AT], low / scale, most / scale, whole=False)
        if key == "t" and rows.seconds
        else behaviour_of(values[:LOOKED_AT], low, most, whole=True)
        for key, (values, low, most) in ((key, ends[key]) for key in rows.order)
    ]
    in_order = [ends[key][0] for key in rows.order]
    try:
        return found_order(in_order, "txyp", name, behaviours) == rows.order
    except BadRecording:
        return False
