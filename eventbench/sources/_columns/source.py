"""Columns of a file, whatever they were read with, become events: units, fixed point, first pixel, polarity, size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from eventbench.errors import BadRecording
from eventbench.files.progress import Progress, no_progress
from eventbench.sources._columns import plain
from eventbench.sources._columns.named import (
    check_first,
    check_order,
    check_subpixels,
    check_unit,
    unit_in_name,
)
from eventbench.sources._columns.order import LEAST_EVENTS, found_order
from eventbench.sources._columns.stored import StoredColumns
from eventbench.sources._columns.values import (
    common_step,
    refuse_fixed_point,
    signed_polarity,
    time_step_us,
    whole_numbers,
    whole_or_in,
)
from eventbench.sources._unit_doubts import ReadAs, scan_with_doubt, with_doubt
from eventbench.sources.base import (
    Columns,
    Decoded,
    Note,
    Piece,
    RawColumns,
    Scan,
    Size,
    Source,
    how_to_set,
    smallest_sensor,
)

MOST_COLUMNS = 12  # of a table of events; what has more is something else


class NamedColumns(NamedTuple):
    """The columns t, x, y, p of a file as they are stored, and what it says of them.

    `unit` is what the file says of its times, "" where nothing; `size` the sensor's (width, height) where it is stated;
    `first` what x and y are known to be counted from; `notes` how the columns were told apart, where it was not by name.
    """

    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    p: np.ndarray
    unit: str = ""
    size: Size | None = None
    first: int = 0
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(
        cls, columns: Mapping[str, np.ndarray], unit: str = "", notes: tuple[Note, ...] = ()
    ) -> NamedColumns:
        """Of {"t": times, ...}."""
        return cls(columns["t"], columns["x"], columns["y"], columns["p"], unit=unit, notes=notes)

    def flat(self) -> NamedColumns:
        """With one dimension each."""
        return self._replace(t=np.ravel(self.t), x=np.ravel(self.x), y=np.ravel(self.y), p=np.ravel(self.p))


class ColumnSource(Source, frozen=True, forbid_unknown_fields=True):
    """A source whose files hold columns: what the parameters of all such sources mean.

    Parameters
    ----------
    order : of an (events, 4) array, the columns, as "xytp"; "" tells it from how they behave
    unit : of the times, "ns", "us", "ms" or "s"; "" takes it from their name, as "t_ns", else "us"
    first : what x and y are counted from, 0 or 1
    subpixels : how many steps of x and y are a pixel, for fixed point; 1 for whole pixels
    """

    order: str = ""
    unit: str = ""
    first: int | None = None
    subpixels: int = 1

    time_unit: ClassVar[str] = "us"

    def __post_init__(self) -> None:
        where = type(self).__module__.rpartition(".")[2]
        check_order(self.order, where)
        check_unit(self.unit, where)
        check_first(self.first or 0, where)
        check_subpixels(self.subpixels, where)

    def events_of(self, columns: NamedColumns, sensor: Size | None, name: str) -> Decoded:
        """The events of the columns. Raises BadRecording where they are none."""
        unit = self.unit or columns.unit or "us"
        t = whole_or_in(columns.t, unit, name)
        x, y, p = (whole_numbers(getattr(columns, key), key, name) for key in "xyp")
        first = columns.first if self.first is None else self.first
        p = signed_polarity(p)
        if sensor is None and columns.size is None and self.subpixels == 1:
            refuse_fixed_point(x, y, name)
        fixes = outside_fixes(x, y, sensor or columns.size, first=first, subpixels=self.subpixels)
        fixes |= polarity_fixes(x, y, p)
        if self.subpixels > 1:
            x, y = x // self.subpixels, y // self.subpixels
        if first:
            x, y = x.astype(np.int64) - first, y.astype(np.int64) - first
            p = p - 1 if len(p) and p.dtype.kind in "iu" and p.min() >= 1 and p.max() == 2 else p
        size = sensor or columns.size or smallest_sensor(x, y, name)
        notes = [*columns.notes, *precision_notes(columns.t, unit)]
        found = self.checked((t, x, y, p), sensor=size, name=name, notes=notes, fixes=fixes)
        return with_doubt(found, self.read_as(columns.unit))

    def read_as(self, stated: str) -> ReadAs:
        """The unit of the times of a file that says this of them, "" where nothing."""
        return ReadAs(self.unit or stated or "us", given=bool(self.unit), stated=bool(stated))

    def raw_of(self, columns: NamedColumns) -> RawColumns:
        """The columns before any check, for doctor."""
        unit = self.unit or columns.unit or "us"
        t, x, y, p = columns[:4]
        first = columns.first if self.first is None else self.first
        if self.subpixels > 1:
            x, y = x // self.subpixels, y // self.subpixels
        if first:
            x, y = x - x.dtype.type(first), y - y.dtype.type(first)
        return RawColumns(t, x, y, signed_polarity(p), unit=unit, size=columns.size)

    def ordered(self, table: np.ndarray, name: str) -> tuple[dict[str, np.ndarray], tuple[Note, ...]]:
        """The columns t, x, y, p of an (events, columns) or (columns, events) array, and a note where their order was told.

        More than four columns need `order`, with "-" for one to leave out.
        """
        count = len(self.order) or 4
        if count not in table.shape or (not self.order and table.size < 4 * LEAST_EVENTS):
            fewest = min(table.shape)
            raise BadRecording(
                f"an array {table.shape} of {table.dtype} does not say which column is which",
                where=name,
                fix=how_to_set("order", "txyp" + "-" * (fewest - 4 if 4 < fewest < MOST_COLUMNS else 0))
                + ", or as they are",
                reason="order_in_doubt",
            )
        columns = list(np.ascontiguousarray(table if len(table) == count != table.shape[1] else table.T))
        order = self.order or found_order(columns, "", name)
        notes = () if self.order else (order_note(order),)
        return {key: column for key, column in zip(order, columns, strict=True) if key != "-"}, notes


class StoredColumnSource(ColumnSource, frozen=True, forbid_unknown_fields=True):
    """A source of columns that are read from where they lie in a file, if they need no more than a look."""

    def plain_events(self, stored: StoredColumns, sensor: Size | None) -> Decoded | None:
        """The events of columns that need no more than a look (`plain`), else None: `events_of` is for all others."""
        if not self._is_plain(stored):
            return None
        events = plain.events_of(stored, sensor)
        return None if events is None else with_doubt(Decoded(events), self.read_as(stored.unit))

    def _is_plain(self, stored: StoredColumns) -> bool:
        as_it_is = self.subpixels == 1 and not self.first and not self.order
        return as_it_is and (self.unit or stored.unit or "us") == "us" and plain.is_plain(stored)

    @contextmanager
    def stored(self, path: Path) -> Iterator[StoredColumns | None]:
        """The columns as they lie in the file at `path`, None where they are not such."""
        raise NotImplementedError

    def scan(self, path: Path, sensor: Size | None = None, progress: Progress = no_progress) -> Scan | None:
        """Pieces of rows; None where `events_of` has to see all of them. `progress` is told of rows."""
        with self.stored(path) as stored:
            if stored is None or not self._is_plain(stored):
                return None
            scan, read_as = plain.scan_of(stored, sensor, progress), self.read_as(stored.unit)
        return scan_with_doubt(self, path, scan, read_as)

    def raw_pieces(self, path: Path) -> Iterator[RawColumns]:
        """As `raw_of`, a block of rows at a time; none where a value needs more than a look.

        Raises BadRecording where polarities are not 0 and 1: what they are is told from all of them.
        """
        with self.stored(path) as stored:
            if stored is None or not self._is_plain(stored):
                return
            with closing(stored.blocks(0, stored.rows, {})) as blocks:  # type: ignore[type-var]
                for _, _, block in blocks:
                    t, x, y, p = (block[key] for key in "txyp")
                    if p.min() < 0 or p.max() > 1:
                        raise BadRecording("polarities are not 0 and 1", where=path)
                    t = t.astype(np.int64) + stored.offset_us if stored.offset_us else t
                    yield RawColumns(t, x, y, signed_polarity(p), unit="us", size=stored.size)

    def decode_piece(self, path: Path, scan: Scan, piece: Piece) -> Columns:  # noqa: ARG002  # the piece says all
        """The rows of a piece."""
        with self.stored(path) as stored:
            if stored is None:
                raise BadRecording("the file changed since it was opened", where=path, fix="open it again")
            return plain.piece_of(stored, piece)


def is_table_shape(shape: tuple[int, ...]) -> bool:
    """Whether an array of two dimensions may be columns of events and some more."""
    return any(4 <= side < MOST_COLUMNS for side in shape)


def outside_fixes(
    x: np.ndarray, y: np.ndarray, size: Size | None, *, first: int, subpixels: int = 1
) -> dict[str, str]:
    """Advice about events outside of the sensor, where x and y say more than that they are.

    `subpixels` of 0 says that the source has no such parameter.
    """
    if size is None or [type(side) for side in size] != [int, int] or not (len(x) and len(y)):
        return {}
    wide, high = int(x.max()), int(y.max())
    if wide < size[0] and high < size[1]:
        return {}
    step = common_step(x, y) if subpixels == 1 else 1
    if step > 1 and wide // step < size[0] and high // step < size[1]:
        fix = f"x and y are multiples of {step}, fixed point: {how_to_set('subpixels', step)}"
    elif min(int(x.min()), int(y.min())) == 1 and wide <= size[0] and high <= size[1] and not first:
        fix = f"x and y seem to count from 1: {how_to_set('first', 1)}"
    elif wide < size[1] and high < size[0]:
        fix = f"the size seems to be height and width: give sensor=({size[1]}, {size[0]}), --sensor {size[1]}x{size[0]}"
    else:
        return {}
    return {"outside_sensor": fix}


def polarity_fixes(x: np.ndarray, y: np.ndarray, p: np.ndarray) -> dict[str, str]:
    """Advice about polarities that are none known."""
    if not (len(x) and len(y) and len(p)) or p.dtype.kind not in "iu":
        return {}
    if min(x.min(), y.min(), p.min()) == 1 and p.max() == 2:
        return {"unknown_polarity": f"polarities, x and y seem to count from 1: {how_to_set('first', 1)}"}
    return {
        "unknown_polarity": "write them as 0 and 1, of which 1 is ON, or look whether it is the right column"
    }


def order_note(order: str) -> Note:
    """That the columns' order was told from what they do."""
    return Note(
        "order",
        f"columns taken as {' '.join(order)}, for so they behave: t rises, p has the values of a polarity",
    )


def precision_notes(t: np.ndarray, unit: str) -> list[Note]:
    """That the type of the times cannot tell microseconds apart."""
    step = time_step_us(t, unit)
    if step <= 1:
        return []
    what = f"its times are {t.dtype} in {unit}, which keeps them to {step:,.1f} us only"
    return [Note("precision", what, fix="get them as whole microseconds or float64, or expect ties in time")]


def unit_of_names(names: Iterable[str]) -> str:
    """The unit that the name of the column of times says, of names that the columns are called by."""
    return next((unit for name in names if (unit := unit_in_name(name))), "")
