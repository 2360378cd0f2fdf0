"""`doctor` and `show` of a long recording, from the command to its end: seconds, and memory beside a tenth of the length.

An EVT 3.0 file of a Gen4 camera is written, and one of a tenth of its events. Memory that grows with the length would show
in the last column; there is no peer: others read a recording whole.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from long_recordings import write_evt3
from paired import Claim, in_one_thread, machine

WORK = {
    "doctor": ["doctor"],
    "doctor --json": ["doctor", "--json"],
    "show, frames as a sheet": ["show", "--out", "frames.png"],
    "show, a cloud as a film": ["show", "--as", "cloud", "--out", "cloud.mp4"],
    "show, 10 ms as a sheet": ["show", "--from-us", "20000", "--to-us", "30000", "--out", "part.png"],
}
# Runs the command in a process of its own and says what that took.
MEASURE = (
    "import json, resource, subprocess, sys, time\n"
    "start = time.perf_counter()\n"
    "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
    "wall, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)\n"
    "print(json.dumps([wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))\n"
)


class Used(NamedTuple):
    """What a command took: seconds by the wall's clock, seconds of the processor, and MB resident at most."""

    wall: float
    cpu: float
    megabytes: float


def used_by(arguments: list[str], recording: Path, folder: Path) -> Used:
    """A verb of eventbench on a recording, in a process of its own in `folder`; without an index from before."""
    verb, *options = arguments
    with tempfile.TemporaryDirectory(dir=folder) as place:
        environment = {**os.environ, "EVENTBENCH_CACHE": place}
        command = [sys.executable, "-m", "eventbench", verb, str(recording), *options]
        run = subprocess.run(
            [sys.executable, "-c", MEASURE, *command],
            check=True,
            capture_output=True,
            cwd=place,
            env=environment,
        )
    return Used(*json.loads(run.stdout))


def run(rounds: int, events: int = 20_000_000) -> list[Claim]:
    """Print the table, of the quickest of up to three rounds; a minute for 20 M events. There is no claim: no peer does it."""
    with tempfile.TemporaryDirectory(prefix="eventbench-") as name:
        folder = Path(name)
        long, short = folder / "long.raw", folder / "short.raw"
        print(f"{write_evt3(long, events):,} events, {long.stat().st_size / 1e6:,.0f} MB, as commands")
        write_evt3(short, events // 10)
        print(f"  {'':28}{'wall s':>8}{'CPU s':>8}{'MB':>8}{'MB, a tenth as long':>22}")
        for what, arguments in WORK.items():
            runs = [used_by(arguments, long, folder) for _ in range(max(1, min(3, rounds // 3)))]
            best = min(runs, key=lambda used: used.cpu)
            tenth = used_by(arguments, short, folder).megabytes
            print(
                f"  {what:28}{best.wall:8.1f}{best.cpu:8.1f}{best.megabytes:8,.0f}{tenth:22,.0f}", flush=True
            )
        print()
    return []


if __name__ == "__main__":
    in_one_thread()
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=20_000_000)
    given = parser.parse_args()
    print(f"{machine()}\n")
    run(given.rounds, given.events)
