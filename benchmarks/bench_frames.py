"""Frames against tonic's ToFrame and np.bincount: `python benchmarks/bench_frames.py [--full] [--threads N]`.

Every contender is checked to give tonic's frames before it is timed; then all take turns (A B C A B C ...), so
that a busy machine disturbs them alike, and medians are compared within one run.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from tonic.transforms import ToFrame

import eventbench as eb

CASES = [(4_000, 34, 34, 16), (100_000, 128, 128, 16), (1_000_000, 128, 128, 16), (1_000_000, 640, 480, 20)]
FULL = [(10_000_000, 128, 128, 16), (10_000_000, 640, 480, 20)]


def recording(n: int, width: int, height: int, hot: float = 0.0) -> eb.Events:
    """n events, even in time and place; a share `hot` of them at one pixel."""
    rng = np.random.default_rng(7)
    x, y = rng.integers(0, width, n, np.uint16), rng.integers(0, height, n, np.uint16)
    pinned = rng.random(n) < hot
    x[pinned], y[pinned] = width // 2, height // 2
    t = np.sort(rng.integers(0, 5_000_000, n))
    return eb.Events(t=t, x=x, y=y, p=rng.integers(0, 2, n, np.uint8), sensor=(width, height))


def by_bincount(events: eb.Events, bins: int) -> np.ndarray:
    """What a careful user writes with NumPy alone: one address per event, tonic's tail dropped."""
    width, height = events.sensor
    frame = (events.t - events.t[0]) // ((events.t[-1] - events.t[0]) // bins)
    address = ((frame * 2 + events.p) * height + events.y) * width + events.x
    cells = bins * 2 * height * width
    return np.bincount(address[frame < bins], minlength=cells).reshape(bins, 2, height, width)


def contenders(events: eb.Events, bins: int, threads: int) -> dict[str, Callable[[], np.ndarray]]:
    structured, to_frame = events.to_structured(), ToFrame((*events.sensor, 2), n_time_bins=bins)
    calls: dict[str, Callable[[], np.ndarray]] = {
        "tonic ToFrame int16": lambda: to_frame(structured),
        "np.bincount int64": lambda: by_bincount(events, bins),
    }
    width, height = events.sensor
    ours = partial(eb.frames, events, bins, "tonic_time")
    for dtype in ("uint8", "int16", "float32"):
        calls[f"eventbench {dtype}"] = partial(ours, dtype)
    calls["eventbench uint8, out="] = partial(ours, out=np.empty((bins, 2, height, width), np.uint8))
    if threads > 1:
        calls[f"eventbench uint8, {threads} threads"] = partial(ours, threads=threads)
    return calls


def check(calls: dict[str, Callable[[], np.ndarray]]) -> None:
    """Equal to tonic, cell by cell; where a uint8 is full, tonic's count must be at least 255."""
    wanted = calls["tonic ToFrame int16"]()
    for name, call in calls.items():
        got = call()
        top = 255 if got.dtype == np.uint8 else 32767
        assert np.array_equal(got, np.minimum(wanted, top)), f"{name} differs from tonic"


def times_ms(calls: dict[str, Callable[[], np.ndarray]], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(1000 * (time.perf_counter() - start))
    return times


def machine() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    values = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    cpu = values.get("model name", platform.processor() or platform.machine())
    family = f" (family {values['cpu family']})" if "cpu family" in values else ""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "tonic"))
    return f"{cpu}{family}, {platform.system()}, Python {platform.python_version()}, {packages}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="also 10 million events")
    parser.add_argument("--threads", type=int, default=1, help="also time this many threads")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    print(f"{machine()}; one thread unless said otherwise, medians of {given.rounds} interleaved rounds\n")
    print(f"{'':28}{'ms':>10}{'Mev/s':>9}{'x tonic':>9}{'x tonic, of minima':>21}")
    cases = [(*case, 0.0) for case in CASES + FULL * given.full] + [(1_000_000, 128, 128, 16, 0.9)]
    for n, width, height, bins, hot in cases:
        calls = contenders(recording(n, width, height, hot), bins, given.threads)
        check(calls)
        times = times_ms(calls, given.rounds)
        tonic = times["tonic ToFrame int16"]
        print(f"{n:,} events, {width}x{height}, T={bins}" + (f", {hot:.0%} at one pixel" if hot else ""))
        for name, taken in times.items():
            ms = statistics.median(taken)
            ratio, of_minima = statistics.median(tonic) / ms, min(tonic) / min(taken)
            print(f"  {name:26}{ms:10.3f}{n / ms / 1000:9.0f}{ratio:9.1f}{of_minima:21.1f}", flush=True)
        print()


if __name__ == "__main__":
    main()
