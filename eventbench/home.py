"""Paths of the data files shipped with eventbench and of the user's folders, independent of the working directory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent


def in_checkout() -> bool:
    """Whether the package runs from its repository and not from an installed wheel."""
    return (CHECKOUT / "pyproject.toml").is_file() and (CHECKOUT / "datasets").is_dir()


def shipped(folder: str) -> Path:
    """The path of a shipped folder of data files: at the top of a checkout, inside the package in a wheel."""
    return (CHECKOUT if in_checkout() else PACKAGE / "_shipped") / folder


@dataclass(frozen=True)
class Places:
    """The user's folders: `data` (raw recordings), `cache` (stores), `board` (tasks and records)."""

    data: Path
    cache: Path
    board: Path


def places(
    data: str | Path | None = None, cache: str | Path | None = None, board: str | Path | None = None
) -> Places:
    """Each folder from its argument, else its environment variable, else the platform's convention.

    In a checkout the board is the checkout's own `leaderboard/`; nothing is written to site-packages.
    """
    from platformdirs import user_cache_path, user_data_path

    def choose(argument: str | Path | None, variable: str, default: Path) -> Path:
        return Path(argument or os.environ.get(variable) or default).expanduser().absolute()

    user_data = user_data_path("eventbench", appauthor=False)
    return Places(
        data=choose(data, "EVENTBENCH_DATA", user_data / "raw"),
        cache=choose(cache, "EVENTBENCH_CACHE", user_cache_path("eventbench", appauthor=False) / "stores"),
        board=choose(
            board,
            "EVENTBENCH_BOARD",
            CHECKOUT / "leaderboard" if in_checkout() else user_data / "leaderboard",
        ),
    )
