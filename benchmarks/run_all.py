"""Every benchmark in one run, and one table at the end: `python benchmarks/run_all.py [--only frames store] [--rounds 9]`."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from paired import Claim, machine, summary

# Training benchmarks come last: they set the allocator of the process.
LAST = ("attention", "lif", "train")


def names() -> list[str]:
    """What there is to run: bench_<name>.py, but for what needs a GPU."""
    found = [path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py")]
    return sorted((name for name in found if name != "gpu"), key=lambda name: (name in LAST, name))


def main() -> None:
    """Run what was asked for, print each table as it comes and the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=names(), default=names(), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    print(f"{machine('tonic', 'spikingjelly', 'norse', 'torch')}\n")
    claims: list[Claim] = []
    for name in given.only:
        print(f"== {name}\n", flush=True)
        claims += importlib.import_module(f"bench_{name}").run(given.rounds)
    print("== summary: medians within this run, ours against each\n")
    summary(claims)


if __name__ == "__main__":
    main()
