"""Averaged time surfaces (HATS) against tonic's: checked to be the same surfaces, then timed."""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from paired import Claim, compare, machine, summary
from recordings import random_events, structured_int64
from tonic.transforms import ToAveragedTimesurface

from eventbench.representations.averaged_time_surface import AveragedTimeSurface


def check(ours: np.ndarray, tonics: np.ndarray) -> None:
    side = tonics.shape[-1]
    _, polarities, height, width = ours.shape
    by_cell = ours.reshape(polarities, height // side, side, width // side, side).transpose(1, 3, 0, 2, 4)
    if not np.allclose(by_cell.reshape(tonics.shape), tonics, rtol=1e-5, atol=1e-6):
        raise SystemExit("the surfaces are not tonic's")


def run(rounds: int) -> list[Claim]:
    """Print the tables; tonic takes tens of microseconds an event in Python, so a few rounds of it take seconds.

    The second case has 100 ms of history in one window: the densest cells tonic can be given in seconds.
    """
    claims = []
    for what, n, sensor, duration_us, window, tau, required in (
        ("defaults of tonic, 1 s", 20_000, (128, 128), 1_000_000, 1000, 100.0, 1000),
        ("parameters of the paper, 0.3 s", 6000, (120, 100), 300_000, 100_000, 1e9, 0),
    ):
        events = random_events(n, *sensor, duration_us=duration_us)
        array = structured_int64(events)
        radius = 2 if required else 3
        representation = AveragedTimeSurface(radius=radius, time_window_us=window, tau_us=tau, tonic=True)
        peer = ToAveragedTimesurface((*sensor, 2), 2 * radius + 1, representation.cell_size, window, tau)
        out = representation.apply(events)[0]
        check(out, peer(array))
        claims += compare(
            f"HATS, {what}, {n:,} events, {sensor[0]}x{sensor[1]}",
            {"eventbench": partial(representation.apply, events, out), "tonic": partial(peer, array)},
            {"tonic": required} if required else {},
            rounds=min(rounds, 5),
            items=n,
            clock="cpu",
        )
    return claims


if __name__ == "__main__":
    print(machine("tonic"))
    summary(run(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
