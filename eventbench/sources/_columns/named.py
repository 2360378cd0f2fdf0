"""The names that files give to the columns of events, and the unit of times that a name may say."""

from __future__ import annotations

import re
from collections.abc import Iterable

from eventbench.errors import BadRecording, BadSpec
from eventbench.sources.base import PER_US

ALIASES = {
    "t": (
        "t",
        "ts",
        "time",
        "timestamp",
        "timestamps",
        "times",
        "time_stamp",
        "time_stamps",
        "tstamp",
        "stamp",
    ),
    "x": (
        "x",
        "xs",
        "x_pos",
        "xpos",
        "pos_x",
        "x_coord",
        "x_coordinate",
        "coord_x",
        "x_addr",
        "col",
        "column",
    ),
    "y": ("y", "ys", "y_pos", "ypos", "pos_y", "y_coord", "y_coordinate", "coord_y", "y_addr", "row"),
    "p": ("p", "ps", "pol", "polarity", "polarities", "on", "pols", "sign"),
}
UNIT_WORDS = {
    "ns": ("ns", "nsec", "nsecs", "nanosec", "nanosecond", "nanoseconds"),
    "us": ("us", "µs", "μs", "usec", "usecs", "microsec", "microsecond", "microseconds"),
    "ms": ("ms", "msec", "msecs", "millisec", "millisecond", "milliseconds"),
    "s": ("s", "sec", "secs", "second", "seconds"),
}
UNIT_OF = {word: unit for unit, words in UNIT_WORDS.items() for word in words}
# A word in brackets, or after an underscore, a blank, a dash or a dot: "t [us]", "timestamp_ns", "time (s)".
_SUFFIX = re.compile(
    r"(?P<base>.+?)(?:\s*[\[({<]\s*(?P<bracketed>[^\])}>]*?)\s*[\])}>]|[\s_.-]+(?P<word>[^\W\d_]+))"
)
_PREFIX = re.compile(r"(?:events?|evts?|dvs|cd)[_. /-]+")


def _plain(name: str) -> str:
    """A name without case, quotes, and a prefix such as "event_"."""
    return _PREFIX.sub("", name.strip().strip("\"'").strip().lower(), count=1)


def _base_and_unit(name: str) -> tuple[str, str]:
    """("t", "us") of "t [us]"; the unit is "" where the name says none."""
    plain = _plain(name)
    if not (match := _SUFFIX.fullmatch(plain)):
        return plain, ""
    word = match["bracketed"] if match["word"] is None else match["word"]
    if match["word"] is not None and word not in UNIT_OF:
        return plain, ""
    return match["base"].strip(), UNIT_OF.get(word, "")


def found_columns(names: Iterable[str]) -> dict[str, str]:
    """{"t": the name of the column of times, ...} of those that are there, whatever their case.

    A name that is an alias as it stands comes before one that says more, as "x" before "x [px]".
    """
    names = list(names)
    exact = {name.lower(): name for name in reversed(names)}
    loose = {_base_and_unit(name)[0]: name for name in reversed(names)}
    names_of = {}
    for column, aliases in ALIASES.items():
        for alias in (*((exact, alias) for alias in aliases), *((loose, alias) for alias in aliases)):
            if alias[1] in alias[0]:
                names_of[column] = alias[0][alias[1]]
                break
    return names_of


def unit_in_name(name: str) -> str:
    """The unit of times that a column's name says, as "ns" of "timestamp_ns"; "" where it says none."""
    base, unit = _base_and_unit(name)
    return unit if base in ALIASES["t"] else ""


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


def check_order(order: str, where: str) -> None:
    """Raises BadSpec for an order of columns that does not name each of t, x, y and p once."""
    if order and sorted(order.replace("-", "")) != sorted("txyp"):
        raise BadSpec(f"order is {order!r}", where=where, allowed='t, x, y and p, as "txyp"')


def check_first(first: int, where: str) -> None:
    """Raises BadSpec for a first coordinate that is neither 0 nor 1."""
    if first not in (0, 1):
        raise BadSpec(f"first is {first!r}", where=where, allowed="0 or 1")


def check_subpixels(subpixels: int, where: str) -> None:
    """Raises BadSpec for a number of steps a pixel that is none."""
    if not 1 <= subpixels < 65536:
        raise BadSpec(f"subpixels is {subpixels!r}", where=where, allowed="1 to 65535")
