"""Voxel grids, time surfaces and binary frames beside tonic's: `python benchmarks/bench_grids.py [--rounds N]`.

Each is checked to give tonic's values before it is timed. One thread, fresh arrays unless the row says `out=`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from paired import Claim, compare, machine, summary
from tonic.transforms import ToFrame, ToTimesurface, ToVoxelGrid

import eventbench as eb
from eventbench.representations.binary import Binary
from eventbench.representations.time_surface import TimeSurface
from eventbench.representations.voxel_grid import VoxelGrid

TONIC_VOXELS = "tonic ToVoxelGrid, float64, int8 polarity"
TONIC_SURFACE = "tonic ToTimesurface, float64"
TONIC_FRAMES = "tonic ToFrame, then > 0"
DURATION_US = 5_000_000


def recording(n: int, width: int, height: int) -> eb.Events:
    """n events, even in time and place."""
    rng = np.random.default_rng(7)
    x, y = rng.integers(0, width, n, np.uint16), rng.integers(0, height, n, np.uint16)
    t = np.sort(rng.integers(0, DURATION_US, n))
    return eb.Events(t=t, x=x, y=y, p=rng.integers(0, 2, n, np.uint8), sensor=(width, height))


def check(name: str, got: np.ndarray, wanted: np.ndarray, within: float) -> None:
    if got.shape != wanted.shape or not np.abs(got - wanted).max() <= within:
        raise SystemExit(f"{name} is not tonic's to within {within:g}")


def voxels(n: int, width: int, height: int, asked: float, rounds: int, bins: int = 10) -> list[Claim]:
    """tonic is given polarities of int8: of unsigned ones it makes no signs. Ten bins are its default."""
    events = recording(n, width, height)
    structured = events.to_structured().astype([("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "i1")])
    to_voxels = ToVoxelGrid((width, height, 2), bins)
    single, double = (VoxelGrid(bins, "signed", "tonic", dtype) for dtype in ("float32", "float64"))
    wanted, out = to_voxels(structured), np.empty((bins, 1, height, width), np.float32)
    check("voxel grid, float64", double.apply(events)[0], wanted, 0)
    check("voxel grid, float32", single.apply(events)[0], wanted, 5e-6)
    calls: dict[str, Callable[[], Any]] = {
        "eventbench, float32": partial(single.apply, events),
        TONIC_VOXELS: lambda: to_voxels(structured),
        "eventbench, float32, polarities separate": partial(VoxelGrid(bins).apply, events),
        "eventbench, float64, tonic's bits": partial(double.apply, events),
        "eventbench, float32, out=": partial(single.apply, events, out),
    }
    what = f"voxel grid, {n:,} events, {width}x{height}, B={bins}"
    return compare(what, calls, {TONIC_VOXELS: asked}, rounds=rounds, items=n)


def surfaces(n: int, width: int, height: int, slices: int, rounds: int) -> list[Claim]:
    events, dt_us = recording(n, width, height), DURATION_US // slices
    structured = events.to_structured()
    to_surface = ToTimesurface((width, height, 2), dt_us, 50_000)
    ours = TimeSurface(tau_us=50_000, split_by="tonic_duration", bins=None, dt_us=dt_us)
    wanted = to_surface(structured)
    got, _ = ours.apply(events)
    check("time surface", got, wanted, 1e-6)
    calls: dict[str, Callable[[], Any]] = {
        "eventbench, float32": partial(ours.apply, events),
        TONIC_SURFACE: lambda: to_surface(structured),
        "eventbench, float32, out=": partial(ours.apply, events, np.empty_like(got)),
    }
    what = f"time surface, {n:,} events, {width}x{height}, T={len(got)}"
    return compare(what, calls, {TONIC_SURFACE: 5}, rounds=rounds, items=n)


def binary(n: int, width: int, height: int, rounds: int, bins: int = 16) -> list[Claim]:
    """Timed, but nothing is asked of it: the claim is that of frames."""
    events = recording(n, width, height)
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
    """Every row asked of these representations, in ten seconds."""
    claims = voxels(100_000, 128, 128, 30, rounds) + voxels(1_000_000, 128, 128, 30, rounds)
    claims += voxels(1_000_000, 640, 480, 15, rounds)
    few = min(rounds, 5)  # tonic takes 20 to 50 ms a call here, ours a tenth of it
    claims += surfaces(1_000_000, 128, 128, 16, rounds) + surfaces(1_000_000, 128, 128, 100, few)
    return claims + binary(1_000_000, 128, 128, rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print(f"{machine('tonic')}; one thread\n")
    summary(run(options.rounds))
