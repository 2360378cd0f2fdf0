"""`StoreKey`: everything the content of a store depends on, and nothing else; and where that store lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventbench import digest, registry
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.specs.pipeline import Pipeline
from eventbench.store.differences import differences

LAYOUT_VERSION = 2
READS = (1, LAYOUT_VERSION)


@dataclass(frozen=True)
class StoreKey:
    """What a store is made from, and its place: `StoreKey.of(cache, card)` of events, `.of(cache, card, pipeline)` of frames.

    `value` is a JSON-like value without time, machine or path: equal values mean equal content anywhere. `path` is
    `<cache>/<card>/<events or pipeline>-<first 8 of the digest>.h5`.
    """

    value: dict[str, Any]
    path: Path

    @classmethod
    def of(cls, cache: Path, card: Named[Card], pipeline: Named[Pipeline] | None = None) -> StoreKey:
        """The key that the present cards, pipelines and code give. Raises BadSpec or UnknownName for a bad member."""
        value = _value(card, pipeline)
        name = f"{pipeline.id if pipeline else 'events'}-{digest.of_value(value)[:8]}.h5"
        return cls(value, cache / card.id / name)

    @property
    def digest(self) -> str:
        """sha256 (hex) of the value."""
        return digest.of_value(self.value)

    @property
    def content_digest(self) -> str:
        """What the store holds, whatever the layout of its file: the digest of its key as layout version 1 had it.

        Records name stores by it, so that those made before and after a change of the layout remain comparable.
        """
        return digest.of_value(self.value | {"layout_version": 1})

    def differences(self, made_from: dict[str, Any]) -> list[str]:
        """How the value that a store was made from differs from this key, a clause a field; empty when it does not."""
        return differences(made_from, self.value)


def _value(card: Named[Card], pipeline: Named[Pipeline] | None) -> dict[str, Any]:
    """Members that bytes or events pass through stand in it with their version: a store of older code can be explained."""
    value: dict[str, Any] = {
        "layout": "frames" if pipeline else "events",
        "layout_version": LAYOUT_VERSION,
        "card": card.spec.digest,
        "source": _member(registry.sources, card.spec.source, card.path.name),
    }
    if pipeline:
        value["pipeline"] = pipeline.spec.digest
        where = pipeline.path.name
        value["steps"] = [_member(registry.steps, step, where) for step in pipeline.spec.steps]
        value["representation"] = _member(registry.representations, pipeline.spec.representation, where)
    return value


def _member(family: registry.Family[Any], table: dict[str, Any], where: str) -> dict[str, Any]:
    return {"version": family.class_of(table, where=where).version, "name": table["name"]}
