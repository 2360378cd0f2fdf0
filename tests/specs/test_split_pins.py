"""Pins of a split against the samples that were found: which of them differ, and what is left out agrees."""

from __future__ import annotations

import pytest

from eventbench import digest
from eventbench.specs.card import Split, SplitPins

IDS = ["a/1", "a/2", "a/3"]
LABELS = [0, 1, 1]
HASHES = {"a/1": "0" * 64, "a/2": "1" * 64, "a/3": "2" * 64}
PINS = Split(
    samples=3,
    per_class=[1, 2],
    numbered="a/{}",
    ids=digest.of_lines(IDS),
    files=digest.of_lines(f"{id} {sha256}" for id, sha256 in HASHES.items()),
)


def test_the_samples_that_were_pinned_agree_in_any_order() -> None:
    assert PINS.disagreements(SplitPins.of(IDS, LABELS, 2, HASHES)) == []
    reversed_hashes = dict(reversed(HASHES.items()))
    assert PINS.disagreements(SplitPins.of(IDS[::-1], LABELS[::-1], 2, reversed_hashes)) == []


@pytest.mark.parametrize(
    ("actual", "differ"),
    [
        (SplitPins.of(IDS[:2], LABELS[:2], 2), ["samples", "per_class", "ids"]),
        (SplitPins.of([], [], 2, {}), ["samples", "per_class", "ids", "files"]),
        (SplitPins.of(["a/1", "a/2", "a/4"], LABELS, 2), ["ids"]),
        (SplitPins.of(["a/1", "a/2", "a/2"], LABELS, 2), ["ids"]),
        (SplitPins.of(IDS, [0, 0, 1], 2, HASHES), ["per_class"]),
        (SplitPins.of(IDS, LABELS, 2, HASHES | {"a/3": "3" * 64}), ["files"]),
        (SplitPins.of(IDS), []),
    ],
)
def test_each_pin_that_differs_is_named(actual: SplitPins, differ: list[str]) -> None:
    assert PINS.disagreements(actual) == differ


def test_what_a_card_leaves_out_agrees_with_anything_but_the_count() -> None:
    only_counted = Split(samples=3)
    assert only_counted.disagreements(SplitPins.of(["x", "y", "z"], [5, 5, 5], 6, HASHES)) == []
    assert only_counted.disagreements(SplitPins.of(["x"])) == ["samples"]


def test_numbered_ids_count_from_1() -> None:
    assert PINS.numbered_ids == set(IDS)
    assert Split(samples=3).numbered_ids == set()
