"""`python -m tools.calibration`: how often the tests of a board alarm where there is nothing to find, by simulation.

Two training procedures of one quality are run with several seeds each and scored on one set of samples. Run i of a
procedure answers sample s rightly with probability logistic(m_s + q_s + b_i): m_s, how easy the sample is, is shared; q_s is
what the procedure is better or worse at; b_i is what the seed does. All are normal, in logits. An alarm is p <= 0.05; a test
that holds its level alarms in 5 % of cases. The table is a part of `leaderboard/STATISTICS.md`.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from eventbench.home import CHECKOUT
from eventbench.statistics.paired import difference_in_units, sign_flip
from eventbench.statistics.procedures import procedure_difference

PAGE = CHECKOUT / "leaderboard" / "STATISTICS.md"
BEGIN, END = "<!-- calibration: made by `python -m tools.calibration` -->", "<!-- end of calibration -->"
LEVEL = 0.05
SPREADS = (0.0, 0.1, 0.2, 0.3, 0.5)


class Setting(NamedTuple):
    """What is simulated; spreads are standard deviations in logits."""

    runs: int
    samples: int
    own_samples: float
    seed_spread: float
    easiness: float = 2.5
    sample_spread: float = 2.0


def alarms(setting: Setting, draws: int, seed: int) -> tuple[float, float]:
    """The share of draws in which the test of checkpoints, and that of training procedures, alarm."""
    rng = np.random.default_rng(seed)
    of_checkpoints = of_procedures = 0
    for _ in range(draws):
        shared = rng.normal(setting.easiness, setting.sample_spread, (1, 1, setting.samples))
        own = rng.normal(0, setting.own_samples, (2, 1, setting.samples))
        seeds = rng.normal(0, setting.seed_spread, (2, setting.runs, 1))
        logits = shared + own + seeds
        a, b = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
        of_checkpoints += sign_flip(difference_in_units(a, b)[0]) <= LEVEL
        of_procedures += procedure_difference(a, b).p <= LEVEL
    return of_checkpoints / draws, of_procedures / draws


def table(draws: int) -> Iterator[str]:
    """The lines of the table in markdown."""
    yield (
        "| seeds | test samples | good at other samples | test | "
        + " | ".join(f"seed spread {spread:g}" for spread in SPREADS)
        + " |"
    )
    yield "| ---: | ---: | ---: | --- |" + " ---: |" * len(SPREADS)
    for runs, samples, own in itertools.product((3, 5), (100, 1000), (0.0, 1.0)):
        shares = [
            alarms(Setting(runs, samples, own, spread), draws, seed=number)
            for number, spread in enumerate(SPREADS)
        ]
        for name, kind in (("these checkpoints", 0), ("this training", 1)):
            cells = " | ".join(f"{100 * share[kind]:.1f} %" for share in shares)
            yield f"| {runs} | {samples:,} | {own:g} | {name} | {cells} |"


def write(draws: int, page: Path = PAGE) -> None:
    """Replace the table in the page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    said = f"{draws:,} draws a cell: the standard error of 5 % is {100 * (LEVEL * (1 - LEVEL) / draws) ** 0.5:.1f} %."
    lines = [BEGIN, "", *table(draws), "", said, "", END]
    page.write_text(before + "\n".join(lines) + after, encoding="utf-8")


if __name__ == "__main__":
    write(int(sys.argv[1]) if len(sys.argv) > 1 else 4_000)
