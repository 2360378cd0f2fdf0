"""Run every benchmark, each in a process of its own, and print one table at the end.

`python benchmarks/run_all.py [--only frames store] [--rounds 9]`. A process of its own, because the state in which a
benchmark leaves the allocator can cost the next one half of its speed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from paired import ONE_THREAD, Claim, machine, summary

HERE = Path(__file__).resolve()
SEVERAL_THREADS = ("store", "train")  # what they time may use all cores; all others are held to one thread
GROUPS = {"decoders": ("decoders", "evt", "aedat", "columns")}  # names that stand for several benchmarks
PACKAGES = ("tonic", "spikingjelly", "norse", "torch", "evutils", "eventcv", "expelliarmus", "evio", "polars")


def names() -> list[str]:
    """The names of benchmarks, bench_<name>.py, without the one that needs a GPU."""
    stems = sorted(path.stem.removeprefix("bench_") for path in HERE.parent.glob("bench_*.py"))
    return [name for name in stems if name != "gpu"]


def chosen(asked: list[str]) -> list[str]:
    """The names of benchmarks that are asked for, those of groups in the place of the groups."""
    wanted = [name for one in asked for name in GROUPS.get(one, (one,))]
    return [name for name in dict.fromkeys(wanted) if name in names()]


def run_here(name: str, rounds: int, claims: Path) -> None:
    """Run a benchmark in this process and write its claims to a file."""
    print(f"== {name}\n", flush=True)
    claims.write_text(json.dumps(importlib.import_module(f"bench_{name}").run(rounds)))


def run_apart(name: str, rounds: int, claims: Path) -> bool:
    """Run a benchmark in a process of its own; whether it ended well."""
    command = [sys.executable, str(HERE), "--only", name, "--rounds", str(rounds), "--claims", str(claims)]
    threads = {} if name in SEVERAL_THREADS else ONE_THREAD
    return subprocess.run(command, env={**os.environ, **threads}, check=False).returncode == 0


def main() -> None:
    """Run the chosen benchmarks, whose tables are printed as they come, and then print the summary."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    known = sorted({*names(), *GROUPS})
    parser.add_argument("--only", nargs="+", choices=known, default=names(), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--claims", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.claims:
        run_here(options.only[0], options.rounds, options.claims)
        return
    print(f"{machine(*PACKAGES)}\n", flush=True)
    all_claims: list[Claim] = []
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        claims = Path(folder) / "claims.json"
        for name in chosen(options.only):
            if run_apart(name, options.rounds, claims):
                all_claims += [Claim(*claim) for claim in json.loads(claims.read_text())]
            else:
                failed.append(name)
    print("== summary: medians within one run each, ours against each\n")
    summary(all_claims)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
