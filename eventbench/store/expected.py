"""Which stores the present cards, pipelines and code would make, and what state another one is in beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from eventbench.errors import EventbenchError
from eventbench.specs import catalog
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.specs.pipeline import Pipeline
from eventbench.store.differences import OTHER_EVENTS, differences
from eventbench.store.inventory import CacheItem, OpenedItem, open_item
from eventbench.store.key import StoreKey
from eventbench.store.paths import STORE

# The state of a store, as `cache ls --json` has it, and in words.
STATES = {
    "complete": "complete",
    "own": "complete, of a card or pipeline of your own",
    "stale": "stale",
    "draft": "draft",
    "unfinished": "unfinished file",
    "lock": "lock",
    "layout unknown": "layout unknown",
    "unreadable": "unreadable",
}


class ExpectedStore(NamedTuple):
    """A store that can be made now: of its card through the pipeline (None for events), with its key."""

    card: Named[Card]
    pipeline: Named[Pipeline] | None
    key: StoreKey


class ExpectedStores:
    """The stores of `cards`, as events and through each of `pipelines`; `by_path` has them by the path of the file.

    A card or pipeline that cannot be loaded, or names a member that is not there, makes no store: nothing is known of
    the ones it made earlier.
    """

    def __init__(
        self, cache: Path, cards: Iterable[Named[Card]], pipelines: Iterable[Named[Pipeline]]
    ) -> None:
        self.by_path: dict[Path, ExpectedStore] = {}
        self._by_name: dict[tuple[str, str], ExpectedStore] = {}
        every_pipeline = [None, *pipelines]
        for card in cards:
            for pipeline in every_pipeline:
                try:
                    key = StoreKey.of(cache, card, pipeline)
                except EventbenchError:
                    continue
                expected = ExpectedStore(card, pipeline, key)
                self.by_path[key.path] = expected
                self._by_name[card.id, pipeline.id if pipeline else "events"] = expected

    def of(self, item: CacheItem) -> ExpectedStore | None:
        """The store that this dataset and pipeline make now; None where we know none of these names."""
        return self._by_name.get((item.dataset, item.made_as))

    def classify_state(self, opened: OpenedItem) -> tuple[str, str]:
        """The state of a store, a key of STATES, and the reason for it."""
        state = opened.state
        if state not in ("complete", "draft") or opened.trouble:
            return state, opened.trouble
        expected = self.of(opened.item)
        why = "; ".join(self._differences(opened, expected))
        if not why and expected and opened.item.store not in self.by_path:
            why = "its name has another key than its content"
        if state == "draft":
            return state, why
        why = why or self._other_events(opened)
        if why:
            return "stale", why
        return ("complete", "") if expected else ("own", "no shipped card and pipeline of these names")

    def _other_events(self, opened: OpenedItem) -> str:
        """Whether a store of frames is of other recordings than the store of events it would be made from now."""
        events = self._by_name.get((opened.item.dataset, "events"))
        if opened.item.layout == "events" or events is None or not events.key.path.is_file():
            return ""
        opened_events = open_item(CacheItem(events.key.path, STORE, events.key.path))
        sound = opened_events.state == "complete"
        return OTHER_EVENTS if sound and opened_events.raw_digest != opened.raw_digest else ""

    def _differences(self, opened: OpenedItem, expected: ExpectedStore | None) -> list[str]:
        """Between what a store was made from and what it would be; of an unknown pipeline, of its events at least."""
        made_from = opened.made_from or {}
        if expected:
            return expected.key.differences(made_from)
        events = self._by_name.get((opened.item.dataset, "events"))
        if events is None:
            return []
        present = {field: value for field, value in events.key.value.items() if field != "layout"}
        return differences({field: made_from.get(field) for field in present}, present)


def expected_stores(cache: Path, more: Iterable[Named[Any]] = ()) -> ExpectedStores:
    """The stores of every shipped card and pipeline, and of `more` cards and pipelines of a user's own.

    One of the user's own comes before a shipped one of the same id.
    """
    cards = {named.id: named for named in _shipped("datasets", catalog.card)}
    pipelines = {named.id: named for named in _shipped("pipelines", catalog.pipeline)}
    for named in more:
        (cards if isinstance(named.spec, Card) else pipelines)[named.id] = named
    return ExpectedStores(cache, cards.values(), pipelines.values())


def _shipped(kind: str, load: Callable[[str], Named[Any]]) -> Iterable[Named[Any]]:
    for name in catalog.files(kind):
        try:
            yield load(name)
        except EventbenchError:
            continue
