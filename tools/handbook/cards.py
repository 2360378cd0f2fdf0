"""What tables say about a card: counts, pins, the short form of a paper."""

from __future__ import annotations

import re
from typing import NamedTuple

from eventbench.specs import catalog
from eventbench.specs.card import Card, Split
from eventbench.specs.catalog import Named
from tools.handbook.words import FamilyWords, tables


class Page(NamedTuple):
    """A page on some cards: its file's stem, its title, what is said beside the cards."""

    stem: str
    title: str
    cards: list[Named[Card]]
    text: str
    traps: list[str]


def pages() -> list[Page]:
    """Every page, by title: the families, and one for each card that is in none."""
    families = tables("families", FamilyWords)
    found = [
        Page(stem, words.title, [catalog.card(id) for id in words.cards], words.text, words.traps)
        for stem, words in families.items()
    ]
    listed = {id for words in families.values() for id in words.cards}
    for id in catalog.files("datasets"):
        if id not in listed:
            card = catalog.card(id)
            found.append(Page(id, card.spec.about.title.partition(" as ")[0] or id, [card], "", []))
    return sorted(found, key=lambda page: page.title.lower())


def short_paper(paper: str) -> str:
    """ "Li et al. 2017" of a card's full reference; "" of none."""
    if not paper:
        return ""
    names = [re.sub(r"^(?:\w\.[ -]?)+", "", name.strip()) for name in paper.partition(":")[0].split(",")]
    year = re.findall(r"\b(?:19|20)\d\d\b", paper)[-1]
    told = names[0] if len(names) == 1 else " and ".join(names) if len(names) == 2 else f"{names[0]} et al."
    return f"{told} {year}"


def samples(card: Card) -> str:
    return ", ".join(f"{split.samples:,} {name}" for name, split in card.splits.items())


def sensor(card: Card) -> str:
    return f"{card.sensor[0]}x{card.sensor[1]}"


def pinned(split: Split) -> str:
    """What of a split is pinned in the card."""
    told = ["count"]
    if split.per_class:
        told.append("counts a class")
    if split.ids:
        told.append(f"ids (sha256 {split.ids[:12]}…)")
    if split.files:
        told.append(f"every file (sha256 {split.files[:12]}…)")
    return ", ".join(told)


def per_class(split: Split) -> str:
    """ "900 each", "31 to 800" or "" where the card does not say."""
    counts = split.per_class
    if not counts:
        return ""
    return f"{counts[0]:,} each" if len(set(counts)) == 1 else f"{min(counts):,} to {max(counts):,}"
