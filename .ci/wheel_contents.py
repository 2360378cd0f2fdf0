"""A wheel holds the package and the three data folders, every file of them, and nothing else: `wheel_contents.py WHEEL`."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {
    "eventbench": "eventbench",
    "datasets": "eventbench/_shipped/datasets",
    "pipelines": "eventbench/_shipped/pipelines",
    "leaderboard": "eventbench/_shipped/leaderboard",
}


def expected() -> set[str]:
    """The files of the checkout, by their names in the wheel."""
    return {
        f"{into}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, into in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def main(wheel: str) -> None:
    """Compare the two lists and say each name that is in one alone."""
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}
    missing, stray = sorted(expected() - names), sorted(names - expected())
    if missing or stray:
        raise SystemExit(f"{wheel}: missing {missing}; stray {stray}")
    print(f"{wheel}: {len(names)} files, all that the checkout has of them")


if __name__ == "__main__":
    main(sys.argv[1])
