"""The guides of CONTRIBUTING.md, followed: each file they write is written into a copy of this checkout and tried there."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from eventbench import home
from tests.test_readme import CONTRIBUTING, blocks

COPIED = ("eventbench", "datasets", "pipelines", "leaderboard", "benchmarks", "tests", "pyproject.toml")

# The line a guide says to add to a list of parameters with which tests try every member.
LISTED = {
    "tests/conformance/test_models.py": (
        "SMALL: dict[str, dict[str, Any]] = {",
        '"dense_snn": {"hidden": 4},',
    ),
    "tests/steps/test_steps.py": ("BUILT: dict[str, dict[str, Any]] = {", '"transpose": {},'),
}


def guides() -> dict[str, str]:
    """What the guides write: the path in the checkout, as the first line of a block names it, and the text."""
    found = {}
    for block in blocks(CONTRIBUTING):
        if block.language in ("python", "toml"):
            path = re.match(r"# (\w+/\S+\.(?:py|toml))\n", block.text)
            assert path, f"a file of {block.heading!r} does not say its path"
            found[path[1]] = block.text
    return found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout in which every guide was followed."""
    copy = tmp_path_factory.mktemp("house")
    for name in COPIED:
        source = home.CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "records"))
        else:
            shutil.copy(source, copy / name)
    for name, text in guides().items():
        assert not (copy / name).exists(), f"{name} is there already"
        (copy / name).write_text(text, encoding="utf-8")
    for name, (after, line) in LISTED.items():
        text = (copy / name).read_text(encoding="utf-8")
        assert after in text, f"{name} has no {after}"
        (copy / name).write_text(text.replace(after, f"{after}\n    {line}"), encoding="utf-8")
    return copy


def run(
    house: Path, *arguments: str, cwd: Path | None = None, environment: dict[str, str] | None = None
) -> str:
    """The output of Python in the copy, which must succeed."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    process = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd or house,
        env=inherited | {"PYTHONPATH": str(house)} | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def test_there_is_a_guide_for_each_thing_one_can_add() -> None:
    folders = {name.rpartition("/")[0] for name in guides()}
    families = (
        "sources",
        "writers",
        "layouts",
        "steps",
        "augmentations",
        "representations",
        "models",
        "metrics",
        "task_kinds",
    )
    assert folders >= {f"eventbench/{family}" for family in families}
    assert folders >= {"datasets", "pipelines", "leaderboard/tasks", "benchmarks"}


@pytest.mark.slow
def test_ls_and_show_see_what_the_guides_add(house: Path) -> None:
    listed = json.loads(run(house, "-m", "eventbench", "ls", "--json"))
    for name in guides():
        folder, stem = Path(name).parent.name, Path(name).stem
        if folder != "benchmarks":
            assert stem in [thing["name"] for thing in listed[folder]], name
    program = (
        "import sys\n"
        "from eventbench.cli import group\n"
        "for name in sys.argv[1:]:\n"
        "    group.main(['show', name], standalone_mode=False)\n"
    )
    stems = [Path(name).stem for name in guides() if not name.startswith("benchmarks/")]
    shown = run(house, "-c", program, *stems)
    for stem in stems:
        assert stem in shown


@pytest.mark.slow
def test_what_the_guides_add_passes_the_tests_of_its_family(house: Path) -> None:
    stems = [Path(name).stem for name in guides() if name.startswith("eventbench/")]
    tests = [f"tests/{name}" for name in ("conformance", "steps", "augmentations")]
    # The digest of a new representation is what the test that misses it tells; `make docs`, which comes last, makes the pages.
    chosen = f"({' or '.join(stems)}) and not output_does_not_change and not page_of_data_sets"
    out = run(house, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "-k", chosen, *tests)
    for stem in stems:
        if (house / "eventbench" / "task_kinds" / f"{stem}.py").exists():
            continue  # tried from answer to board below
        assert re.search(rf"^PASSED .*\[.*{stem}", out, re.M), f"no test tried {stem}"


@pytest.mark.slow
def test_a_model_is_trained_scored_and_ranked_on_nothing_but_what_the_guides_add(
    house: Path, tmp_path: Path
) -> None:
    for label, name in enumerate(("no", "yes")):
        (tmp_path / "two_words" / name).mkdir(parents=True)
        for number in range(4):
            words = [(100 * k, k % 17 + 17 * label, (k + number) % 34, k % 2) for k in range(200)]
            data = b"W64\n" + b"".join(struct.pack("<IBBBB", *word, 0) for word in words)
            (tmp_path / "two_words" / name / f"{number}.w64").write_bytes(data)
    program = (
        "import sys\n"
        "from eventbench.cli import group\n"
        "task = ['--task', 'two_words-v1', '--data-dir', sys.argv[1], '--board', sys.argv[1]]\n"
        "folder = sys.argv[1] + '/net'\n"
        "group.main(['train', 'dense_snn', '--epochs', '2', '--out', folder, *task], standalone_mode=False)\n"
        "group.main(['submit', folder, *task], standalone_mode=False)\n"
        "group.main(['verify', 'records', '--board', sys.argv[1]], standalone_mode=False)\n"
    )
    environment = {"EVENTBENCH_CACHE": str(tmp_path / "stores")}
    out = run(house, "-c", program, str(tmp_path), environment=environment)
    assert "ranked by worst_class_accuracy" in out
    assert re.search(r"^ 1 +dense_snn", out, re.M), out


@pytest.mark.slow
def test_the_benchmark_of_the_guide_runs(house: Path) -> None:
    out = run(house, "-c", "import bench_duration; bench_duration.run(3)", cwd=house / "benchmarks")
    assert "duration, 100,000 events" in out


@pytest.mark.slow
def test_what_the_guides_add_keeps_the_style_of_the_house(house: Path) -> None:
    run(house, "-m", "ruff", "check", *guides())
    run(house, "-m", "ruff", "format", "--check", *guides())
