"""`task_splits`: the training, validation and test samples of a task, chosen by their names, the same on every machine."""

from __future__ import annotations

import hashlib
from typing import NamedTuple, Protocol

import numpy as np

from eventbench.errors import BadSpec
from eventbench.specs.catalog import Named
from eventbench.specs.task import Task


class SplitStore(Protocol):
    """The part of a store that `task_splits` needs: `ids`, `subjects` and `labels` (samples,), and the `rows` of a split."""

    ids: list[str]
    subjects: list[str]
    labels: np.ndarray

    def rows(self, split: str) -> np.ndarray:
        """The indices of a split's samples."""


class TaskSplits(NamedTuple):
    """Sorted row numbers of the store (samples,); no row is in two of `train`, `validation` and `test`."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def task_splits(task: Named[Task], store: SplitStore) -> TaskSplits:
    """The three parts of a store for a task. Raises BadSpec if its rules do not define them.

    A carved validation part is the share of each class (or of the subjects) whose names have the smallest sha256, so it
    does not depend on a generator, on the order of files or on the seed of a run.
    """
    rules = task.spec.validation
    names = [task.spec.train, task.spec.test, *([rules.split] if rules.split else [])]
    if len(set(names)) < len(names):
        raise BadSpec(
            f"the splits are {names}",
            where=task.path.name,
            allowed="different splits: no sample may be in two parts",
        )
    train, test = store.rows(task.spec.train), store.rows(task.spec.test)
    if rules.contradiction:
        raise BadSpec(rules.contradiction, where=task.path.name)
    if rules.split:
        return TaskSplits(train, store.rows(rules.split), test)
    if not 0 < rules.carve < 1:
        raise BadSpec(f"carve is {rules.carve}", where=task.path.name, allowed="a share between 0 and 1")
    if rules.by == "subject":
        subjects = sorted({store.subjects[row] for row in train}, key=_hash)
        if len(subjects) < 2:
            raise BadSpec(
                "the dataset has no subjects to carve by", where=task.path.name, fix='use by = "class"'
            )
        drawn_subjects = set(subjects[: _carved_count(rules.carve, len(subjects))])
        carved = np.array([store.subjects[row] in drawn_subjects for row in train])
    elif rules.by == "class":
        drawn_rows: set[int] = set()
        for label in np.unique(store.labels[train]):
            rows = sorted(train[store.labels[train] == label], key=lambda row: _hash(store.ids[row]))
            drawn_rows.update(rows[: _carved_count(rules.carve, len(rows))])
        carved = np.array([row in drawn_rows for row in train])
    else:
        raise BadSpec(f"by is {rules.by!r}", where=task.path.name, allowed="class, subject")
    return TaskSplits(train[~carved], train[carved], test)


def _carved_count(carve: float, count: int) -> int:
    """How many of `count` are carved: at least one, and never all, so that some are left for training."""
    return min(max(1, round(carve * count)), count - 1)


def _hash(name: str) -> str:
    """The key by which names are sorted; the first ones are carved."""
    return hashlib.sha256(name.encode()).hexdigest()
