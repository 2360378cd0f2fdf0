"""The key of a store: frozen values of shipped cards, where the store lies, and how a difference is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eventbench import digest
from eventbench.specs import catalog
from eventbench.store.differences import differences
from eventbench.store.key import StoreKey
from eventbench.store.read import open_any
from tests.support.miniatures import miniature

CACHE = Path("cache")
FIXTURE = Path(__file__).parent / "fixtures" / "store_v1"

# Path below the cache, digest, content digest. A change here orphans every store on every machine.
GOLDEN = {
    ("nmnist_small", None): (
        "nmnist_small/events-1bbc7913.h5",
        "1bbc7913f6de25fd27fbd141eb7fded742aa7d62b7ca6d4f69db5a24ad9efd6d",
        "69d6fd673103a81ff6f337a22bcaec0fb583834ba8b05dd3f932c308c6c7fdd6",
    ),
    ("nmnist_small", "frames_t16-v1"): (
        "nmnist_small/frames_t16-v1-46cd31a5.h5",
        "46cd31a5a2fa641c54afbb6e04164adfbb1b48c1e25a7529222f8a61a2a79ceb",
        "822270712fd9e4c40b12bdac43d41960c61162e7df6990e9145f98e019a14e1e",
    ),
    ("sim_gesture", None): (
        "sim_gesture/events-a9f64797.h5",
        "a9f64797d3db230c9822094efcbdbad272a5df84a3fb7f8c3abbafe6f32ddd60",
        "6293b0e63f3873535b59772a1391c2f6ddf982c122a5c1b31c2756d6763bede7",
    ),
    ("sim_gesture", "frames_t16-v1"): (
        "sim_gesture/frames_t16-v1-e8d841c6.h5",
        "e8d841c6d94d6a95d7b4d82c9d525a0a57432abd0d0c2e911dc35c254e50554b",
        "eb73de05bd2a7e9a210ae837b64a43bb3e7f1e769d45a9f699b04c75f1dfcac9",
    ),
    ("dvs_gesture", None): (
        "dvs_gesture/events-e1326620.h5",
        "e13266206325335a812c638caf491332d8a6eac6ae9e9093d4e50d6244ee97d7",
        "909b96d429f30d08e2d123b20121692fc1b9c19734e948cab5fcd63d96cb569a",
    ),
}


def key_named(card: str, pipeline: str | None) -> StoreKey:
    return StoreKey.of(CACHE, catalog.card(card), catalog.pipeline(pipeline) if pipeline else None)


@pytest.mark.parametrize(("card", "pipeline"), GOLDEN)
def test_keys_of_shipped_cards_are_frozen(card: str, pipeline: str | None) -> None:
    key = key_named(card, pipeline)
    path, whole, content = GOLDEN[card, pipeline]
    assert (key.path.relative_to(CACHE).as_posix(), key.digest, key.content_digest) == (path, whole, content)


def test_the_digest_is_that_of_the_value_and_names_the_file() -> None:
    key = key_named("nmnist_small", None)
    assert key.digest == digest.of_value(key.value)
    assert key.path == CACHE / "nmnist_small" / f"events-{key.digest[:8]}.h5"
    assert json.loads(json.dumps(key.value)) == key.value


def test_a_store_of_layout_version_1_has_the_content_digest_of_the_present_key(tmp_path: Path) -> None:
    mini = miniature(tmp_path, train=6, test=2)
    for path in FIXTURE.glob("*.h5"):
        store = open_any(path)
        pipeline = None if store.layout == "events" else mini.named_pipeline
        key = StoreKey.of(CACHE, mini.named_card, pipeline)
        assert key.content_digest == store.key
        assert key.differences(store.made_from) == ["made with layout version 1, this is 2"]


def test_a_key_does_not_differ_from_itself() -> None:
    key = key_named("nmnist_small", "frames_t16-v1")
    assert key.differences(key.value) == []


@pytest.mark.parametrize(
    ("was", "now", "clauses"),
    [
        (
            {"card": "a" * 64},
            {"card": "b" * 64},
            ["the card has changed: made with aaaaaaaa, this is bbbbbbbb"],
        ),
        (
            {"source": {"name": "dat", "version": 1}},
            {"source": {"name": "dat", "version": 2}},
            ["made with dat version 1, this is version 2"],
        ),
        (
            {"source": {"name": "dat", "version": 1}},
            {"source": {"name": "evt3", "version": 1}},
            ["made with the source dat, this is evt3"],
        ),
        (
            {"steps": []},
            {"steps": [{"name": "crop", "version": 1}]},
            ["made with the steps none, these are crop"],
        ),
        (
            {"steps": [{"name": "crop", "version": 1}]},
            {"steps": [{"name": "crop", "version": 2}]},
            ["made with crop version 1, this is version 2"],
        ),
        (
            {"layout_version": 1, "layout": "events"},
            {"layout_version": 2, "layout": "frames"},
            ["made with layout version 1, this is 2", "made with layout events, this is frames"],
        ),
    ],
)
def test_each_field_that_differs_is_a_clause(
    was: dict[str, Any], now: dict[str, Any], clauses: list[str]
) -> None:
    assert differences(was, now) == clauses
