"""The page on own data, `datasets/OWN_DATA.md`: what it says is done, from a folder to a ranked board."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from eventbench import home
from tests.support.miniatures import run_cli
from tests.test_readme import blocks, check, commands

PAGE = home.CHECKOUT / "datasets" / "OWN_DATA.md"


def test_every_command_of_the_page_exists_with_its_options() -> None:
    lines = [words for block in blocks(PAGE) if block.language == "sh" for words in commands(block)]
    assert len(lines) >= 10
    for words in lines:
        check(words)


@pytest.mark.slow
def test_the_page_leads_from_a_folder_to_a_ranked_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in ("DATA", "CACHE", "BOARD"):
        monkeypatch.setenv(f"EVENTBENCH_{variable}", str(tmp_path / variable.lower()))
    monkeypatch.chdir(tmp_path)
    for block in blocks(PAGE):
        if block.language == "python":
            exec(compile(block.text, f"OWN_DATA: {block.heading}", "exec"), {})
        elif first_line := re.match(r"# (\S+\.toml)\n", block.text):
            (tmp_path / first_line[1]).write_text(block.text, encoding="utf-8")
        elif block.language == "toml":
            assert block.text in (tmp_path / "own.toml").read_text(encoding="utf-8")
        else:
            assert block.language == "sh"
            for words in commands(block):
                status, out, err = run_cli(capsys, *words[1:])
                assert status == 0, (words, out, err)
    status, out, _ = run_cli(capsys, "compare", "own-v1.toml", "--json")
    board = json.loads(out)
    assert {row["model"] for row in board["rows"]} == {"event_count", "conv_snn", "my_model.py:MyNet"}
    assert min(row["rank"] for row in board["rows"]) == 1
