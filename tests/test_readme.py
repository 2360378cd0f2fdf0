"""What the README and the board's own README say is what there is."""

from __future__ import annotations

import re

import pytest

from eventbench import home
from eventbench.cli import VERBS
from eventbench.leaderboard.markdown import markdown_page
from eventbench.leaderboard.view import all_boards

README = home.CHECKOUT / "README.md"


def test_the_boards_readme_is_made_from_the_records() -> None:
    board = home.CHECKOUT / "leaderboard"
    assert (board / "README.md").read_text(encoding="utf-8") == markdown_page(all_boards(board)), (
        "run `make board`"
    )


def test_every_verb_the_readme_uses_exists() -> None:
    used = set(re.findall(r"^eventbench (\w+)", README.read_text(encoding="utf-8"), re.MULTILINE))
    assert used <= set(VERBS)


@pytest.mark.parametrize(
    "kind", ["datasets", "sources", "layouts", "steps", "representations", "models", "metrics", "tasks"]
)
def test_the_file_the_readme_points_newcomers_at_exists(kind: str) -> None:
    paths = re.findall(
        rf"`((?:leaderboard/)?{kind}/[a-z0-9_-]+\.(?:py|toml))`", README.read_text(encoding="utf-8")
    )
    assert paths, f"no example for {kind}"
    for path in paths:
        assert (home.CHECKOUT / path).is_file() or (home.PACKAGE / path).is_file(), path
