"""The key of a store: everything its content depends on, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eventbench import digest, registry
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.specs.pipeline import Pipeline

LAYOUT_VERSION = 2
READS = (1, LAYOUT_VERSION)


def _member(family: registry.Family[Any], table: dict[str, Any], where: str) -> dict[str, Any]:
    return {"version": family.class_of(table, where=where).version, "name": table["name"]}


def key_of(card: Named[Card], pipeline: Named[Pipeline] | None = None) -> dict[str, Any]:
    """What a store of `card` (as events), or of `card` through `pipeline` (as frames), is made from.

    A JSON-like value without time, machine or path. Members that raw bytes or events pass through stand in it
    with their version, so that a store made by older code is a miss that can be explained.
    """
    key: dict[str, Any] = {
        "layout": "frames" if pipeline else "events",
        "layout_version": LAYOUT_VERSION,
        "card": card.spec.digest,
        "source": _member(registry.sources, card.spec.source, card.path.name),
    }
    if pipeline:
        key["pipeline"] = pipeline.spec.digest
        where = pipeline.path.name
        key["steps"] = [_member(registry.steps, step, where) for step in pipeline.spec.steps]
        key["representation"] = _member(registry.representations, pipeline.spec.representation, where)
    return key


def path_of(cache: Path, card: Named[Card], pipeline: Named[Pipeline] | None = None) -> Path:
    """Where the store with this key lies: `<cache>/<card>/<events or pipeline>-<first 8 of the key>.h5`."""
    digest8 = digest.of_value(key_of(card, pipeline))[:8]
    return cache / card.id / f"{pipeline.id if pipeline else 'events'}-{digest8}.h5"


def content_digest(key: dict[str, Any]) -> str:
    """What a store holds, whatever the layout of its file: the digest of its key as layout version 1 had it.

    Records name stores by it, so that those made before and after a change of the layout remain comparable.
    """
    return digest.of_value(key | {"layout_version": 1})
