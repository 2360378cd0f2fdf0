"""Steps that drop events: against tonic's, and against eventcv (Rust), evutils (Numba) and evio (NumPy) on larger recordings.

Every contender is checked to give the same events before it is timed. A period of ours is "more than", one of eventcv "at
least": it gets a microsecond more or less.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from evio import filters
from evutils.transforms import functional as evutils
from paired import Claim, compare, in_one_thread, machine, summary
from peers import check_same_events, eventcv_stream, evio_events, evutils_events
from recordings import random_events, structured_int64, with_hot_pixels
from tonic import functional

from eventbench.events import Events
from eventbench.steps.base import Step
from eventbench.steps.crop import Crop
from eventbench.steps.decimate import Decimate
from eventbench.steps.denoise import Denoise
from eventbench.steps.drop_hot_pixels import DropHotPixels
from eventbench.steps.refractory_period import RefractoryPeriod

N = 1_000_000
PERIOD_US, NOISE_US = 20_000, 2_000


class Row(NamedTuple):
    """A step of ours, the events for it, the calls of peers, and how many times the best of them it must be."""

    step: Step
    events: Events
    peers: dict[str, Callable[[], Any]]
    required: float = 1.5


def rows(width: int, height: int) -> dict[str, Row]:
    """What the table of a sensor has."""
    events = random_events(N, width, height, duration_us=1_000_000)
    stream, columns, records = eventcv_stream(events), evutils_events(events), evio_events(events)
    hot = with_hot_pixels(events)
    hot_stream, hot_records = eventcv_stream(hot), evio_events(hot)
    box = (width // 4, height // 4, width // 2, height // 2)
    end = (box[0] + box[2], box[1] + box[3])
    noise = partial(stream.background_activity_filter, NOISE_US - 1)
    return {
        "refractory period since the last kept": Row(
            RefractoryPeriod(period_us=PERIOD_US),
            events,
            {
                "eventcv": lambda: stream.refractory_filter(PERIOD_US + 1),
                "evio": lambda: filters.refractory(records, PERIOD_US + 1, events.sensor),
            },
        ),
        "refractory period since any": Row(
            RefractoryPeriod(period_us=PERIOD_US, since_any=True),
            events,
            {
                "eventcv": lambda: stream.refractory_filter(PERIOD_US + 1, refresh="all"),
                "evutils": lambda: evutils.refractory_period(columns, PERIOD_US),
            },
        ),
        "hot pixels": Row(
            DropHotPixels(),
            hot,
            {
                "eventcv": lambda: hot_stream.hot_pixel_filter(20.0),
                "evio": lambda: filters.hot_pixels(hot_records, 20.0, events.sensor),
            },
        ),
        "crop to a quarter": Row(
            Crop(x=box[0], y=box[1], width=box[2], height=box[3]),
            events,
            {"eventcv": lambda: stream.crop(*box), "evio": lambda: filters.crop(records, *box[:2], *end)},
        ),
        "denoise, 8 neighbours": Row(Denoise(filter_time_us=NOISE_US), events, {"eventcv": noise}),
        "denoise, 4 neighbours": Row(
            Denoise(filter_time_us=NOISE_US, neighbours=4),
            events,
            {"eventcv": partial(noise, neighbourhood="cross")},
        ),
    }


def against_the_strongest(width: int, height: int, rounds: int) -> list[Claim]:
    claims = []
    for name, row in rows(width, height).items():
        ours = row.step.apply(row.events)
        for peer, call in row.peers.items():
            check_same_events(f"{name}: {peer}", ours, call())
        calls = {"eventbench": partial(row.step.apply, row.events), **row.peers}
        what = f"{name}, {N:,} events, {width}x{height}"
        claims += compare(what, calls, row.required, rounds=rounds, items=N, clock="cpu")
    return claims


def against_tonic(rounds: int, n: int = 100_000) -> list[Claim]:
    """tonic loops in Python, so a few rounds of it take seconds."""
    events = random_events(n, 128, 128, duration_us=1_000_000)
    array = structured_int64(events)
    contenders = {
        "denoise": (
            Denoise(filter_time_us=PERIOD_US, tonic=True),
            lambda: functional.denoise_numpy(array, filter_time=PERIOD_US),
        ),
        "refractory period": (
            RefractoryPeriod(period_us=PERIOD_US, tonic=True),
            lambda: functional.refractory_period_numpy(array, refractory_period=PERIOD_US),
        ),
        "decimation": (Decimate(n=4), lambda: functional.decimate_numpy(array, 4)),
    }
    claims = []
    for name, (step, peer) in contenders.items():
        check_same_events(f"{name}: tonic", step.apply(events), peer())
        calls: dict[str, Callable[[], Any]] = {"eventbench": partial(step.apply, events), "tonic": peer}
        what = f"{name}, {n:,} events, 128x128"
        claims += compare(what, calls, {"tonic": 100}, rounds=min(rounds, 5), items=n, clock="cpu")
    return claims


def run(rounds: int) -> list[Claim]:
    """Print the tables."""
    claims = against_the_strongest(640, 480, rounds) + against_the_strongest(128, 128, rounds)
    return claims + against_tonic(rounds)


if __name__ == "__main__":
    in_one_thread()
    print(machine("tonic", "eventcv", "evutils", "evio"))
    summary(run(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
