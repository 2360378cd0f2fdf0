"""Frames against tonic, SpikingJelly, evutils and two uses of NumPy's bincount: `python benchmarks/bench_frames.py [--full]`.

Every contender is checked to give tonic's frames before it is timed. One thread, fresh arrays unless the row says `out=`.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from evutils.dense import histogram
from paired import Claim, compare, in_one_thread, machine, summary, times_of
from peers import evutils_events, spikingjelly_datasets
from recordings import random_events
from tonic.transforms import ToFrame

import eventbench as eb

TONIC, BINCOUNT, JELLY = "tonic ToFrame, int16", "np.bincount, int64", "SpikingJelly by time, float64"
CAREFUL, EVUTILS = "np.bincount a slice, int32", "evutils histogram a slice, uint8"
REQUIRED = {TONIC: 90, BINCOUNT: 7, CAREFUL: 2.5, EVUTILS: 1.5, JELLY: 20}


def by_bincount(events: eb.Events, bins: int) -> np.ndarray:
    """The obvious use of NumPy: a frame number and an address per event, tonic's tail dropped."""
    width, height = events.sensor
    frame = (events.t - events.t[0]) // ((events.t[-1] - events.t[0]) // bins)
    address = ((frame * 2 + events.p) * height + events.y) * width + events.x
    cells = bins * 2 * height * width
    return np.bincount(address[frame < bins], minlength=cells).reshape(bins, 2, height, width)


def cuts_of(events: eb.Events, bins: int) -> np.ndarray:
    """int64 (bins + 1,): the numbers of the events at which tonic's slices begin and end."""
    window = (events.t[-1] - events.t[0]) // bins
    return np.searchsorted(events.t, events.t[0] + window * np.arange(bins + 1))


def by_careful_bincount(events: eb.Events, bins: int) -> np.ndarray:
    """What a careful user writes with NumPy alone: times are sorted, so slices are; int32 addresses of one frame."""
    width, height = events.sensor
    cells, cuts = 2 * height * width, cuts_of(events, bins)
    frames = np.empty((bins, 2, height, width), np.uint16)
    address = events.p * np.int32(height * width)
    address += events.y * np.int32(width)
    address += events.x
    for k, frame in enumerate(frames):
        frame[:] = np.bincount(address[cuts[k] : cuts[k + 1]], minlength=cells).reshape(frame.shape)
    return frames


def by_evutils(columns: Any, cuts: np.ndarray, sensor: tuple[int, int]) -> list[np.ndarray]:
    """A histogram (H, W, 3) for each slice, ON in its first channel, OFF in its last."""
    return [histogram(columns[start:stop], *sensor) for start, stop in itertools.pairwise(cuts)]


def contenders(events: eb.Events, bins: int) -> dict[str, Callable[[], Any]]:
    """The calls to time, ours first, checked to give equal frames.

    SpikingJelly puts the tail into the last frame, so it is compared with our frames of that rule.
    """
    structured, to_frame = events.to_structured(), ToFrame((*events.sensor, 2), n_time_bins=bins)
    width, height = events.sensor
    ours = partial(eb.frames, events, bins, "tonic_time")
    by_spikingjelly = spikingjelly_datasets().utils.integrate_events_by_fixed_frames_number
    columns_of_evutils = evutils_events(events)
    columns = {name: getattr(events, name).astype(np.int64) for name in "txyp"}
    calls: dict[str, Callable[[], Any]] = {
        "eventbench, uint8": partial(ours, "uint8"),
        "eventbench, uint8, out=": partial(ours, out=np.empty((bins, 2, height, width), np.uint8)),
        "eventbench, int16": partial(ours, "int16"),
        "eventbench, float32": partial(ours, "float32"),
        TONIC: lambda: to_frame(structured),
        BINCOUNT: lambda: by_bincount(events, bins),
        CAREFUL: lambda: by_careful_bincount(events, bins),
        EVUTILS: lambda: by_evutils(columns_of_evutils, cuts_of(events, bins), events.sensor),
        JELLY: lambda: by_spikingjelly(columns, "time", bins, height, width),
    }
    expected = calls[TONIC]()
    for name, call in calls.items():
        frames = call()
        if name == JELLY:
            assert np.array_equal(frames, eb.frames(events, bins, "spikingjelly_time", "float32")), name
            continue
        if name == EVUTILS:
            frames = np.stack(frames)[..., [2, 0]].transpose(0, 3, 1, 2)
        largest = 255 if frames.dtype == np.uint8 else 32767
        assert np.array_equal(frames, np.minimum(expected, largest)), f"{name} differs from tonic"
    return calls


def streaming(n: int, width: int, height: int, bins: int, rounds: int) -> Claim:
    """Our time against that of reading x, y and p (5 bytes an event) once and writing the output once."""
    events = random_events(n, width, height)
    out = np.empty((bins, 2, height, width), np.uint8)
    large_array = np.ones(2**25, np.uint64)
    calls: dict[str, Callable[[], Any]] = {
        "ours": partial(eb.frames, events, bins, out=out),
        "read": lambda: large_array.sum(),
        "write": lambda: out.fill(0),
    }
    ms = {name: statistics.median(times.cpu) for name, times in times_of(calls, rounds).items()}
    read_speed = large_array.nbytes / ms["read"] / 1e6
    limit_ms = 5 * n / read_speed / 1e6 + ms["write"]
    print(
        f"streaming limit, {n:,} events: {read_speed:.1f} GB/s read, {limit_ms:.3f} ms; ours {ms['ours']:.3f} ms\n"
    )
    return Claim(
        f"frames, {n:,} events, {width}x{height}",
        "the streaming limit, as a share",
        0.4,
        limit_ms / ms["ours"],
    )


def small_samples(rounds: int) -> list[Claim]:
    """2,000 short recordings into one batch."""
    recordings = [random_events(4_000, 34, 34) for _ in range(2_000)]
    structured, batch = [events.to_structured() for events in recordings], eb.EventBatch.of(recordings)
    to_frame = ToFrame((34, 34, 2), n_time_bins=16)
    tonic = "tonic per sample, stacked"
    calls: dict[str, Callable[[], Any]] = {
        "eventbench, one batch, uint8": partial(eb.frames, batch, 16, "tonic_time"),
        "eventbench, one call a sample": lambda: [
            eb.frames(events, 16, "tonic_time") for events in recordings
        ],
        tonic: lambda: np.stack([to_frame(array) for array in structured]),
    }
    assert np.array_equal(calls[tonic](), calls["eventbench, one batch, uint8"]())
    what = "2,000 samples of 4,000 events, 34x34, one batch"
    return compare(what, calls, {tonic: 30}, rounds=rounds, items=2_000, unit="samples/s", clock="cpu")


def from_structured(rounds: int) -> list[Claim]:
    """Frames of a structured array, as tonic takes it, conversion included."""
    events = random_events(1_000_000, 128, 128)
    structured, to_frame = events.to_structured(), ToFrame((128, 128, 2), n_time_bins=16)
    calls: dict[str, Callable[[], Any]] = {
        "eventbench, uint8": lambda: eb.frames(structured, 16, "tonic_time", sensor=(128, 128)),
        TONIC: lambda: to_frame(structured),
    }
    assert np.array_equal(calls["eventbench, uint8"](), calls[TONIC]())
    what = "frames from a structured array, 1 M events, 128x128"
    return compare(what, calls, {TONIC: 30}, rounds=rounds, items=1_000_000, clock="cpu")


def run(rounds: int = 9, full: bool = True) -> list[Claim]:
    """Time every row on frames; without `full`, those with 10 million events are left out."""
    claims = []
    for n in (1_000_000, 10_000_000) if full else (1_000_000,):
        for width, height, bins in ((128, 128, 16), (640, 480, 20)):
            calls = contenders(random_events(n, width, height), bins)
            what = f"frames, {n:,} events, {width}x{height}, T={bins}"
            affordable = rounds if n < 10**7 else max(3, rounds // 3)
            claims += compare(what, calls, REQUIRED, rounds=affordable, items=n, clock="cpu")
            if width == 128:
                claims.append(streaming(n, width, height, bins, rounds))
    hot = contenders(random_events(1_000_000, 128, 128, hot=0.9), 16)
    claims += compare(
        "frames, 1 M events, 90 % at one pixel", hot, {TONIC: 40}, rounds=rounds, items=1_000_000, clock="cpu"
    )
    return claims + from_structured(rounds) + small_samples(max(3, rounds // 3))


if __name__ == "__main__":
    in_one_thread()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="also 10 million events")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print(f"{machine('tonic', 'spikingjelly', 'evutils')}; one thread\n")
    summary(run(options.rounds, options.full))
