"""Voxel grids, time surfaces, histograms and binary frames: `python benchmarks/bench_grids.py [--rounds N]`.

Against tonic's, and against the strongest: eventcv (Rust), evutils (Numba), evio (NumPy) and, for stacked histograms, the
formulation of RVT's authors in torch. Each is checked to give the same values before it is timed. One thread, fresh
arrays unless the row says `out=`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from evio import representations as evio
from evutils.dense import histogram, timesurface
from paired import Claim, compare, in_one_thread, machine, summary
from peers import eventcv_stream, evio_events, evutils_events
from recordings import random_events
from tonic.transforms import ToFrame, ToTimesurface, ToVoxelGrid

from eventbench.representations.binary import Binary
from eventbench.representations.frames import Frames
from eventbench.representations.stacked_histogram import StackedHistogram
from eventbench.representations.time_surface import TimeSurface
from eventbench.representations.voxel_grid import VoxelGrid

TONIC_VOXELS = "tonic ToVoxelGrid, float64, int8 polarity"
TONIC_SURFACE = "tonic ToTimesurface, float64"
TONIC_FRAMES = "tonic ToFrame, then > 0"
DURATION_US = 5_000_000


def check(name: str, ours: np.ndarray, theirs: np.ndarray, tolerance: float) -> None:
    if ours.shape != theirs.shape or not np.abs(ours.astype(float) - theirs).max() <= tolerance:
        raise SystemExit(f"{name} differs from the peer's by more than {tolerance:g}")


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
    return compare(what, calls, {TONIC_VOXELS: required}, rounds=rounds, items=n, clock="cpu")


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
    return compare(what, calls, {TONIC_SURFACE: 5}, rounds=rounds, items=n, clock="cpu")


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
    return compare(what, calls, {}, rounds=rounds, items=n, clock="cpu")


def strongest_voxels(n: int, width: int, height: int, rounds: int, bins: int = 10) -> list[Claim]:
    """Signed and shared between two planes; eventcv's window is the recording's duration."""
    events = random_events(n, width, height, duration_us=DURATION_US)
    stream, records = eventcv_stream(events), evio_events(events)
    ours = VoxelGrid(bins, "signed", "zhu2019")
    by_eventcv = partial(stream.voxel, bins=bins, window_us=events.duration_us)
    calls: dict[str, Callable[[], Any]] = {
        "eventbench, float32": partial(ours.apply, events),
        "eventcv": by_eventcv,
        "evio": lambda: evio.voxel_grid(records, bins, events.sensor),
    }
    grid = ours.apply(events)[0][:, 0]
    check("voxel grid", grid, by_eventcv().numpy(), 5e-5)
    check("voxel grid", grid, calls["evio"](), 5e-5)
    what = f"voxel grid, {n:,} events, {width}x{height}, B={bins}"
    return compare(what, calls, 1.5, rounds=rounds, items=n, clock="cpu")


def strongest_surfaces(n: int, width: int, height: int, rounds: int, tau_us: int = 50_000) -> list[Claim]:
    """One surface at the end. evutils' has one channel, in which OFF is negative and the later polarity stays."""
    events = random_events(n, width, height, duration_us=DURATION_US)
    stream, columns, records = eventcv_stream(events), evutils_events(events), evio_events(events)
    ours = TimeSurface(tau_us=tau_us, bins=1)
    calls: dict[str, Callable[[], Any]] = {
        "eventbench, float32": partial(ours.apply, events),
        "eventcv": partial(stream.tsurf, tau_us=tau_us),
        "evutils, one channel": lambda: timesurface(columns, width, height, tau_us),
        "evio": lambda: evio.time_surface(records, tau_us, events.sensor),
    }
    surface = ours.apply(events)[0][0]
    check("time surface", surface[::-1], calls["eventcv"]().numpy(), 1e-6)
    check("time surface", surface, calls["evio"](), 1e-6)
    off, on = surface
    check("time surface", np.where(on >= off, on, -off), calls["evutils, one channel"](), 1e-6)
    what = f"time surface, {n:,} events, {width}x{height}"
    return compare(what, calls, 1.5, rounds=rounds, items=n, clock="cpu")


def strongest_histogram(n: int, width: int, height: int, rounds: int) -> list[Claim]:
    """Counts of the whole recording. evutils' has three channels, ON first and the second empty; eventcv's has one."""
    events = random_events(n, width, height, duration_us=DURATION_US)
    stream, columns = eventcv_stream(events), evutils_events(events)
    ours = Frames(bins=1)
    calls: dict[str, Callable[[], Any]] = {
        "eventbench, uint8": partial(ours.apply, events),
        "eventcv, both polarities together": stream.count,
        "evutils, uint8": lambda: histogram(columns, width, height),
    }
    counts = ours.apply(events)[0][0]
    check("counts", counts.sum(0, np.uint64)[None], stream.count().numpy(), 0)
    check("counts", counts[::-1], calls["evutils, uint8"]()[:, :, [0, 2]].transpose(2, 0, 1), 0)
    what = f"histogram, {n:,} events, {width}x{height}"
    return compare(what, calls, 1.5, rounds=rounds, items=n, clock="cpu")


def by_rvt(tensors: list[torch.Tensor], sensor: tuple[int, int], bins: int, cutoff: int) -> torch.Tensor:
    """The formulation of RVT's authors, written out from its definition: one index an event, `put_`, clamp."""
    t, x, y, p = tensors
    width, height = sensor
    slot = torch.clamp((t - t[0]) * bins // max(int(t[-1] - t[0]), 1), max=bins - 1)
    index = x + width * (y + height * (slot + bins * p))
    counts = torch.zeros(2 * bins * height * width, dtype=torch.int16)
    counts.put_(index, torch.ones_like(index, dtype=torch.int16), accumulate=True)
    return torch.clamp(counts, max=cutoff).to(torch.uint8).view(1, 2 * bins, height, width)


def stacked(n: int, width: int, height: int, rounds: int, bins: int = 10, cutoff: int = 10) -> list[Claim]:
    events = random_events(n, width, height, duration_us=DURATION_US)
    tensors = [torch.from_numpy(getattr(events, name).astype(np.int64)) for name in "txyp"]
    ours = StackedHistogram(bins=bins, count_cutoff=cutoff)
    calls: dict[str, Callable[[], Any]] = {
        "eventbench, uint8": partial(ours.apply, events),
        "RVT's formulation, torch": partial(by_rvt, tensors, events.sensor, bins, cutoff),
    }
    check("stacked histogram", ours.apply(events)[0], by_rvt(tensors, events.sensor, bins, cutoff).numpy(), 0)
    what = f"stacked histogram, {n:,} events, {width}x{height}, {bins} bins"
    return compare(what, calls, 1.5, rounds=rounds, items=n, clock="cpu")


def strongest(rounds: int) -> list[Claim]:
    """The tables against the strongest peers."""
    claims = []
    for width, height in ((128, 128), (640, 480)):
        for table in (strongest_voxels, strongest_surfaces, strongest_histogram, stacked):
            claims += table(1_000_000, width, height, rounds)
    return claims


def run(rounds: int = 9) -> list[Claim]:
    """Time every row on these representations, in half a minute."""
    torch.set_num_threads(1)
    claims = voxels(100_000, 128, 128, 30, rounds) + voxels(1_000_000, 128, 128, 30, rounds)
    claims += voxels(1_000_000, 640, 480, 15, rounds)
    affordable = min(rounds, 5)  # tonic takes 20 to 50 ms a call here, ours a tenth of it
    claims += surfaces(1_000_000, 128, 128, 16, rounds) + surfaces(1_000_000, 128, 128, 100, affordable)
    return claims + binary(1_000_000, 128, 128, rounds) + strongest(rounds)


if __name__ == "__main__":
    in_one_thread()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print(f"{machine('tonic', 'eventcv', 'evutils', 'evio', 'torch')}; one thread\n")
    summary(run(options.rounds))
