"""The page "A recording's way through the code" leads through the code as it is."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from eventbench.home import PACKAGE

PAGE = PACKAGE / "WALK.md"

# Rooms no recording goes through on its way to a board: they look at one, make one up, or call the others.
BESIDE = {"authoring", "cli", "doctor", "pictures", "simulate", "writers"}

# The walk of README.md, in its order.
WALK = ["sources", "events", "store", "representations", "loading", "models", "metrics", "leaderboard"]


class Stop(NamedTuple):
    """A numbered line of the page: a function, as `name` or `Class.name`, and the file it is in."""

    number: int
    function: str
    path: str

    @property
    def room(self) -> str:
        return self.path.partition("/")[0]


def stops() -> list[Stop]:
    text = PAGE.read_text(encoding="utf-8")
    return [
        Stop(int(number), function, path)
        for number, function, path in re.findall(r"^(\d+)\. \[`([\w.]+)`\]\(([\w/]+\.py)\):", text, re.M)
    ]


def test_stops_are_numbered_through_and_no_link_is_anything_else() -> None:
    assert [stop.number for stop in stops()] == list(range(1, len(stops()) + 1))
    assert len(re.findall(r"\]\(", PAGE.read_text(encoding="utf-8"))) == len(stops()) > 10


def test_every_stop_is_a_function_in_that_file() -> None:
    for stop in stops():
        body: list[ast.stmt] = ast.parse((PACKAGE / stop.path).read_text(encoding="utf-8")).body
        for name in stop.function.split("."):
            named = [
                node
                for node in body
                if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name
            ]
            assert named, f"{stop.number}: {stop.path} has no {stop.function}"
            body = named[-1].body


def test_no_room_is_named_twice_and_none_on_the_way_is_left_out() -> None:
    rooms = [stop.room for stop in stops()]
    assert len(set(rooms)) == len(rooms)
    assert {*rooms} | BESIDE == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert BESIDE.isdisjoint(rooms)


def test_the_order_is_that_of_the_walk() -> None:
    assert [stop.room for stop in stops() if stop.room in WALK] == WALK
