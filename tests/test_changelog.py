"""What the changelog says of the version under way."""

from __future__ import annotations

import importlib
import re

from eventbench import __version__, home

TEXT = (home.CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_version_under_way_has_a_section() -> None:
    assert re.search(rf"^## {re.escape(__version__.partition('.dev')[0])}\b", TEXT, re.M)


def test_every_new_place_of_a_moved_name_exists() -> None:
    moved = re.findall(r"^\| `(eventbench\.[\w.]+)` \| `(eventbench\.[\w.]+)` \|$", TEXT, re.M)
    assert len(moved) > 10
    for _, new in moved:
        module, _, name = new.rpartition(".")
        try:
            importlib.import_module(new)
        except ModuleNotFoundError:
            assert hasattr(importlib.import_module(module), name), new
