"""What every layout owes the rest, run over each member of the family."""

from __future__ import annotations

import pytest

from eventbench import home, registry
from eventbench.errors import EventbenchError
from eventbench.layouts.base import Layout
from eventbench.specs import catalog
from eventbench.specs.card import Card
from eventbench.specs.sample import Extent, Sample

NAMES = registry.layouts.names()
CARDS = [card for id in catalog.files("datasets") if (card := catalog.card(id)).spec.layout]


@pytest.mark.parametrize("name", NAMES)
def test_a_layout_lists_samples_and_says_where_they_lie_and_how_they_are_split(name: str) -> None:
    member = registry.layouts.get(name)
    assert issubclass(member, Layout)
    for method in ("samples", "tree", "rule"):
        assert getattr(member, method) is not getattr(Layout, method), f"{name} has no {method}()"


@pytest.mark.parametrize("name", NAMES)
def test_a_layout_refuses_a_parameter_it_does_not_have(name: str) -> None:
    shipped = (card.spec.layout for card in CARDS if card.spec.layout["name"] == name)
    table = next(shipped, {"name": name})
    with pytest.raises(EventbenchError, match=rf"^a\.toml \[layout {name}\]: unknown key 'no_such'"):
        registry.layouts.build({**table, "no_such": 1}, where="a.toml")


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_the_documentation_of_a_card_has_paths_below_its_folder_and_a_rule(
    card: catalog.Named[Card],
) -> None:
    layout: Layout = registry.layouts.build(card.spec.layout, where=card.path.name)
    assert layout.tree()
    for path, what in layout.tree():
        assert path
        assert what
        assert not path.startswith("/")
    assert layout.rule().endswith(".")


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_a_layout_that_does_not_cut_leaves_a_recording_whole(card: catalog.Named[Card]) -> None:
    layout: Layout = registry.layouts.build(card.spec.layout, where=card.path.name)
    sample = Sample("a", "train", 0, "", "a.bin")
    assert layout.cuts or layout.cut(sample, Extent(9, 0, 99)) == [sample]


@pytest.mark.parametrize("name", NAMES)
def test_the_page_of_data_sets_lists_every_layout(name: str) -> None:
    page = (home.CHECKOUT / "datasets" / "README.md").read_text(encoding="utf-8")
    assert f"| `{name}` | {registry.layouts.summary(name)} |" in page
