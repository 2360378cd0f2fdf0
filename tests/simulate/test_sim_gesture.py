"""The simulated dataset: the same bytes anywhere, balanced, subjects apart, and direction only in time."""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys
from collections import Counter

import msgspec
import numpy as np
import pytest

from eventbench import registry
from eventbench.digest import of_lines
from eventbench.errors import BadRecording, BadSpec
from eventbench.home import CHECKOUT, shipped
from eventbench.simulate.gestures import GESTURES
from eventbench.simulate.scene import Scene
from eventbench.sources.sim_gesture import SimGesture, Subjects
from eventbench.specs.base import load
from eventbench.specs.card import Card

CARDS = ("sim_gesture", "sim_gesture_demo")
GOLDEN = {
    "train/s000-clap-1": "5eb0176af6420be09734d5742bc2fbecb966cb74e16f4f5f43851e3ef0c71199",
    "train/s007-right_clockwise-2": "8225093734729eccf801ef7ab222e2596fe349c6e2410d2eff2dc4a958495fec",
    "validation/s044-guitar-1": "83a19e999162db83e4547f0657b41ab6eb551bab8de62753b40f52b4a47e9921",
    "test/s064-other-2": "c09c515cccde358f3b1db559e159b6c6c54c2f095f75cb5d4d709644455ab933",
}


def card_and_source(name: str) -> tuple[Card, SimGesture]:
    card = load(shipped("datasets") / f"{name}.toml", Card)
    source = registry.sources.build(card.source, where=name)
    assert isinstance(source, SimGesture)
    return card, source


def fingerprint(events) -> str:  # type: ignore[no-untyped-def]
    whole = hashlib.sha256()
    for column, kind in zip(
        (events.t, events.x, events.y, events.p), ("<i8", "<u2", "<u2", "u1"), strict=True
    ):
        whole.update(column.astype(kind).tobytes())
    return whole.hexdigest()


def test_recordings_are_what_they_have_always_been() -> None:
    """A difference here means other events: put `version` of the source up and renew these."""
    assert SimGesture.version == 1
    card, source = card_and_source("sim_gesture")
    assert {name: fingerprint(source.read(name, card.sensor)) for name in GOLDEN} == GOLDEN


@pytest.mark.slow
def test_another_process_and_another_order_give_the_same_bytes() -> None:
    names = ["test/s051-roll-2", "train/s000-drums-1", "test/s052-left_wave-1"]
    code = (
        "import sys, hashlib; sys.path.insert(0, sys.argv[1])\n"
        "from eventbench.sources.sim_gesture import SimGesture\n"
        "for name in sys.argv[2:]:\n"
        "    events = SimGesture().read(name)\n"
        "    columns = b''.join(c.tobytes() for c in (events.t, events.x, events.y, events.p))\n"
        "    print(name, hashlib.sha256(columns).hexdigest())\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(CHECKOUT), *reversed(names)],
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = dict(line.split() for line in run.stdout.splitlines())
    source = SimGesture()
    assert theirs == {name: fingerprint(source.read(name)) for name in names}


@pytest.mark.parametrize("name", CARDS)
def test_the_card_pins_what_the_source_lists(name: str) -> None:
    card, source = card_and_source(name)
    samples = source.samples(card)
    assert samples == sorted(samples) and len({sample.id for sample in samples}) == len(samples)
    for split, pinned in card.splits.items():
        members = [sample for sample in samples if sample.split == split]
        counts = Counter(sample.label for sample in members)
        assert len(members) == pinned.samples and [counts[c] for c in range(11)] == pinned.per_class
        assert len(set(counts.values())) == 1 and of_lines(sample.id for sample in members) == pinned.ids
    people = {split: {s.subject for s in samples if s.split == split} for split in card.splits}
    assert not people["train"] & people["validation"] and not people["test"] & (
        people["train"] | people["validation"]
    )


def test_the_demo_differs_from_the_whole_only_in_seed_and_subjects() -> None:
    whole, demo = (card_and_source(name)[1] for name in CARDS)
    assert msgspec.structs.replace(demo, seed=whole.seed, subjects=whole.subjects) == whole
    assert demo.seed != whole.seed  # or the demo's test subjects would be among the whole's train subjects


def test_every_gesture_gives_events_of_both_polarities_within_the_recording() -> None:
    source = SimGesture()
    for gesture in GESTURES:
        events = source.read(f"train/s003-{gesture}-1")
        assert 1500 < len(events) < 100_000 and 0.3 < events.p.mean() < 0.7
        assert events.t[0] >= 0 and events.t[-1] <= source.duration_us


def test_takes_subjects_seeds_and_sensors_differ() -> None:
    source = SimGesture()
    first = fingerprint(source.read("train/s000-clap-1"))
    others = [
        source.read("train/s000-clap-2"),
        source.read("train/s001-clap-1"),
        SimGesture(seed=1).read("train/s000-clap-1"),
    ]
    assert first not in {fingerprint(events) for events in others}
    assert source.read("train/s000-clap-1", (96, 80)).sensor == (96, 80)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "clap",
        "train/s000-clap-3",
        "train/s000-clap-0",
        "train/s0000-clap-1",
        "train/s050-clap-1",
        "train/s000-jump-1",
        "exam/s000-clap-1",
    ],
)
def test_an_id_that_is_not_of_the_card_is_refused(name: str) -> None:
    with pytest.raises(BadRecording, match="no simulated recording"):
        SimGesture().read(name)


def test_a_card_with_other_classes_or_splits_is_refused() -> None:
    card, source = card_and_source("sim_gesture")
    with pytest.raises(BadSpec, match="classes are"):
        source.samples(msgspec.structs.replace(card, classes=card.classes[::-1]))
    with pytest.raises(BadSpec, match="splits are"):
        source.samples(msgspec.structs.replace(card, splits={"train": card.splits["train"]}))
    with pytest.raises(BadSpec, match="threshold_on"):
        registry.sources.build({"name": "sim_gesture", "pixel": {"threshold_on": 0.0}}, where="card")
    with pytest.raises(BadSpec, match="sway"):
        Scene(sway=(1.0, 0.0))
    with pytest.raises(BadSpec, match="slope"):
        Scene(slope=(-3.0, 3.0))


@pytest.fixture(scope="module")
def circles() -> tuple[np.ndarray, np.ndarray]:
    """Frames (samples, 16, 2, 16, 16) of the right arm's circles by 100 subjects and their directions, 0 or 1."""
    source = SimGesture(subjects=Subjects(train=100), seed=11)
    frames, directions = [], []
    for number in range(100):
        for direction, gesture in enumerate(("right_clockwise", "right_counter_clockwise")):
            events = source.read(f"train/s{number:03d}-{gesture}-1")
            step = np.minimum(events.t * 16 // source.duration_us, 15)
            cell = ((step * 2 + events.p) * 16 + events.y // 4) * 16 + events.x // 4
            frames.append(np.bincount(cell, minlength=16 * 2 * 256).reshape(16, 2, 16, 16))
            directions.append(direction)
    return np.array(frames, np.float32), np.array(directions)


def accuracy_of_logistic_regression(features: np.ndarray, directions: np.ndarray) -> float:
    """Accuracy on the second half (other subjects) of a regression fitted with weight decay on the first."""
    half = len(directions) // 2
    x = np.log1p(features.reshape(len(directions), -1).astype(float))
    x = (x - x[:half].mean(0)) / (x[:half].std(0) + 0.1)
    weight = np.zeros(x.shape[1])
    for _ in range(500):
        scores = np.clip(x[:half] @ weight, -30, 30)
        wrong = 1 / (1 + np.exp(-scores)) - directions[:half]
        weight -= 0.01 * (x[:half].T @ wrong / half + 0.02 * weight)
    assert ((x[:half] @ weight > 0) == directions[:half]).mean() > 0.8  # it did learn what it was shown
    return float(((x[half:] @ weight > 0) == directions[half:]).mean())


@pytest.mark.slow
def test_the_direction_of_rotation_is_not_in_the_time_summed_picture(circles) -> None:  # type: ignore[no-untyped-def]
    frames, directions = circles
    # A coin flipped 100 times stays within 3.3 standard deviations, 3.3 * sqrt(0.25 / 100) = 0.165, of one half.
    bound = 0.5 + 3.3 * math.sqrt(0.25 / (len(directions) // 2))
    assert accuracy_of_logistic_regression(frames.sum(1), directions) < bound


@pytest.mark.slow
def test_the_direction_of_rotation_is_in_the_order_of_the_frames(circles) -> None:  # type: ignore[no-untyped-def]
    frames, directions = circles
    rows, columns = np.mgrid[0:16, 0:16]
    mass = frames.sum(2)
    total = np.maximum(mass.sum((2, 3)), 1)
    centre = np.stack([(mass * columns).sum((2, 3)) / total, (mass * rows).sum((2, 3)) / total], -1)
    swept = np.zeros(len(directions))
    for sample, path in enumerate(centre):
        path = path - np.median(path, axis=0)
        # Twice the area the centre of events sweeps; positive is clockwise where y points down.
        swept[sample] = (path[:-1, 0] * path[1:, 1] - path[1:, 0] * path[:-1, 1]).sum()
    assert ((swept < 0) == directions).mean() > 0.95
