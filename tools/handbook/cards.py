"""What tables say about a card: counts, pins, the short form of a paper."""

from __future__ import annotations

import re
from typing import NamedTuple

from eventbench.specs import catalog
from eventbench.specs.card import Card, Split
from eventbench.specs.catalog import Named
from tools.handbook.tables import card_families


class Page(NamedTuple):
    """A page on some cards: its file's stem, its title, what is said beside the cards."""

    stem: str
    title: str
    cards: list[Named[Card]]
    text: str
    traps: list[str]


def pages() -> list[Page]:
    """Every page, by title: the families, and one for each card that is in none."""
    families = card_families()
    by_family = [
        Page(stem, family.title, [catalog.card(id) for id in family.cards], family.text, family.traps)
        for stem, family in families.items()
    ]
    in_families = {id for family in families.values() for id in family.cards}
    alone = [catalog.card(id) for id in catalog.files("datasets") if id not in in_families]
    others = [
        Page(card.id, card.spec.about.title.partition(" as ")[0] or card.id, [card], "", []) for card in alone
    ]
    return sorted(by_family + others, key=lambda page: page.title.lower())


def short_paper(paper: str) -> str:
    """ "Li et al. 2017" of a card's full reference; "" of none."""
    if not paper:
        return ""
    names = [re.sub(r"^(?:\w\.[ -]?)+", "", name.strip()) for name in paper.partition(":")[0].split(",")]
    year = re.findall(r"\b(?:19|20)\d\d\b", paper)[-1]
    authors = (
        names[0] if len(names) == 1 else " and ".join(names) if len(names) == 2 else f"{names[0]} et al."
    )
    return f"{authors} {year}"


def samples(card: Card) -> str:
    """ "7,000 train, 2,000 test"."""
    return ", ".join(f"{split.count} {name}" for name, split in card.splits.items())


def sensor(card: Card) -> str:
    """ "128x128"."""
    return f"{card.sensor[0]}x{card.sensor[1]}"


def pinned(split: Split) -> str:
    """What of a split is pinned in the card."""
    pins = ["count"]
    if split.per_class:
        pins.append("counts a class")
    if split.ids:
        pins.append(f"ids (sha256 {split.ids[:12]}…)")
    if split.files:
        pins.append(f"every file (sha256 {split.files[:12]}…)")
    return ", ".join(pins)


def per_class(split: Split) -> str:
    """ "900 each", "31 to 800" or "" where the card does not say."""
    counts = split.per_class
    if not counts:
        return ""
    return f"{counts[0]:,} each" if len(set(counts)) == 1 else f"{min(counts):,} to {max(counts):,}"
