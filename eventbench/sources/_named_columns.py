"""The names that files give to the columns of events, and times of any unit as whole microseconds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from eventbench.errors import BadRecording, BadSpec
from eventbench.sources.base import PER_US

ALIASES = {
    "t": ("t", "ts", "time", "timestamp", "timestamps"),
    "x": ("x", "xs"),
    "y": ("y", "ys"),
    "p": ("p", "ps", "pol", "polarity", "polarities", "on"),
}


def found_columns(names: Iterable[str]) -> dict[str, str]:
    """{"t": the name of the column of times, ...} of those that are there, whatever their case."""
    lower = {name.lower(): name for name in names}
    names_of = {
        column: next((lower[alias] for alias in aliases if alias in lower), None)
        for column, aliases in ALIASES.items()
    }
    return {column: name for column, name in names_of.items() if name is not None}


def all_columns(names: Iterable[str], name: str, kind: str) -> dict[str, str]:
    """As `found_columns`, all four. Raises BadRecording with the names there are; `kind` is "array" or what they name."""
    names = list(names)
    columns = found_columns(names)
    missing = [column for column in ALIASES if column not in columns]
    if missing:
        raise BadRecording(
            f"no {kind} {missing[0]!r} among {names[:12]}", where=name, allowed=f"{kind}s t, x, y and p"
        )
    return columns


def check_unit(unit: str, where: str) -> None:
    """Raises BadSpec for a unit of time that is none."""
    if unit and unit not in PER_US:
        raise BadSpec(f"unit is {unit!r}", where=where, allowed=", ".join(PER_US))


def microseconds(t: np.ndarray, unit: str, name: str) -> np.ndarray:
    """int64 microseconds of times in `unit`, rounded to the nearest where the unit is finer or times have fractions."""
    times, over = PER_US[unit]
    if t.dtype.kind == "f":
        if len(t) and not (np.isfinite(t).all() and np.abs(t).max() * times / over < 2**62):
            raise BadRecording("a time is not a finite number, or is over 2**62 us", where=name)
        return np.rint(t.astype(np.float64) * times / over).astype(np.int64)
    if t.dtype.kind not in "iu":
        raise BadRecording(f"times are {t.dtype}", where=name, allowed="numbers")
    if len(t) and max(abs(int(t.min())), abs(int(t.max()))) * times >= 2**62 * over:
        raise BadRecording(f"times reach {t.max()} {unit}", where=name, allowed="up to 2**62 us")
    whole = t.astype(np.int64) * times
    return whole if over == 1 else (whole + over // 2) // over


def whole_or_in(t: np.ndarray, unit: str, name: str) -> np.ndarray:
    """As `microseconds`, but times in "us" must be whole: seconds read as microseconds would all be rounded to 0."""
    if unit == "us" and t.dtype.kind == "f" and np.isfinite(t).all() and (t != np.rint(t)).any():
        at = int(np.argmax(t != np.rint(t)))
        raise BadRecording(
            f"t is {t[at]} at event {at:,}, a fraction of a microsecond",
            where=name,
            allowed="whole microseconds",
            fix='set unit = "s" or "ms" in [source], if that is what they are, or round them first',
        )
    return microseconds(t, unit, name)


def whole_numbers(column: np.ndarray, column_name: str, name: str) -> np.ndarray:
    """A column of whole numbers; floats are taken where each is one. Raises BadRecording for any other."""
    if column.dtype.kind in "iub":
        return column
    if column.dtype.kind == "f" and bool(np.isfinite(column).all()) and np.abs(column).max(initial=0) < 2**53:
        whole = column.astype(np.int64)
        if (whole == column).all():
            return whole
        at = int(np.argmax(whole != column))
        raise BadRecording(
            f"{column_name} is {column[at]} at event {at:,}",
            where=name,
            allowed="whole numbers",
            fix="round rectified coordinates first, as you mean it",
        )
    raise BadRecording(f"{column_name} is {column.dtype}", where=name, allowed="whole numbers")
