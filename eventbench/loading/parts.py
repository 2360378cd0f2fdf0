"""Which samples a task trains on, selects on and scores: decided by their names alone, the same on every machine."""

from __future__ import annotations

import hashlib
from typing import NamedTuple, Protocol

import numpy as np

from eventbench.errors import BadSpec
from eventbench.specs.catalog import Named
from eventbench.specs.task import Task


class SplitStore(Protocol):
    """What is asked of a store to part it: `ids` and `subjects` (samples,), `labels` (samples,), and the `rows` of a split."""

    ids: list[str]
    subjects: list[str]
    labels: np.ndarray

    def rows(self, split: str) -> np.ndarray:
        """The indices of a split's samples."""


class TaskSplits(NamedTuple):
    """Row numbers of the store, sorted: `train` and `validation` (samples,) do not meet, nor does either meet `test`."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def task_splits(task: Named[Task], store: SplitStore) -> TaskSplits:
    """The task's three parts of a store. Raises BadSpec where its rules leave no such parts.

    A carved validation part is the share of each class (or the subjects, whole) whose names have the smallest sha256:
    no generator, no order of files and no seed of a run can change it.
    """
    rules = task.spec.validation
    names = [task.spec.train, task.spec.test, *([rules.split] if rules.split else [])]
    if len(set(names)) < len(names):
        raise BadSpec(
            f"the splits are {names}",
            where=task.path.name,
            allowed="different ones: no sample may have two parts",
        )
    train, test = store.rows(task.spec.train), store.rows(task.spec.test)
    if bool(rules.split) == bool(rules.carve):
        raise BadSpec("[validation] must have either split or carve", where=task.path.name)
    if rules.split:
        return TaskSplits(train, store.rows(rules.split), test)
    if not 0 < rules.carve < 1:
        raise BadSpec(f"carve is {rules.carve}", where=task.path.name, allowed="a share between 0 and 1")
    if rules.by == "subject":
        subjects = sorted({store.subjects[row] for row in train}, key=_draw)
        if len(subjects) < 2:
            raise BadSpec(
                "the dataset names no subjects to carve by", where=task.path.name, fix='use by = "class"'
            )
        drawn_subjects = set(subjects[: _share(rules.carve, len(subjects))])
        carved = np.array([store.subjects[row] in drawn_subjects for row in train])
    elif rules.by == "class":
        drawn_rows: set[int] = set()
        for label in np.unique(store.labels[train]):
            rows = sorted(train[store.labels[train] == label], key=lambda row: _draw(store.ids[row]))
            drawn_rows.update(rows[: _share(rules.carve, len(rows))])
        carved = np.array([row in drawn_rows for row in train])
    else:
        raise BadSpec(f"by is {rules.by!r}", where=task.path.name, allowed="class, subject")
    return TaskSplits(train[~carved], train[carved], test)


def _share(carve: float, whole: int) -> int:
    """At least one, and never all: something is left to train on."""
    return min(max(1, round(carve * whole)), whole - 1)


def _draw(name: str) -> str:
    """What names are sorted by: the first are drawn."""
    return hashlib.sha256(name.encode()).hexdigest()
