"""What the READMEs say is what there is: blocks of code run, commands exist, links lead somewhere, boards are the records'.

How each block of the README is tried is said in `TRIED` by its heading and language. A block that is not named there, or a
name without a block, fails.

run      the block runs, in order with the others that do, in a folder with small recordings
written  the block is a file, named in its first line, of that folder
checked  each line names a make target, this package, or a command with options and arguments that its verb takes: what
         it is about (a data set, many minutes) is not at hand
"""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pytest

from eventbench import cli, home
from eventbench.leaderboard.markdown import markdown_page
from eventbench.leaderboard.view import all_boards
from tests.support.miniatures import Event, atis_bytes, miniature, run_cli

README = home.CHECKOUT / "README.md"
CONTRIBUTING = home.CHECKOUT / "CONTRIBUTING.md"

TRIED = {
    ("Install", "sh"): "checked",
    ("In a few lines", "python"): "run",
    ("What you do with it", "sh"): "checked",
    ("What you do with it", "python"): "run",
    ("Your own data", "toml"): "written",
    ("Your own data", "sh"): "run",
    ("Your own model", "python"): "written",
    ("Your own model", "toml"): "written",
    ("Your own model", "sh"): "run",
}


class Block(NamedTuple):
    """A fenced block of a markdown file that has a language."""

    heading: str
    language: str
    text: str


def blocks(path: Path) -> list[Block]:
    """Every block with a language, in the file's order."""
    heading, language, inside = "", "", False
    lines: list[str] = []
    found: list[Block] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if inside and line == "```":
            inside = False
            if language:
                found.append(Block(heading, language, "".join(f"{one}\n" for one in lines)))
        elif inside:
            lines.append(line)
        elif line.startswith("```"):
            language, lines, inside = line[3:], [], True
        elif line.startswith("#"):
            heading = line.lstrip("# ")
    assert not inside, f"{path.name}: a block has no end"
    return found


def commands(block: Block) -> list[list[str]]:
    """The lines of a shell block, as words."""
    return [words for line in block.text.splitlines() if (words := shlex.split(line, comments=True))]


def check(words: list[str]) -> None:
    """A command that is not run must at least exist, with every option and argument it has here."""
    program, *arguments = words
    if program == "make":
        makefile = (home.CHECKOUT / "Makefile").read_text(encoding="utf-8")
        targets = [word for word in arguments if "=" not in word]
        assert targets, words
        for target in targets:
            assert re.search(rf"^{target}:", makefile, re.M), f"no target {target}"
    elif words[:2] == ["pip", "install"]:
        project = tomllib.loads((home.CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert words[2:] == [project["name"]]
    else:
        assert program == "eventbench", words
        command: click.Command = cli.group
        context = click.Context(command, info_name="eventbench")
        while isinstance(command, click.Group):
            name = arguments.pop(0)
            verb = command.get_command(context, name)
            assert verb is not None, f"no verb {name}"
            command = verb
            context = click.Context(command, parent=context, info_name=name)
        command.parse_args(context, arguments)


def test_every_block_of_the_readme_is_tried() -> None:
    assert {(block.heading, block.language) for block in blocks(README)} == set(TRIED)


@pytest.mark.parametrize("path", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_every_command_exists_with_its_options(path: Path) -> None:
    lines = [words for block in blocks(path) if block.language == "sh" for words in commands(block)]
    assert len(lines) >= 5
    for words in lines:
        check(words)


def test_a_command_that_does_not_exist_is_found() -> None:
    for line in ("eventbench fly", "eventbench ls --fast", "eventbench train tcja_net", "make coffee"):
        with pytest.raises((AssertionError, click.UsageError)):
            check(line.split())
    with pytest.raises(AssertionError):
        check(["pip", "install", "eventbunch"])


def moving(side: int, seed: int) -> bytes:
    """400 events of a bar that crosses one half of a 34 x 34 sensor."""
    rng = np.random.default_rng([side, seed])
    events: list[Event] = [
        (250 * k, 17 * side + k // 25, int(y), int(p))
        for k, (y, p) in enumerate(zip(rng.integers(0, 34, 400), rng.integers(0, 2, 400), strict=True))
    ]
    return atis_bytes(events)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the blocks: recordings of two classes, one by itself, and room for stores and records."""
    for first, (split, count) in enumerate((("train", 40), ("test", 20))):
        for number in range(1, count + 1):
            side = (number - 1) % 2
            recording = tmp_path / "recordings" / split / ("left", "right")[side] / f"{number:04d}.bin"
            recording.parent.mkdir(parents=True, exist_ok=True)
            recording.write_bytes(moving(side, 100 * first + number))
    (tmp_path / "recording.bin").write_bytes(moving(0, 0))
    for variable in ("DATA", "CACHE", "BOARD"):
        monkeypatch.setenv(f"EVENTBENCH_{variable}", str(tmp_path / variable.lower()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_for_your_own_data_and_model_do_what_they_say(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = []
    for block in blocks(README):
        if block.language != "python" and TRIED[block.heading, block.language] == "run":
            for words in commands(block):
                assert words[0] == "eventbench"
                status, out, err = run_cli(capsys, *words[1:])
                assert status == 0, (words, out, err)
                done.append(words[1])
        elif TRIED[block.heading, block.language] == "written":
            first_line = re.match(r"# (\S+\.(?:py|toml))\n", block.text)
            assert first_line, f"a file of {block.heading} does not say its name"
            (folder / first_line[1]).write_text(block.text, encoding="utf-8")
    assert {"doctor", "show", "preprocess", "train", "submit", "compare"} <= set(done)
    assert "MyNet" in out
    assert (folder / "left.png").is_file()
    # The submission that is written by hand is one, but for the weights that it names.
    (folder / "by-hand").mkdir()
    for name in ("submission.toml", "my_model.py"):
        (folder / name).rename(folder / "by-hand" / name)
    weights = (folder / "my-net" / "seed0.safetensors").read_bytes()
    for seed in range(3):
        (folder / "by-hand" / f"seed{seed}.safetensors").write_bytes(weights)
    arguments = ("by-hand", "--task", "my_task-v1.toml", "--data-dir", "recordings", "--check")
    status, out, err = run_cli(capsys, "submit", *arguments)
    assert (status, err) == (0, "")
    assert "3 runs hold to the contract" in out


def test_the_python_of_the_readme_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mini = miniature(folder / "mini")
    run_cli(capsys, "preprocess", mini.card, "--pipeline", mini.pipeline, *mini.flags)
    (events,) = mini.places.cache.rglob("events-*.h5")
    (frames,) = mini.places.cache.rglob("mini_frames-v1-*.h5")
    ran = 0
    for block in blocks(README):
        if block.language == "python" and TRIED[block.heading, block.language] == "run":
            names: dict[str, object] = {"store": frames, "store_of_events": events}
            exec(compile(block.text, f"README: {block.heading}", "exec"), names)
            assert getattr(names["frames"], "shape", ())[:2] == (16, 2)
            ran += 1
    assert ran == 2


def test_every_link_of_the_readmes_leads_to_a_file() -> None:
    for page in (README, CONTRIBUTING, home.CHECKOUT / "benchmarks" / "README.md"):
        links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
        assert links, page
        for link in links:
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_boards_readme_is_made_from_the_records() -> None:
    board = home.CHECKOUT / "leaderboard"
    assert (board / "README.md").read_text(encoding="utf-8") == markdown_page(all_boards(board)), (
        "run `make board`"
    )


@pytest.mark.parametrize(
    "kind",
    [
        "datasets",
        "pipelines",
        "sources",
        "writers",
        "layouts",
        "steps",
        "augmentations",
        "representations",
        "models",
        "metrics",
        "task_kinds",
        "leaderboard/tasks",
        "benchmarks",
    ],
)
def test_the_file_the_guide_points_newcomers_at_exists(kind: str) -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8")
    paths = re.findall(rf"\]\(((?:eventbench/)?{kind}/[a-z0-9_-]+\.(?:py|toml))\)", text)
    assert paths, f"no example of {kind}"
    for path in paths:
        assert (home.CHECKOUT / path).is_file(), path
