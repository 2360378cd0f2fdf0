"""The house rules: who may import whom, what stays light, and how files are kept."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import eventbench
from eventbench import registry
from eventbench.cli import VERBS, cache
from eventbench.home import PACKAGE

FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = [path.relative_to(PACKAGE).as_posix() for path in FILES]

# The only modules outside the rooms.
LOOSE = {"__init__", "__main__", "errors", "home", "digest", "registry"}

# From the ground up: a room may import rooms of its own floor and of the floors below, never of those above, and in no circle.
FLOORS = [
    {"errors", "digest", "home", "registry", "__init__"},
    {"specs", "statistics", "files"},
    {"events", "task_kinds"},
    {"sources", "writers", "layouts", "steps", "simulate", "augmentations"},
    {"representations", "recordings", "pictures"},
    {"store", "doctor"},
    {"preprocess"},
    {"loading", "layers"},
    {"models", "metrics"},
    {"submission"},
    {"training"},
    {"scoring", "authoring"},
    {"cli", "__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# `compare` and `site` work without torch, stores and recordings; only the command line imports the leaderboard.
LEADERBOARD_SEES = {
    "errors",
    "digest",
    "home",
    "registry",
    "specs",
    "statistics",
    "leaderboard",
    "task_kinds",
    "__init__",
}

# An import from a lower floor of a higher one, inside a function: how the registry explains a wrong key.
UPWARDS = {("registry", "specs")}

LONGEST_FILE, LONGEST_FUNCTION = 300, 60


def module_of(path: Path) -> str:
    """`layers._lif.fused` of a file; a room's `__init__` is the room, the package's own "__init__"."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module_of(path): path for path in FILES}


def imports(path: Path) -> Iterator[str]:
    """The modules of the package a file imports, wherever in it, but for what only type checkers see."""
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
                # `from eventbench.room.module import thing` names a thing of a module, or a module of a room.
                while rest and rest not in MODULES:
                    rest = rest.rpartition(".")[0]
                yield rest or "__init__"


IMPORTS = {module: set(imports(path)) - {module} for module, path in MODULES.items()}


def room(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("module", MODULES)
def test_no_room_looks_up(module: str) -> None:
    here, seen = room(module), {room(other) for other in IMPORTS[module]}
    if here == "leaderboard":
        assert seen <= LEADERBOARD_SEES
        return
    assert here in FLOOR, f"{here} has no floor: give it one here"
    if "leaderboard" in seen:
        assert here == "cli"
    assert {
        other
        for other in seen - {"leaderboard"}
        if FLOOR[other] > FLOOR[here] and (here, other) not in UPWARDS
    } == set()


@pytest.mark.parametrize("of_rooms", [True, False], ids=["rooms", "modules"])
def test_no_imports_go_in_a_circle(of_rooms: bool) -> None:
    graph: dict[str, set[str]] = {}
    for module, others in IMPORTS.items():
        # A room's own __init__ only says again what its modules offer.
        if of_rooms:
            seen = {room(other) for other in others if (room(module), room(other)) not in UPWARDS}
            graph.setdefault(room(module), set()).update(seen - {room(module)})
        else:
            graph[module] = {other for other in others if (room(module), room(other)) not in UPWARDS}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_module_imports_a_private_module_of_another_room(module: str) -> None:
    assert [
        other
        for other in IMPORTS[module]
        if room(other) != room(module) and any(part.startswith("_") for part in other.split(".")[1:])
    ] == []


def test_every_module_lies_in_a_room() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == LOOSE


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_file_says_what_it_is_for_and_is_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_function_is_short(path: Path) -> None:
    found = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lines = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in found}
    assert {name: length for name, length in lines.items() if length > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_only_the_command_line_prints_or_shows_progress(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    called = {
        node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert "print" not in called
    if path.relative_to(PACKAGE).parts[0] != "cli":
        assert {name.partition(".")[0] for name in imported}.isdisjoint({"tqdm", "click"})


ROOMS = sorted((set(FLOOR) | {"leaderboard"}) - LOOSE)


def test_the_rooms_are_the_folders() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(ROOMS)


@pytest.mark.parametrize("folder", ROOMS)
def test_every_room_says_what_is_in_it(folder: str) -> None:
    text = (PACKAGE / folder / "__init__.py").read_text(encoding="utf-8")
    assert len(ast.get_docstring(ast.parse(text)) or "") > 20


def test_the_public_names_are_those_that_can_be_had() -> None:
    assert sorted(eventbench.__all__) == eventbench.__all__
    for name in eventbench.__all__:
        assert getattr(eventbench, name) is not None
        assert name in dir(eventbench)
    assert set(eventbench._LAZY) <= set(eventbench.__all__)
    with pytest.raises(AttributeError, match="no attribute 'fames'"):
        eventbench.fames  # noqa: B018


def test_every_member_of_a_family_is_listed_and_can_be_had() -> None:
    for family in (
        registry.sources,
        registry.writers,
        registry.layouts,
        registry.steps,
        registry.representations,
        registry.augmentations,
        registry.models,
        registry.metrics,
        registry.task_kinds,
    ):
        names = family.names()
        stems = {path.stem for path in (PACKAGE / family.folder).glob("*.py")}
        assert names == sorted(names)
        assert set(names) >= {
            stem for stem in stems if stem not in registry.NOT_MEMBERS and not stem.startswith("_")
        }
        for name in names:
            assert family.summary(name), name
            assert isinstance(family.get(name), type)


HEAVY = ("torch", "numba", "norse", "tonic", "matplotlib", "h5py")


def loaded(code: str) -> list[str]:
    """Which of the heavy packages a fresh interpreter has loaded after `code`."""
    tail = f"\nimport sys, json; print('\\n' + json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    run = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True)
    names: list[str] = json.loads(run.stdout.splitlines()[-1])
    return names


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


@pytest.mark.parametrize(("folder", "verbs"), [("cli", VERBS), ("cli/cache", cache.VERBS)])
def test_every_verb_is_a_file_or_a_folder_and_the_other_way_round(
    folder: str, verbs: tuple[str, ...]
) -> None:
    stems = {path.stem for path in (PACKAGE / folder).iterdir() if not path.stem.startswith("_")}
    assert stems == {verb.replace("-", "_") for verb in verbs}


def test_no_public_name_of_the_package_is_also_a_module_of_it() -> None:
    # Importing eventbench.<name> anywhere would put the module in the place of the function.
    modules = {path.stem for path in PACKAGE.glob("*.py")} | {
        path.name for path in PACKAGE.iterdir() if path.is_dir()
    }
    assert modules.isdisjoint(eventbench.__all__)
