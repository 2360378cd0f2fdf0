"""The house rules: who may import whom, what stays light, and how files are kept."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import eventbench
from eventbench import registry
from eventbench.cli import VERBS
from eventbench.home import PACKAGE

FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = [path.relative_to(PACKAGE).as_posix() for path in FILES]

# From the ground up: a room may look into the rooms of its own floor and of those below, never up.
FLOORS = [
    {"errors", "digest", "home", "registry", "intervals", "allocator", "__init__"},
    {"specs"},
    {"catalog"},
    {
        "event_batch",
        "event_columns",
        "events",
        "gather",
        "sources",
        "layouts",
        "steps",
        "simulate",
        "recognise",
        "dataset",
        "download",
        "vital_signs",
        "doctor",
        "pinned",
    },
    {"representations"},
    {"pictures"},
    {"store", "preprocess", "mend"},
    {"augmentations", "handbook"},
    {
        "resident",
        "resident_events",
        "streamed",
        "losses",
        "graphed",
        "layers",
        "splits",
        "torch_dataset",
        "environment",
    },
    {"models", "metrics"},
    {"recipe", "train", "submission", "convert"},
    {"harness"},
    {"workshop"},
    {"cli", "__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# `compare` and `site` are visited without torch, stores or recordings.
LEADERBOARD_SEES = {
    "errors",
    "digest",
    "home",
    "registry",
    "intervals",
    "specs",
    "catalog",
    "leaderboard",
    "__init__",
}

# Imports that look up on purpose, each inside a function: the package's front door, and the words for a wrong key.
UPWARDS = {("registry", "specs")}


def imports(path: Path) -> Iterator[str]:
    """The rooms of the package a file imports from, wherever in it, but for what only type checkers see."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            pytest.fail(f"{path}: a relative import")
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "eventbench":
                room = rest.partition(".")[0]
                yield room if (PACKAGE / room).is_dir() or (PACKAGE / f"{room}.py").is_file() else "__init__"


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_no_room_looks_up(path: Path) -> None:
    room = room_of(path)
    if room == "leaderboard":
        assert set(imports(path)) <= LEADERBOARD_SEES
        return
    assert room in FLOOR, f"{room} has no floor: give it one here"
    above = {other for other in imports(path) if other != "leaderboard" and FLOOR[other] > FLOOR[room]}
    assert {other for other in above if (room, other) not in UPWARDS} == set()
    if "leaderboard" in imports(path):
        assert room == "cli"


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_file_says_what_it_is_for_and_is_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if text.strip():
        assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 300


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_only_the_command_line_prints(path: Path) -> None:
    calls = [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    ]
    assert [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"] == []


def test_every_member_of_a_family_is_listed_and_can_be_had() -> None:
    for family in (
        registry.sources,
        registry.layouts,
        registry.steps,
        registry.representations,
        registry.augmentations,
        registry.models,
        registry.metrics,
    ):
        names = family.names()
        stems = {path.stem for path in (PACKAGE / family.folder).glob("*.py")}
        assert names == sorted(names)
        assert set(names) >= {stem for stem in stems if stem != "base" and not stem.startswith("_")}
        for name in names:
            assert family.summary(name), name
            assert isinstance(family.get(name), type)


HEAVY = ("torch", "numba", "norse", "tonic", "matplotlib", "h5py")


def loaded(code: str) -> list[str]:
    """Which of the heavy packages a fresh interpreter has loaded after `code`."""
    tail = f"\nimport sys, json; print('\\n' + json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    run = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "code",
    [
        "import eventbench",
        "from eventbench import cli\ntry: cli.main(['--help'])\nexcept SystemExit as end: assert not end.code, end.code",
        "import eventbench.leaderboard.view, eventbench.leaderboard.compare",
        "from eventbench import registry\nregistry.models.names(); registry.models.summary('conv_snn')",
    ],
)
def test_what_must_be_quick_loads_nothing_heavy(code: str) -> None:
    assert loaded(code) == []


def test_reading_a_recording_loads_no_network_library(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\1\2\3\4\5")
    assert loaded(f"import eventbench\nassert len(eventbench.read({str(tmp_path / 'a.bin')!r})) == 1") in (
        [],
        ["numba"],
    )


def test_every_verb_has_a_file_and_every_file_is_a_verb() -> None:
    stems = {path.stem for path in (PACKAGE / "cli").glob("*.py") if not path.stem.startswith("_")}
    assert stems == set(VERBS)


def test_no_public_name_of_the_package_is_also_a_module_of_it() -> None:
    # Importing eventbench.<name> anywhere would put the module in the place of the function.
    modules = {path.stem for path in PACKAGE.glob("*.py")} | {
        path.name for path in PACKAGE.iterdir() if path.is_dir()
    }
    assert modules.isdisjoint(eventbench.__all__)
