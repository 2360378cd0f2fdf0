"""Which samples are trained on, selected on and scored: decided by their ids alone."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbench.errors import BadSpec, BadStore
from eventbench.loading.parts import TaskSplits, task_splits
from eventbench.specs.catalog import Named
from eventbench.specs.task import Task, Validation
from eventbench.store.read import Store


class Rows(SimpleNamespace):
    """What `task_splits` asks of a store."""

    path = Path("a.h5")
    rows = Store.rows


def store(counts: dict[str, list[int]], subjects: int = 0) -> Any:
    """A store with so many samples of each class in each split, in order of id; subjects take turns."""
    made = sorted(
        (f"{split}/{label}-{k:03d}", split, label, f"s{k % subjects}" if subjects else "")
        for split, per_class in counts.items()
        for label, n in enumerate(per_class)
        for k in range(n)
    )
    ids, splits, labels, people = zip(*made, strict=True)
    return Rows(ids=list(ids), splits=list(splits), labels=np.array(labels, np.int32), subjects=list(people))


def task(train: str = "train", test: str = "test", **validation: Any) -> Named[Task]:
    rules = Task(
        dataset="d",
        pipeline="p",
        metrics=["accuracy"],
        train=train,
        test=test,
        validation=Validation(**validation),
    )
    return Named("t-v1", Path("t-v1.toml"), rules)


def ids(rows: np.ndarray, data: Any) -> set[str]:
    return {data.ids[row] for row in rows}


@given(
    st.lists(st.integers(2, 30), min_size=1, max_size=5),
    st.floats(0.01, 0.99),
    st.sampled_from(["class", "subject"]),
)
def test_the_parts_are_disjoint_sorted_and_together_everything(
    counts: list[int], carve: float, by: str
) -> None:
    data = store({"train": counts, "test": [3] * len(counts)}, subjects=4)
    if by == "subject" and len({*data.subjects}) < 2:
        return
    parts = task_splits(task(carve=carve, by=by), data)
    for part in parts:
        assert len(part)
        assert (np.diff(part) > 0).all()
    assert sorted(np.concatenate(parts)) == list(range(len(data.ids)))
    assert {data.splits[row] for row in parts.test} == {"test"}


@given(st.lists(st.integers(2, 40), min_size=1, max_size=5), st.floats(0.01, 0.99))
def test_each_class_gives_the_share_with_the_smallest_hashes(counts: list[int], carve: float) -> None:
    data = store({"train": counts, "test": [1]})
    carved = ids(task_splits(task(carve=carve, by="class"), data).validation, data)
    expected: set[str] = set()
    for label, n in enumerate(counts):
        names = [f"train/{label}-{k:03d}" for k in range(n)]
        names.sort(key=lambda name: hashlib.sha256(name.encode()).hexdigest())
        expected |= set(names[: min(max(1, round(carve * n)), n - 1)])
    assert carved == expected


def test_subjects_are_taken_whole() -> None:
    data = store({"train": [20, 20], "test": [4, 4]}, subjects=5)
    parts = task_splits(task(carve=0.4, by="subject"), data)
    people = [{data.subjects[row] for row in part} for part in (parts.train, parts.validation)]
    assert len(people[1]) == 2
    assert not people[0] & people[1]


def test_a_class_of_one_sample_stays_to_be_trained_on() -> None:
    data = store({"train": [1, 10], "test": [1, 1]})
    parts = task_splits(task(carve=0.5), data)
    assert (data.labels[parts.train] == 0).sum() == 1


def test_other_samples_do_not_change_a_samples_part() -> None:
    small, large = (store({"train": [n, 10], "test": [1]}) for n in (20, 40))
    first, second = (ids(task_splits(task(carve=0.25), data).validation, data) for data in (small, large))
    assert {name for name in first if name.startswith("train/1")} == {
        n for n in second if n.startswith("train/1")
    }


def test_validation_may_be_a_split_of_the_cards_own() -> None:
    data = store({"train": [2], "validation": [3], "test": [4]})
    assert [len(part) for part in task_splits(task(split="validation"), data)] == [2, 3, 4]


@pytest.mark.parametrize(
    ("rules", "line"),
    [
        ({}, "t-v1.toml: [validation] must have either split or carve"),
        ({"split": "x", "carve": 0.1}, "t-v1.toml: [validation] must have either split or carve"),
        ({"carve": 1.5}, "t-v1.toml: carve is 1.5; allowed: a share between 0 and 1"),
        ({"carve": -0.5}, "t-v1.toml: carve is -0.5; allowed: a share between 0 and 1"),
        ({"carve": 0.5, "by": "moon"}, "t-v1.toml: by is 'moon'; allowed: class, subject"),
        (
            {"carve": 0.5, "by": "subject"},
            't-v1.toml: the dataset has no subjects to carve by; use by = "class"',
        ),
        ({"split": "test"}, "t-v1.toml: the splits are ['train', 'test', 'test']; allowed: different splits"),
        (
            {"split": "train"},
            "t-v1.toml: the splits are ['train', 'test', 'train']; allowed: different splits",
        ),
        (
            {"carve": 0.5, "test": "train"},
            "t-v1.toml: the splits are ['train', 'train']; allowed: different splits",
        ),
    ],
)
def test_rules_that_cannot_be_followed_are_refused(rules: dict[str, Any], line: str) -> None:
    with pytest.raises(BadSpec, match=f"^{re.escape(line)}"):
        task_splits(task(**rules), store({"train": [4, 4], "test": [1, 1]}))


def test_a_split_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadStore, match=r"^a\.h5: no split 'valid'; allowed: test, train$"):
        task_splits(task(split="valid"), store({"train": [2], "test": [2]}))


def test_nothing_random_is_asked_for() -> None:
    data = store({"train": [30, 30], "test": [1]})
    splits = []
    for seed in (0, 1):
        np.random.seed(seed)
        splits.append(task_splits(task(carve=0.2), data))
    first, second = splits
    assert isinstance(first, TaskSplits)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
