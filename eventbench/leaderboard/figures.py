"""Figures as text for people: numbers, intervals, headings; the same in a terminal, in markdown and on the page."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eventbench.leaderboard.rows import Row, RunFigure
from eventbench.statistics.procedures import LEAST_RUNS
from eventbench.task_kinds.base import TaskKind

SIGNIFICANCE = 0.05
MARKS = {
    "*": "not told from the first, neither these checkpoints nor this training",
    "~": "these checkpoints are told from the first, this training is not",
    "?": f"these checkpoints are not told from the first; this training needs {LEAST_RUNS} seeds, in both, to be tested",
    "†": f"these checkpoints are told from the first; this training needs {LEAST_RUNS} seeds, in both, to be tested",
}
"""What is said of rows below the first. `tests_of` says how it was tested."""
NOT_COUNTED = "not counted"
OF_A_DEVICE, ELSEWHERE = ("latency", "peak_memory"), "‡"
_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"))


def plain(text: Any) -> str:
    """`text` on one line, with `?` for control characters: a record may come from anyone, and a terminal obeys them."""
    return "".join(
        "?" if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else letter
        for letter in str(text)
    )


def percent(value: float) -> str:
    """A share in percent with two decimals, without the percent sign."""
    return f"{100 * value:.2f}"


@dataclass(frozen=True)
class Writer:
    """Writes the figures of one kind of task; the kind knows which are shares."""

    kind: TaskKind
    device: str = ""

    def elsewhere(self, name: str, row: Row) -> bool:
        """Whether a figure is of a device, and the row's is another than `device`, that of most rows."""
        return name.partition(".")[0] in OF_A_DEVICE and bool(self.device) and row.device != self.device

    def number(self, value: float | None, name: str = "") -> str:
        """`97.22` for a share (in %), `1.83 M` from a million up, whole numbers in full, else three digits."""
        if value is None:
            return ""
        if self.kind.is_share(name):
            return percent(value)
        scale, letter = next(((s, f" {c}") for s, c in _SCALES if abs(value) >= s), (1.0, ""))
        if not letter and (float(value).is_integer() or abs(value) >= 1000):
            return f"{value:,.0f}"
        return f"{value / scale:#.3g}".removesuffix(".") + letter

    def with_unit(self, value: float, name: str) -> str:
        """`number`, with a percent sign where it is a share."""
        return f"{self.number(value, name)} %" if self.kind.is_share(name) else self.number(value, name)

    def with_spread(self, name: str, figure: RunFigure | None) -> str:
        """The mean, and ± the standard deviation over runs where there are several and they differ."""
        if figure is None:
            return ""
        mean = self.number(figure.mean, name)
        return f"{mean} ± {self.number(figure.std, name)}" if figure.std else mean

    def cell(self, name: str, row: Row, *, spread: bool = True) -> str:
        """A figure of a row: its mean, with its spread if asked for; NOT_COUNTED where it cannot be computed for the model."""
        figure = row.metrics.get(name)
        if figure is None:
            return NOT_COUNTED if name.partition(".")[0] in row.not_counted else ""
        text = self.with_spread(name, figure) if spread else self.number(figure.mean, name)
        return f"{text}{ELSEWHERE}" if self.elsewhere(name, row) else text

    def interval(self, name: str, figure: RunFigure) -> str:
        """`96.16 to 99.33`; empty where there is none."""
        if figure.low is None or figure.high is None:
            return ""
        return f"{self.number(figure.low, name)} to {self.number(figure.high, name)}"

    def interval_heading(self, name: str) -> str:
        """What `interval` shows: the kind's 95 % interval, or the lowest and the highest run."""
        return "95 % interval" if self.kind.has_interval(name) else "lowest to highest"

    def heading(self, name: str, unit: str = "") -> list[str]:
        """The lines above a column: `latency (ms)`; `synaptic operations`, `effective acs`, `(operations/sample)`."""
        *lines, last = (plain(part).replace("_", " ") for part in name.split("."))
        unit = "%" if self.kind.is_share(name) else plain(unit)
        if not unit:
            return [*lines, last]
        return [*lines, f"{last} ({unit})"] if len(last + unit) < 20 else [*lines, last, f"({unit})"]

    def caption(self, name: str, unit: str = "") -> str:
        """The heading on one line: `synaptic operations, effective acs (operations/sample)`."""
        return ", ".join(self.heading(name, unit)).replace(", (", " (")


def rank(row: Row) -> str:
    """The row's rank; empty where it is shown but not ranked."""
    return "" if row.rank is None else str(row.rank)


def rank_mark(row: Row) -> str:
    """What stands behind the rank of a row below the first: a key of MARKS, or "" where it is told from the first."""
    if row.rank in (None, 1) or row.checkpoints.tied is None:
        return ""
    if row.procedure.why_not:
        return "?" if row.checkpoints.tied else "†"
    if not row.procedure.tied:
        return ""
    return "*" if row.checkpoints.tied else "~"


def tests_of(kind: TaskKind) -> str:
    """What the marks rest on, in a sentence without its full stop."""
    return (
        f"Tested against the first: these checkpoints on other samples ({kind.paired_test}); this training, with other "
        f"seeds and samples (t test of crossed random effects); told apart where p <= {SIGNIFICANCE} after Holm"
    )


def elsewhere_notes(rows: Sequence[Row], device: str) -> list[str]:
    """Where figures were measured that are marked as of another device, a sentence each without its full stop."""
    others = [
        row
        for row in rows
        if row.device != device and any(name.partition(".")[0] in OF_A_DEVICE for name in row.metrics)
    ]
    return [
        f"{ELSEWHERE} {plain(row.label)}: measured on {plain(row.device)}, most rows on {plain(device)}"
        for row in others
    ]


def p_value(p: float) -> str:
    """p with four decimals, or `< 0.0001`."""
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"
