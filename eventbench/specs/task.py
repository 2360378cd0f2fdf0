"""`Task`: the rules of a board."""

from __future__ import annotations

from typing import Literal

from eventbench import registry
from eventbench.specs.base import About, Spec

StoreKind = Literal["frames", "events"]


class Validation(Spec, frozen=True):
    """The validation samples: a `split` of the card, or a share of the training split (`carve`).

    `by` "subject" carves whole subjects, "class" the same share of each class.
    """

    split: str = ""
    carve: float = 0.0
    by: str = "class"

    @property
    def contradiction(self) -> str:
        """What is wrong with it as it stands; "" where nothing is."""
        return "" if bool(self.split) != bool(self.carve) else "[validation] must have either split or carve"


class Task(Spec, frozen=True):
    """One set of rules: `leaderboard/tasks/<name>-vN.toml`.

    `kind` names a member of `task_kinds`. A file without it is a classification, so files that are older than this key
    keep their meaning and digest. `demands` are those of the `metrics` that a submission must have figures of: where one cannot
    be computed for a model, it is refused; else that figure is left out and its other figures stand. `rank_by` names a figure; by default it is the main figure of the kind. With `store =
    "events"` no store of frames is made: the pipeline bins events when they are loaded, with the same scores.
    """

    dataset: str
    pipeline: str
    validation: Validation
    metrics: list[str]
    demands: list[str] = []
    kind: str = "classification"
    rank_by: str = ""
    train: str = "train"
    test: str = "test"
    seeds: tuple[int, ...] = (0, 1, 2)
    store: StoreKind = "frames"
    about: About = About()

    @property
    def ranked_by(self) -> str:
        """The figure that the board ranks by. Raises UnknownName for an unknown kind."""
        return self.rank_by or registry.task_kinds.get(self.kind).main_figure
