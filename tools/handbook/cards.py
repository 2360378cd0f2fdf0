"""Facts on cards for tables: the pages they are on, counts, pins, the short form of a paper."""

from __future__ import annotations

import re
from typing import NamedTuple

from eventbench.specs import catalog
from eventbench.specs.card import Card, Split
from eventbench.specs.catalog import Named
from tools.handbook.tables import card_families


class Page(NamedTuple):
    """A page on some cards: the stem of its file, its title, and what it has beside the cards: a text and traps."""

    stem: str
    title: str
    cards: list[Named[Card]]
    text: str
    traps: list[str]


def pages() -> list[Page]:
    """Every page, by title: one for each family of cards, and one for each card that is in no family."""
    families = card_families()
    of_families = [
        Page(stem, family.title, [catalog.card(id) for id in family.cards], family.text, family.traps)
        for stem, family in families.items()
    ]
    in_families = {id for family in families.values() for id in family.cards}
    single_cards = [catalog.card(id) for id in catalog.files("datasets") if id not in in_families]
    of_single_cards = [
        Page(card.id, card.spec.about.title.partition(" as ")[0] or card.id, [card], "", [])
        for card in single_cards
    ]
    return sorted(of_families + of_single_cards, key=lambda page: page.title.lower())


def short_paper(paper: str) -> str:
    """ "Li et al. 2017" for a full reference; "" for none."""
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
    """What the card pins of a split, as a list in words."""
    pins = ["nothing" if split.samples is None else "count"]
    if split.per_class:
        pins.append("counts a class")
    if split.ids:
        pins.append(f"ids (sha256 {split.ids[:12]}…)")
    if split.files:
        pins.append(f"every file (sha256 {split.files[:12]}…)")
    return ", ".join(pins)


def per_class(split: Split) -> str:
    """ "900 each", "31 to 800", or "" where the card has no counts per class."""
    counts = split.per_class
    if not counts:
        return ""
    return f"{counts[0]:,} each" if len(set(counts)) == 1 else f"{min(counts):,} to {max(counts):,}"
