"""Paired timing: contenders take turns (A B C A B C ...), so that a busy machine disturbs all of them alike.

Two clocks run: the wall's, and the processor time of this process and of those it has waited for, which a busy machine
disturbs less. Ratios are of medians within one run; the ratio of minima and the ratio that is required stand beside them.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, NamedTuple

Clock = Literal["wall", "cpu"]
# What holds NumPy's, Numba's, Rust's and the other libraries to one thread; they look at it when they are loaded.
ONE_THREAD = {
    f"{library}_THREADS": "1"
    for library in ("NUMBA_NUM", "OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "RAYON_NUM", "POLARS_MAX")
}


class Claim(NamedTuple):
    """One line of the summary: how many times faster than a peer ours must be, and was in this run."""

    what: str
    against: str
    required: float
    measured: float


class Times(NamedTuple):
    """Milliseconds of every round of one contender, by either clock."""

    wall: list[float]
    cpu: list[float]


def in_one_thread() -> None:
    """Start this program anew where it may use several threads, so that the libraries it loads are held to one."""
    if any(name not in os.environ for name in ONE_THREAD):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})


def times_of(calls: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, Times]:
    """The times of every call in every round, after one call each to warm up."""
    for call in calls.values():
        call()
    times = {name: Times([], []) for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start, cpu_start = time.perf_counter(), _cpu_seconds()
            call()
            wall, cpu = time.perf_counter() - start, _cpu_seconds() - cpu_start
            times[name].wall.append(1000 * wall)
            times[name].cpu.append(1000 * cpu)
    return times


def times_ms(calls: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every call in every round by the wall's clock."""
    return {name: times.wall for name, times in times_of(calls, rounds).items()}


def _cpu_seconds() -> float:
    waited_for = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + waited_for.ru_utime + waited_for.ru_stime


def compare(
    what: str,
    calls: Mapping[str, Callable[[], Any]],
    required: Mapping[str, float] | float,
    *,
    rounds: int = 15,
    items: int = 0,
    unit: str = "Mev/s",
    clock: Clock = "wall",
) -> list[Claim]:
    """Time `calls` in turns and print a row for each. The first is ours, and so is each whose name begins as its does.

    required: how many times faster ours must be than the best of the peers, in one claim; or by peer, a claim for each.
    items: how many events (or samples) one call processes, for the rate in millions (or, with a `unit` that does not begin
    with M, in ones) a second. clock: what ratios are of. "cpu" is for contenders that work in this process, in one thread;
    a process that lives on and works for one of them would not be counted.

    Contenders must have been checked to give equal results before.
    """
    ours = next(iter(calls))
    peers = [name for name in calls if name.split(",")[0] != ours.split(",")[0]]
    times = times_of(calls, rounds)
    counted = {name: getattr(of_one, clock) for name, of_one in times.items()}
    medians = {name: statistics.median(durations) for name, durations in counted.items()}
    if not isinstance(required, Mapping):
        required = {min(peers, key=medians.__getitem__): required}
    print(f"{what}: medians of {rounds} rounds, ratios of {'processor' if clock == 'cpu' else 'wall'} time")
    heads = (f"{'ms':>10}", f"{'cpu ms':>10}", f"{unit if items else '':>12}", f"{'ours is':>10}")
    print(f"  {'':38}{''.join(heads)}{'of minima':>11}{'required':>10}")
    for name, ms in medians.items():
        rate = items / ms * (1e-3 if unit.startswith("M") else 1e3) if items else 0
        ratio, of_minima = ms / medians[ours], min(counted[name]) / min(counted[ours])
        required_ratio = f"{required[name]:g}x" if name in required else ""
        ratios = f"{ratio:9.2f}x{of_minima:10.2f}x" if name != ours else " " * 21
        wall, cpu = (statistics.median(durations) for durations in times[name])
        print(
            f"  {name:38}{wall:10.3f}{cpu:10.3f}{f'{rate:,.0f}' if items else '':>12}{ratios}{required_ratio:>10}",
            flush=True,
        )
    print()
    return [Claim(what, name, ratio, medians[name] / medians[ours]) for name, ratio in required.items()]


def summary(claims: list[Claim]) -> None:
    """Print every claim in one table of Markdown: what, against whom, the ratio that was measured and the one to reach."""
    rows = [("what", "against", "ours is", "to reach", ""), ("---", "---", "---:", "---:", "---")]
    rows += [
        (
            claim.what,
            claim.against,
            f"{claim.measured:.2f} x" if claim.measured < 10 else f"{claim.measured:,.0f} x",
            f"{claim.required:g} x" if claim.required else "",
            "" if claim.measured >= claim.required else "short",
        )
        for claim in claims
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = (
            cell.rjust(w) if 2 <= k <= 3 else cell.ljust(w)
            for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        print(f"| {' | '.join(cells)} |")


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
