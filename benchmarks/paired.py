"""Paired timing: contenders take turns (A B C A B C ...), so that a busy machine disturbs all of them alike.

Ratios are of medians within one run; the ratio of minima and the ratio that is required are printed beside them.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple


class Claim(NamedTuple):
    """One line of the summary: how many times faster than a peer ours must be, and was in this run."""

    what: str
    against: str
    required: float
    measured: float


def times_ms(calls: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every call in every round, after one call each to warm up."""
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(1000 * (time.perf_counter() - start))
    return times


def compare(
    what: str,
    calls: Mapping[str, Callable[[], Any]],
    required: Mapping[str, float],
    *,
    rounds: int = 15,
    items: int = 0,
    unit: str = "Mev/s",
) -> list[Claim]:
    """Time `calls` in turns and print a row for each. The first is ours.

    required: by peer, how many times faster ours must be; a claim is returned for each.
    items: how many events (or samples) one call processes, for the rate in millions (or, with a `unit` that does not begin
    with M, in ones) a second. Contenders must have been checked to give equal results before.
    """
    times = times_ms(calls, rounds)
    medians = {name: statistics.median(durations) for name, durations in times.items()}
    ours = next(iter(calls))
    print(f"{what}: medians of {rounds} rounds")
    print(f"  {'':38}{'ms':>10}{unit if items else '':>12}{'ours is':>10}{'of minima':>11}{'required':>10}")
    for name, ms in medians.items():
        rate = items / ms * (1e-3 if unit.startswith("M") else 1e3) if items else 0
        ratio, of_minima = ms / medians[ours], min(times[name]) / min(times[ours])
        required_ratio = f"{required[name]:g}x" if name in required else ""
        ratios = f"{ratio:9.1f}x{of_minima:10.1f}x" if name != ours else " " * 21
        print(
            f"  {name:38}{ms:10.3f}{f'{rate:,.0f}' if items else '':>12}{ratios}{required_ratio:>10}",
            flush=True,
        )
    print()
    return [Claim(what, name, ratio, medians[name] / medians[ours]) for name, ratio in required.items()]


def summary(claims: list[Claim]) -> None:
    """Print every claim in one table, with the ratio that is required and the one measured."""
    print(f"{'what':58}{'against':40}{'required':>9}{'measured':>9}")
    for claim in claims:
        short = "" if claim.measured >= claim.required else "  short"
        print(f"{claim.what:58}{claim.against:40}{claim.required:8g}x{claim.measured:8.1f}x{short}")


def machine(*packages: str) -> str:
    """The processor, system, Python and package versions of a run, in one line."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    values = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    cpu = values.get("model name", platform.processor() or platform.machine())
    family = f" (family {values['cpu family']})" if "cpu family" in values else ""
    versions = ", ".join(f"{name} {_version(name)}" for name in ("numpy", "numba", *packages))
    return f"{cpu}{family}, {platform.system()}, Python {platform.python_version()}, {versions}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
