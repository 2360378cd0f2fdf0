"""Filters of events beside tonic's: the same events come out, then both are timed."""

from __future__ import annotations

import sys

import numpy as np
from paired import Claim, compare, machine, summary
from tonic import functional

from eventbench.events import Events
from eventbench.steps.base import Step
from eventbench.steps.decimate import Decimate
from eventbench.steps.denoise import Denoise
from eventbench.steps.refractory_period import RefractoryPeriod

N = 100_000


def random_events(n: int, sensor: tuple[int, int]) -> Events:
    rng = np.random.default_rng(0)
    width, height = sensor
    t = np.sort(rng.integers(0, 1_000_000, n))
    x, y = rng.integers(0, width, n), rng.integers(0, height, n)
    return Events(t=t, x=x, y=y, p=rng.integers(0, 2, n), sensor=sensor)


def check(name: str, ours: Events, tonics: np.ndarray) -> None:
    for column in "txyp":
        if not np.array_equal(getattr(ours, column), tonics[column]):
            raise SystemExit(f"{name}: column {column} is not tonic's")


def run(rounds: int) -> list[Claim]:
    """Print the tables; tonic loops in Python, so a few rounds of it take seconds."""
    events = random_events(N, (128, 128))
    kinds = [("x", "i8"), ("y", "i8"), ("t", "i8"), ("p", "i8")]
    array = events.to_structured()[["x", "y", "t", "p"]].astype(kinds)
    span = 20_000
    contenders = {
        "denoise": (
            Denoise(filter_time_us=span, tonic=True),
            lambda: functional.denoise_numpy(array, filter_time=span),
        ),
        "refractory period": (
            RefractoryPeriod(period_us=span, tonic=True),
            lambda: functional.refractory_period_numpy(array, refractory_period=span),
        ),
        "decimation": (Decimate(n=4), lambda: functional.decimate_numpy(array, 4)),
    }
    claims = []
    for name, (step, peer) in contenders.items():
        check(name, step.apply(events), peer())
        claims += compare(
            f"{name}, {N:,} events, 128x128",
            {"eventbench": _bound(step, events), "tonic": peer},
            {"tonic": 100},
            rounds=min(rounds, 5),
            items=N,
        )
    return claims


def _bound(step: Step, events: Events):  # type: ignore[no-untyped-def]
    return lambda: step.apply(events)


if __name__ == "__main__":
    print(machine("tonic"))
    summary(run(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
