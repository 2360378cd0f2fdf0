"""Steps that filter events against tonic's: checked to give the same events, then timed."""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from paired import Claim, compare, machine, summary
from recordings import random_events, structured_int64
from tonic import functional

from eventbench.events import Events
from eventbench.steps.decimate import Decimate
from eventbench.steps.denoise import Denoise
from eventbench.steps.refractory_period import RefractoryPeriod

N = 100_000


def check(name: str, ours: Events, tonics: np.ndarray) -> None:
    for column in "txyp":
        if not np.array_equal(getattr(ours, column), tonics[column]):
            raise SystemExit(f"{name}: column {column} is not tonic's")


def run(rounds: int) -> list[Claim]:
    """Print the tables; tonic loops in Python, so a few rounds of it take seconds."""
    events = random_events(N, 128, 128, duration_us=1_000_000)
    array = structured_int64(events)
    time_us = 20_000
    contenders = {
        "denoise": (
            Denoise(filter_time_us=time_us, tonic=True),
            lambda: functional.denoise_numpy(array, filter_time=time_us),
        ),
        "refractory period": (
            RefractoryPeriod(period_us=time_us, tonic=True),
            lambda: functional.refractory_period_numpy(array, refractory_period=time_us),
        ),
        "decimation": (Decimate(n=4), lambda: functional.decimate_numpy(array, 4)),
    }
    claims = []
    for name, (step, peer) in contenders.items():
        check(name, step.apply(events), peer())
        claims += compare(
            f"{name}, {N:,} events, 128x128",
            {"eventbench": partial(step.apply, events), "tonic": peer},
            {"tonic": 100},
            rounds=min(rounds, 5),
            items=N,
        )
    return claims


if __name__ == "__main__":
    print(machine("tonic"))
    summary(run(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
