"""Binning: steps, then a representation; the same frames and account from packed columns as from events."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from eventbench.errors import BadSpec, UnknownName
from eventbench.events import Events
from eventbench.events.packed import PackedEvents
from eventbench.preprocess.binning import Binning
from eventbench.representations.frames import Frames
from eventbench.specs.catalog import Named
from eventbench.specs.pipeline import Pipeline
from eventbench.steps.downsample import Downsample
from eventbench.steps.drop_events import DropEvents
from tests.support.recordings import recordings

FRAMES = {"name": "frames", "bins": 3, "split_by": "time", "dtype": "uint16"}


def pipeline(*steps: dict[str, Any], **changes: Any) -> Named[Pipeline]:
    return Named("own-v1", Path("own-v1.toml"), Pipeline(steps=list(steps), representation=FRAMES | changes))


@pytest.mark.slow
@settings(deadline=None)
@given(recordings())
def test_frames_and_account_are_those_of_the_steps_and_the_representation_one_by_one(events: Events) -> None:
    binning = Binning.of(pipeline({"name": "downsample", "factor": 2}, {"name": "crop_count", "events": 7}))
    frames, account = binning.apply(PackedEvents.of(events))
    halved = binning.steps[0].apply(events)
    last = binning.steps[1].apply(halved)
    expected, _ = binning.representation.apply(last)
    assert np.array_equal(frames, expected)
    assert frames.shape == binning.shape(events.sensor)
    assert frames.dtype == binning.dtype
    assert last.sensor == binning.sensor(events.sensor)
    assert account.events == len(events) == account.binned + sum(account.lost.values())
    assert account.lost["crop_count"] == len(halved) - len(last)


@settings(deadline=None)
@given(recordings())
def test_packed_columns_and_events_are_binned_alike(events: Events) -> None:
    for steps in ([], [{"name": "flip_polarity", "probability": 1.0}]):
        binning = Binning.of(pipeline(*steps))
        (one, first), (two, second) = binning.apply(events), binning.apply(PackedEvents.of(events))
        assert np.array_equal(one, two)
        assert first == second


def test_frames_are_written_into_the_array_that_is_given() -> None:
    events = Events(t=[0, 5, 9], x=[0, 1, 2], y=[0, 1, 2], p=[0, 1, 0], sensor=(4, 4))
    for steps in ([], [{"name": "downsample", "factor": 2}]):
        binning = Binning.of(pipeline(*steps))
        out = np.full(binning.shape((4, 4)), 99, binning.dtype)
        frames, _ = binning.apply(PackedEvents.of(events), out=out)
        assert frames is out
        assert np.array_equal(out, binning.apply(events)[0])


def test_a_step_named_twice_is_counted_together() -> None:
    binning = Binning.of(pipeline({"name": "crop_count", "events": 3}, {"name": "crop_count", "events": 1}))
    events = Events(t=range(5), x=[0] * 5, y=[0] * 5, p=[0] * 5, sensor=(1, 1))
    assert binning.apply(events)[1].lost == {"crop_count": 4}


def test_augmentation_comes_first_and_draws_from_the_generator() -> None:
    events = Events(t=range(1000), x=[0] * 1000, y=[0] * 1000, p=[0] * 1000, sensor=(4, 4))
    plain = Binning.of(pipeline({"name": "downsample", "factor": 2}))
    augmented = plain.augmented([DropEvents(least=0.5, most=0.5)])
    assert [type(step) for step in augmented.steps] == [DropEvents, Downsample]
    assert augmented.shape((4, 4)) == plain.shape((4, 4)) == (3, 2, 2, 2)
    one, two, other = (augmented.apply(events, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(one[0], two[0])
    assert not np.array_equal(one[0], other[0])
    assert one[1].lost["DropEvents"] > 0
    assert one[1].events == 1000


def test_a_binning_of_a_representation_alone_has_no_steps_and_can_be_pickled() -> None:
    binning = Binning(Frames(bins=3))
    assert binning.steps == ()
    assert binning.sensor((4, 4)) == (4, 4)
    assert pickle.loads(pickle.dumps(binning)) == binning


def test_a_random_step_in_a_pipeline_is_refused() -> None:
    with pytest.raises(
        BadSpec, match=r"^own-v1\.toml: step 'drop_events' is random: a store must"
    ) as refused:
        Binning.of(pipeline({"name": "drop_events", "least": 0.5, "most": 0.5}))
    assert refused.value.reason == "random_step"


def test_members_that_are_not_there_are_refused_with_the_file() -> None:
    with pytest.raises(UnknownName, match=r"^own-v1\.toml: no step named 'downsmaple'"):
        Binning.of(pipeline({"name": "downsmaple"}))
    with pytest.raises(UnknownName, match=r"^own-v1\.toml: no representation named 'framez'"):
        Binning.of(pipeline(name="framez"))
