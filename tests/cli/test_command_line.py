"""The command line as a whole: its help, its one-line refusals and its exit statuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from eventbench import __version__, cli
from eventbench.errors import BadSpec
from tests.support.miniatures import Miniature, miniature, refused, run_cli
from tests.support.stores import frame_path


@pytest.fixture
def mini(tmp_path: Path) -> Miniature:
    return miniature(tmp_path, train=6, test=4)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []], ids=str)
def test_help_names_every_verb_in_a_line_each(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    status, out, err = run_cli(capsys, *arguments)
    assert (status, err) == (0, "")
    listed = [line.split()[0] for line in out.partition("Commands:")[2].splitlines() if line.strip()]
    assert sorted(listed) == sorted(cli.VERBS)


@pytest.mark.parametrize("verb", cli.VERBS)
def test_each_verb_explains_itself(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    status, out, err = run_cli(capsys, verb, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"Usage: eventbench {verb}")


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(capsys, "--version") == (0, f"eventbench, version {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["trian"], "No such command 'trian'; did you mean 'train'?; see eventbench --help"),
        (["cache", "verfy"], "No such command 'verfy'; did you mean 'verify'?; see eventbench cache --help"),
        (["zzz"], "No such command 'zzz'; see eventbench --help"),
        (["--nope"], "No such option"),
        (["train"], "Missing argument 'MODEL'; see eventbench train --help"),
        (["train", "x", "--task"], "Option '--task' requires an argument; see eventbench"),
        (
            ["preprocess", "x", "--workers", "0"],
            "Invalid value for '--workers': 0 is not in the range x>=1; see eventbench preprocess --help",
        ),
        (["preprocess", "nmist"], "no dataset named 'nmist'; allowed: "),
        (["preprocess", "none.toml"], "none.toml: cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_understood_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert refused(capsys, *arguments).startswith(line)


def test_a_refusal_with_line_breaks_is_still_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise BadSpec("one\n  two", where="a\nb")

    monkeypatch.setattr(cli.group, "main", refuse)
    assert refused(capsys, "ls") == "a b: one two"


def test_an_error_of_the_system_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        Path("/no/such/file").read_text()

    monkeypatch.setattr(cli.group, "main", fail)
    assert refused(capsys, "ls") == "/no/such/file: No such file or directory"


def test_a_bug_of_ours_is_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(**_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(cli.group, "main", bug)
    with pytest.raises(KeyError):
        cli.main(["ls"])


def test_json_is_the_only_thing_on_stdout(capsys: pytest.CaptureFixture[str], mini: Miniature) -> None:
    status, out, err = run_cli(
        capsys, "preprocess", mini.card, "--pipeline", mini.pipeline, *mini.flags, "--json"
    )
    assert (status, err) == (0, "")
    document = json.loads(out)
    assert (document["read"], document["refused"]) == (10, {})
    assert [store["layout"] for store in document["stores"]] == ["events", "frames"]
    assert document["stores"][1]["path"] == str(frame_path(mini))
    for store in document["stores"]:
        assert store["events"] == store["kept"] + sum(store["lost"].values()) == 600


def test_json_of_a_refusal_names_the_recordings(capsys: pytest.CaptureFixture[str], mini: Miniature) -> None:
    mini.file("train", 2).write_bytes(b"abc")
    status, out, err = run_cli(capsys, "preprocess", mini.card, *mini.flags, "--json")
    assert status == 2
    assert len(err.splitlines()) == 1
    document = json.loads(out)
    assert list(document["refused"]) == ["train/00002"]
    assert "truncated" in document["refused"]["train/00002"]


def test_folders_may_come_from_the_environment(
    capsys: pytest.CaptureFixture[str], mini: Miniature, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTBENCH_DATA", str(mini.places.data))
    monkeypatch.setenv("EVENTBENCH_CACHE", str(mini.places.cache))
    monkeypatch.chdir("/")
    assert run_cli(capsys, "preprocess", mini.card, "--pipeline", mini.pipeline)[0] == 0
    assert frame_path(mini).is_file()


STUCK = """
import pathlib, sys, time
from eventbench.recordings import dataset
whole = dataset.Dataset.read_counted
def read(self, sample):
    if sample.id == "train/00020":
        pathlib.Path(sys.argv.pop()).touch()
        time.sleep(60)
    return whole(self, sample)
dataset.Dataset.read_counted = read
from eventbench.cli import main
main(sys.argv[1:-1])
"""


@pytest.mark.slow
def test_an_interrupt_is_status_130_one_line_and_nothing_is_lost(tmp_path: Path) -> None:
    mini = miniature(tmp_path, train=20, test=2)
    arguments = ["preprocess", str(mini.card), "--workers", "1", *mini.flags]
    reached = tmp_path / "reached"

    def heed_interrupts() -> None:  # a shell's background job, as a CI run may be, is born deaf to them
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    run = subprocess.Popen(
        [sys.executable, "-c", STUCK, *arguments, str(reached)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    while run.poll() is None and not reached.exists():
        time.sleep(0.01)
    time.sleep(0.1)
    os.kill(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, err
    assert (out, err.strip().splitlines()) == ("", [err.strip()])
    assert (
        err.strip()
        == "eventbench: interrupted; what was finished is kept, run the same command again to go on"
    )
    again = subprocess.run(
        [sys.executable, "-m", "eventbench", *arguments], capture_output=True, text=True, check=False
    )
    assert (again.returncode, again.stderr) == (0, "")
    assert "21 from an earlier run" in again.stdout


def test_a_reader_that_goes_away_is_no_error() -> None:
    run = subprocess.run(
        f"{sys.executable} -m eventbench ls | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
