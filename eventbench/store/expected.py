"""Which stores the present cards, pipelines and code would make, and how another one differs from them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from eventbench.errors import EventbenchError
from eventbench.specs import catalog
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.specs.pipeline import Pipeline
from eventbench.store.inventory import CacheItem, OpenedItem
from eventbench.store.key import key_of, path_of


class ExpectedStore(NamedTuple):
    """What a store is made from now: its card, the pipeline (None for events), the key's value."""

    card: Named[Card]
    pipeline: Named[Pipeline] | None
    key: dict[str, Any]


class ExpectedStores:
    """The present keys of `cards`, as events and through each of `pipelines`.

    A card or pipeline that cannot be loaded, or names a member that is not there, has no present key: nothing is
    said of its stores.
    """

    def __init__(
        self, cache: Path, cards: Iterable[Named[Card]], pipelines: Iterable[Named[Pipeline]]
    ) -> None:
        self.present: dict[Path, ExpectedStore] = {}
        self._of: dict[tuple[str, str], Path] = {}
        ways = [None, *pipelines]
        for card in cards:
            for pipeline in ways:
                try:
                    path, key = path_of(cache, card, pipeline), key_of(card, pipeline)
                except EventbenchError:
                    continue
                self.present[path] = ExpectedStore(card, pipeline, key)
                self._of[card.id, pipeline.id if pipeline else "events"] = path

    def of(self, item: CacheItem) -> ExpectedStore | None:
        """What a store of this dataset and pipeline is made from now; None where it is none we know."""
        path = self._of.get((item.dataset, item.made_as))
        return self.present[path] if path else None

    def classify_state(self, seen: OpenedItem) -> tuple[str, str]:
        """The state of a store and the reason for it; see STATES."""
        state, made_from = seen.state, seen.made_from or {}
        if state not in ("complete", "draft") or seen.trouble:
            return state, seen.trouble
        made = self.of(seen.item)
        why = "; ".join(
            differences(made_from, made.key) if made else self._card_differences(seen.item, made_from)
        )
        if not why and made and seen.item.store not in self.present:
            why = "its name has another key than its content"
        if state == "draft":
            return state, why
        if why:
            return "other rules", why
        return ("complete", "") if made else ("own", "no shipped card and pipeline of these names")

    def _card_differences(self, item: CacheItem, made_from: dict[str, Any]) -> list[str]:
        """Of a pipeline we do not know, whether at least its events are the present ones."""
        path = self._of.get((item.dataset, "events"))
        if path is None:
            return []
        key = {field: value for field, value in self.present[path].key.items() if field != "layout"}
        return differences({field: made_from.get(field) for field in key}, key)


STATES = {
    "complete": "complete",
    "own": "complete, of a card or pipeline of your own",
    "other rules": "made by other rules",
    "draft": "draft",
    "unfinished": "unfinished file",
    "lock": "lock",
    "layout unknown": "layout unknown",
    "unreadable": "unreadable",
}


def expected_stores(cache: Path, more: Iterable[Named[Any]] = ()) -> ExpectedStores:
    """The rules of every shipped card and pipeline, and of `more` cards and pipelines of a user's own.

    One of the user's own comes before a shipped one of the same id.
    """
    cards = {named.id: named for named in _shipped("datasets", catalog.card)}
    pipelines = {named.id: named for named in _shipped("pipelines", catalog.pipeline)}
    for named in more:
        (cards if isinstance(named.spec, Card) else pipelines)[named.id] = named
    return ExpectedStores(cache, cards.values(), pipelines.values())


def _shipped(kind: str, load: Any) -> Iterable[Named[Any]]:
    for name in catalog.files(kind):
        try:
            yield load(name)
        except EventbenchError:
            continue


def differences(made: dict[str, Any], present: dict[str, Any]) -> list[str]:
    """How the key of a store differs from the present one, a clause a field; empty when it does not."""
    found = []
    for field in sorted(made.keys() | present.keys(), key=list({**present, **made}).index):
        old, new = made.get(field), present.get(field)
        if old != new:
            found += _clauses(field, old, new)
    return found


def _clauses(field: str, old: Any, new: Any) -> list[str]:
    if field in ("card", "pipeline") and old and new:
        return [f"the {field} has changed: made with {old[:8]}, this is {new[:8]}"]
    if _is_member(old) and _is_member(new):
        if old["name"] == new["name"]:
            return [
                f"made with {old['name']} version {old.get('version')}, this is version {new.get('version')}"
            ]
        return [f"made with the {field} {old['name']}, this is {new['name']}"]
    if field == "steps" and isinstance(old, list) and isinstance(new, list):
        pairs = list(zip(old, new, strict=False))
        if len(old) == len(new) and all(_is_member(a) and _is_member(b) for a, b in pairs):
            return [clause for a, b in pairs if a != b for clause in _clauses("step", a, b)]
        return [f"made with the steps {_steps(old)}, these are {_steps(new)}"]
    return [f"made with {field.replace('_', ' ')} {old}, this is {new}"]


def _is_member(value: Any) -> bool:
    return isinstance(value, dict) and "name" in value


def _steps(steps: list[Any]) -> str:
    return (
        ", ".join(str(step.get("name")) if isinstance(step, dict) else str(step) for step in steps) or "none"
    )
