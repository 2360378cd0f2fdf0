"""Every benchmark, each in a process of its own, and one table at the end.

`python benchmarks/run_all.py [--only frames store] [--rounds 9]`. A process of its own, because what one benchmark leaves
behind in the allocator can cost the next one half of its speed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from paired import Claim, machine, summary

HERE = Path(__file__).resolve()


def names() -> list[str]:
    """What there is to run: bench_<name>.py, but for what needs a GPU."""
    found = sorted(path.stem.removeprefix("bench_") for path in HERE.parent.glob("bench_*.py"))
    return [name for name in found if name != "gpu"]


def one(name: str, rounds: int, claims: Path) -> None:
    """Run a benchmark here and leave its claims in a file."""
    print(f"== {name}\n", flush=True)
    claims.write_text(json.dumps(importlib.import_module(f"bench_{name}").run(rounds)))


def main() -> None:
    """Run what was asked for, each table printed as it comes, and then the summary."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=names(), default=names(), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--claims", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.claims:
        return one(given.only[0], given.rounds, given.claims)
    print(f"{machine('tonic', 'spikingjelly', 'norse', 'torch')}\n", flush=True)
    found: list[Claim] = []
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        claims = Path(folder) / "claims.json"
        for name in given.only:
            line = [
                sys.executable,
                str(HERE),
                "--only",
                name,
                "--rounds",
                str(given.rounds),
                "--claims",
                str(claims),
            ]
            if subprocess.run(line, check=False).returncode:
                failed.append(name)
            else:
                found += [Claim(*claim) for claim in json.loads(claims.read_text())]
    print("== summary: medians within one run each, ours against each\n")
    summary(found)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
