"""A task: the rules a board ranks by."""

from __future__ import annotations

from typing import Literal

from eventbench import registry
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
    """One set of rules: `leaderboard/tasks/<name>-vN.toml`.

    `kind` names a member of `task_kinds`. A file without one is a classification: those written before there were kinds
    keep their meaning and their digest. `rank_by` names a figure; empty, it is the one that the kind ranks by. With
    `store = "events"` no store of frames has to be made: the pipeline bins events as they are loaded, with equal scores.
    """

    dataset: str
    pipeline: str
    validation: Validation
    metrics: list[str]
    kind: str = "classification"
    rank_by: str = ""
    train: str = "train"
    test: str = "test"
    seeds: tuple[int, ...] = (0, 1, 2)
    store: StoreKind = "frames"
    about: About = About()

    @property
    def ranked_by(self) -> str:
        """The figure the board ranks by. Raises UnknownName for a kind that is not there."""
        return self.rank_by or registry.task_kinds.get(self.kind).main_figure
