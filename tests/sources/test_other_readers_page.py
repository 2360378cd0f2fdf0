"""The page on other readers, `datasets/OTHER_READERS.md`: what each block shows is what the packages named in it answer."""

from __future__ import annotations

import doctest
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from eventbench import home

PEERS = ("evutils", "eventcv", "expelliarmus", "evio", "evt3")
TEXT = (home.CHECKOUT / "datasets" / "OTHER_READERS.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def name_of(block: str) -> str:
    """The first file that a block writes."""
    return re.findall(r'"(\w+\.\w+)"', block)[0]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("block", BLOCKS, ids=name_of)
def test_what_the_page_shows_of_a_reader_is_what_it_answers(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for peer in re.findall(rf"^>>> (?:import|from) ({'|'.join(PEERS)})\b", block, re.MULTILINE):
        try:
            installed = version(peer)
        except PackageNotFoundError:
            pytest.skip(f"{peer} is not installed: `make bench` installs all but evt3")
        if f"{peer} {installed}" not in TEXT:
            pytest.skip(f"{peer} is {installed}: the page speaks of another version")
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(block, {}, name_of(block), "OTHER_READERS.md", 0)
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    runner.run(test, out=told.append)
    assert not runner.failures, "".join(told)


def test_every_row_of_the_table_leads_to_a_section_and_names_its_version() -> None:
    sections = {
        re.sub(r"[^\w ]", "", heading).replace(" ", "-") for heading in re.findall(r"^## (.+)$", TEXT, re.M)
    }
    links = re.findall(r"^\| \[[^]]+\]\(#([\w-]+)\)", TEXT, re.MULTILINE)
    assert set(links) == sections
