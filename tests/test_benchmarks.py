"""What `make bench` stands on: the best peer is named, groups are known, peers are pinned and stay out of the package."""

from __future__ import annotations

import ast
import re
import sys
import tomllib

import pytest

from eventbench import home
from eventbench.home import PACKAGE

BENCHMARKS = home.CHECKOUT / "benchmarks"
PEERS = ("evutils", "eventcv", "expelliarmus", "evio", "polars", "spikingjelly")


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for name in ("paired", "run_all"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_one_figure_to_reach_is_of_the_best_peer_and_our_own_variants_are_none(on_path, capsys) -> None:
    import paired

    calls = {
        "eventbench": lambda: sum(range(20_000)),
        "eventbench, out=": lambda: None,
        "slow": lambda: sum(range(400_000)),
        "fast": lambda: sum(range(80_000)),
    }
    for clock in ("cpu", "wall"):
        (claim,) = paired.compare("sums", calls, 2, rounds=5, items=1000, clock=clock)
        assert claim.against == "fast" and claim.required == 2 and 1.5 < claim.measured < 12
    paired.summary([claim, paired.Claim("sums of others", "nobody", 99, 1.5)])
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert re.sub(" +", " ", table[-1]) == "| sums of others | nobody | 1.50 x | 99 x | short |"
    assert len({len(line) for line in table}) == 1


def test_the_benchmarks_of_files_are_chosen_together_and_each_once(on_path) -> None:
    import run_all

    assert run_all.chosen(["decoders", "frames", "decoders"])[-1] == "frames"
    assert set(run_all.chosen(["decoders"])) == set(run_all.GROUPS["decoders"]) & set(run_all.names())
    assert run_all.chosen(run_all.names()) == run_all.names()


def test_peers_are_pinned_and_asked_for_by_nobody_but_the_benchmarks() -> None:
    project = tomllib.loads((home.CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = (home.CHECKOUT / "constraints.txt").read_text(encoding="utf-8").lower()
    tested = project["optional-dependencies"]["test"]
    for peer in PEERS:
        assert any(line.startswith(peer) for line in project["optional-dependencies"]["bench"]), peer
        assert not any(line.startswith(peer) for line in project["dependencies"]), peer
        # Of SpikingJelly the tests need neurons: networks of it are scored.
        assert peer == "spikingjelly" or not any(line.startswith(peer) for line in tested), peer
        assert re.search(rf"^{peer}==", pins, re.MULTILINE), peer


def test_the_package_imports_no_other_reader() -> None:
    readers = {*PEERS} - {"spikingjelly"}  # whose layers a metric may meet in a model of a user
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & readers, path
