"""Downsample: sum-pooling before binning."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import eventbench as eb
from eventbench.errors import BadSpec
from eventbench.steps.downsample import Downsample
from tests.support.recordings import recordings


@given(recordings(), st.integers(1, 300))
@settings(deadline=None, max_examples=60)
def test_frames_of_downsampled_events_are_sum_pooled_frames(events, factor):
    step = Downsample(factor=factor)
    small = step.apply(events)
    assert small.sensor == step.sensor(events.sensor)
    full = eb.frames(events, 3, dtype="int32")
    T, P, H, W = full.shape
    width, height = small.sensor
    padded = np.zeros((T, P, height * factor, width * factor), np.int32) if factor < 20 else None
    if padded is None:  # one cell or few: pool by adding up whole rows and columns
        assert eb.frames(small, 3, dtype="int32").sum() == full.sum()
        return
    padded[:, :, :H, :W] = full
    pooled = padded.reshape(T, P, height, factor, width, factor).sum(axis=(3, 5))
    assert_array_equal(eb.frames(small, 3, dtype="int32"), pooled)


@given(recordings(), st.integers(1, 65535))
@settings(deadline=None, max_examples=60)
def test_downsampling_keeps_every_event_its_time_its_polarity_and_a_valid_place(events, factor):
    small = Downsample(factor=factor).apply(events)
    again = eb.Events(t=small.t, x=small.x, y=small.y, p=small.p, sensor=small.sensor)
    assert again == small
    assert small.x.dtype == np.uint16
    assert small.y.dtype == np.uint16
    assert_array_equal(small.t, events.t)
    assert_array_equal(small.p, events.p)


@pytest.mark.parametrize(
    ("sensor", "factor", "expected"),
    [((128, 128), 2, (64, 64)), ((5, 3), 2, (3, 2)), ((5, 3), 7, (1, 1)), ((65536, 1), 65535, (2, 1))],
)
def test_the_sensor_is_divided_and_rounded_up(sensor, factor, expected):
    assert Downsample(factor=factor).sensor(sensor) == expected


@pytest.mark.parametrize("factor", [0, -2, 1.5, True, "2", 65536, None])
def test_a_factor_that_is_no_whole_number_from_one_is_refused(factor):
    with pytest.raises(BadSpec, match="factor is"):
        Downsample(factor=factor)
