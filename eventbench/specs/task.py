"""A task: the rules a board ranks by."""

from __future__ import annotations

from typing import Literal

from eventbench.specs.base import About, Spec

StoreKind = Literal["frames", "events"]


class Validation(Spec, frozen=True):
    """Where the validation samples come from: a split of the card's own, or carved out of train.

    `by` "subject" keeps every subject whole, "class" draws the same share of each class.
    """

    split: str = ""
    carve: float = 0.0
    by: str = "class"


class Task(Spec, frozen=True):
    """One set of rules: `leaderboard/tasks/<name>-vN.toml`."""

    dataset: str
    pipeline: str
    validation: Validation
    metrics: list[str]
    rank_by: str = "accuracy"
    train: str = "train"
    test: str = "test"
    seeds: tuple[int, ...] = (0, 1, 2)
    store: StoreKind = "frames"  # which is made first; events are binned as they are loaded
    about: About = About()
