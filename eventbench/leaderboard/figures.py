"""How a figure is written for people: the same way in a terminal, in markdown and on the page."""

from __future__ import annotations

import unicodedata
from typing import Any

from eventbench.leaderboard.rows import Figure, Row

_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"))


def plain(text: Any) -> str:
    """One line of printable characters: a record is foreign text, and a terminal obeys control characters."""
    return "".join(
        "?" if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else letter
        for letter in str(text)
    )


def percent(value: float) -> str:
    return f"{100 * value:.2f}"


def number(value: float | None, name: str = "") -> str:
    """`97.22` for an accuracy (in %), `1.83 M` from a million up, whole numbers in full, else three digits."""
    if value is None:
        return ""
    if is_percent(name):
        return percent(value)
    scale, letter = next(((s, f" {c}") for s, c in _SCALES if abs(value) >= s), (1.0, ""))
    if not letter and (float(value).is_integer() or abs(value) >= 1000):
        return f"{value:,.0f}"
    return f"{value / scale:#.3g}".removesuffix(".") + letter


def is_percent(name: str) -> bool:
    """Accuracies are stored as fractions and shown in percent."""
    return name.split(".")[0] == "accuracy"


def with_spread(name: str, figure: Figure | None) -> str:
    """The mean, and ± the standard deviation over runs where there are several and they differ."""
    if figure is None:
        return ""
    mean = number(figure.mean, name)
    return f"{mean} ± {number(figure.std, name)}" if figure.std else mean


def interval(name: str, figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f"{number(figure.low, name)} to {number(figure.high, name)}"


def heading(name: str, unit: str = "") -> list[str]:
    """The lines above a column: `latency (ms)`; `synaptic operations`, `effective acs`, `(operations/sample)`."""
    *lines, last = (plain(part).replace("_", " ") for part in name.split("."))
    unit = "%" if is_percent(name) else plain(unit)
    if not unit:
        return [*lines, last]
    return [*lines, f"{last} ({unit})"] if len(last + unit) < 20 else [*lines, last, f"({unit})"]


def caption(name: str, unit: str = "") -> str:
    """The same on one line: `synaptic operations, effective acs (operations/sample)`."""
    return ", ".join(heading(name, unit)).replace(", (", " (")


def rank(row: Row) -> str:
    return "" if row.rank is None else str(row.rank)


def note(row: Row) -> str:
    """What the reader must know before he believes the rank."""
    if row.why_unranked:
        return row.why_unranked
    if row.rank == 1 or row.tied_with_first is None:
        return ""
    return "no clear difference from the first" if row.tied_with_first else ""


def p_value(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"
