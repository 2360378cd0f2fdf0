"""Voxel grids, time surfaces and binary frames against tonic's: `python benchmarks/bench_grids.py [--rounds N]`.

Each is checked to give tonic's values before it is timed. One thread, fresh arrays unless the row says `out=`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from paired import Claim, compare, machine, summary
from recordings import random_events
from tonic.transforms import ToFrame, ToTimesurface, ToVoxelGrid

from eventbench.representations.binary import Binary
from eventbench.representations.time_surface import TimeSurface
from eventbench.representations.voxel_grid import VoxelGrid

TONIC_VOXELS = "tonic ToVoxelGrid, float64, int8 polarity"
TONIC_SURFACE = "tonic ToTimesurface, float64"
TONIC_FRAMES = "tonic ToFrame, then > 0"
DURATION_US = 5_000_000


def check(name: str, ours: np.ndarray, tonics: np.ndarray, tolerance: float) -> None:
    if ours.shape != tonics.shape or not np.abs(ours - tonics).max() <= tolerance:
        raise SystemExit(f"{name} differs from tonic's by more than {tolerance:g}")


def voxels(n: int, width: int, height: int, required: float, rounds: int, bins: int = 10) -> list[Claim]:
    """tonic gets polarities of int8, since it makes no signs of unsigned ones. Ten bins are its default."""
    events = random_events(n, width, height, duration_us=DURATION_US)
    structured = events.to_structured().astype([("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "i1")])
    to_voxels = ToVoxelGrid((width, height, 2), bins)
    single, double = (VoxelGrid(bins, "signed", "tonic", dtype) for dtype in ("float32", "float64"))
    tonics, out = to_voxels(structured), np.empty((bins, 1, height, width), np.float32)
    check("voxel grid, float64", double.apply(events)[0], tonics, 0)
    check("voxel grid, float32", single.apply(events)[0], tonics, 5e-6)
    calls: dict[str, Callable[[], Any]] = {
        "eventbench, float32": partial(single.apply, events),
        TONIC_VOXELS: lambda: to_voxels(structured),
        "eventbench, float32, polarities separate": partial(VoxelGrid(bins).apply, events),
        "eventbench, float64, tonic's bits": partial(double.apply, events),
        "eventbench, float32, out=": partial(single.apply, events, out),
    }
    what = f"voxel grid, {n:,} events, {width}x{height}, B={bins}"
    return compare(what, calls, {TONIC_VOXELS: required}, rounds=rounds, items=n)


def surfaces(n: int, width: int, height: int, slices: int, rounds: int) -> list[Claim]:
    events, dt_us = random_events(n, width, height, duration_us=DURATION_US), DURATION_US // slices
    structured = events.to_structured()
    to_surface = ToTimesurface((width, height, 2), dt_us, 50_000)
    ours = TimeSurface(tau_us=50_000, split_by="tonic_duration", bins=None, dt_us=dt_us)
    surface, _ = ours.apply(events)
    check("time surface", surface, to_surface(structured), 1e-6)
    calls: dict[str, Callable[[], Any]] = {
        "eventbench, float32": partial(ours.apply, events),
        TONIC_SURFACE: lambda: to_surface(structured),
        "eventbench, float32, out=": partial(ours.apply, events, np.empty_like(surface)),
    }
    what = f"time surface, {n:,} events, {width}x{height}, T={len(surface)}"
    return compare(what, calls, {TONIC_SURFACE: 5}, rounds=rounds, items=n)


def binary(n: int, width: int, height: int, rounds: int, bins: int = 16) -> list[Claim]:
    """Timed without a requirement, which is that of frames."""
    events = random_events(n, width, height, duration_us=DURATION_US)
    structured, to_frame = events.to_structured(), ToFrame((width, height, 2), n_time_bins=bins)
    ours = Binary(bins, "tonic_time")
    check("binary frames", ours.apply(events)[0], to_frame(structured) > 0, 0)
    calls: dict[str, Callable[[], Any]] = {
        "eventbench, uint8": partial(ours.apply, events),
        TONIC_FRAMES: lambda: to_frame(structured) > 0,
    }
    what = f"binary frames, {n:,} events, {width}x{height}, T={bins}"
    return compare(what, calls, {}, rounds=rounds, items=n)


def run(rounds: int = 9) -> list[Claim]:
    """Time every row on these representations, in ten seconds."""
    claims = voxels(100_000, 128, 128, 30, rounds) + voxels(1_000_000, 128, 128, 30, rounds)
    claims += voxels(1_000_000, 640, 480, 15, rounds)
    affordable = min(rounds, 5)  # tonic takes 20 to 50 ms a call here, ours a tenth of it
    claims += surfaces(1_000_000, 128, 128, 16, rounds) + surfaces(1_000_000, 128, 128, 100, affordable)
    return claims + binary(1_000_000, 128, 128, rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print(f"{machine('tonic')}; one thread\n")
    summary(run(options.rounds))
