"""Steps that keep the very events that eventcv's and evutils' filters keep; skipped where these are not installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench.events import Events
from eventbench.steps.crop import Crop
from eventbench.steps.denoise import Denoise
from eventbench.steps.refractory_period import RefractoryPeriod
from tests.support.recordings import recordings

PERIODS_US = st.sampled_from([2, 3, 4, 500, 1001, 2**31, 2**33])


@st.composite
def from_zero(draw: st.DrawFn) -> Events:
    """A recording that begins at 0: eventcv has no times before."""
    events = draw(recordings(least=1))
    return Events(t=events.t - events.t[0], x=events.x, y=events.y, p=events.p, sensor=events.sensor)


def stream_of(events: Events) -> Any:
    eventcv = pytest.importorskip("eventcv")
    rows = np.stack([events.x, events.y, events.t, events.p], axis=1).astype(np.int64)
    return eventcv.from_numpy(rows, time_unit="us", sensor_size=events.sensor)


def same_as_eventcv(ours: Events, theirs: Any) -> None:
    expected = np.stack([ours.x, ours.y, ours.t, ours.p], axis=1).astype(np.int64)
    assert np.array_equal(theirs.numpy().reshape(-1, 4), expected)


@given(from_zero(), PERIODS_US)
@settings(deadline=None, max_examples=60)
def test_the_refractory_period_of_eventcv_is_ours_a_microsecond_shorter(events: Events, dt: int) -> None:
    stream = stream_of(events)
    same_as_eventcv(RefractoryPeriod(period_us=dt - 1).apply(events), stream.refractory_filter(dt))
    since_any = RefractoryPeriod(period_us=dt - 1, since_any=True)
    same_as_eventcv(since_any.apply(events), stream.refractory_filter(dt, refresh="all"))


@given(from_zero(), PERIODS_US)
@settings(deadline=None, max_examples=60)
def test_eventcvs_filter_of_background_activity_is_denoise_a_microsecond_longer(
    events: Events, dt: int
) -> None:
    stream = stream_of(events)
    same_as_eventcv(Denoise(filter_time_us=dt + 1).apply(events), stream.background_activity_filter(dt))
    of_four = Denoise(filter_time_us=dt + 1, neighbours=4).apply(events)
    same_as_eventcv(of_four, stream.background_activity_filter(dt, neighbourhood="cross"))


@given(from_zero(), st.data())
@settings(deadline=None, max_examples=60)
def test_crop_is_eventcvs(events: Events, data: st.DataObject) -> None:
    width, height = (data.draw(st.integers(1, side)) for side in events.sensor)
    x, y = (data.draw(st.integers(0, a - b)) for a, b in zip(events.sensor, (width, height), strict=True))
    cropped = Crop(x=x, y=y, width=width, height=height).apply(events)
    same_as_eventcv(cropped, stream_of(events).crop(x, y, width, height))


@given(from_zero(), PERIODS_US)
@settings(deadline=None, max_examples=60)
def test_the_refractory_period_of_evutils_is_ours_since_any_event(events: Events, delta: int) -> None:
    functional = pytest.importorskip("evutils.transforms.functional")
    types = pytest.importorskip("evutils.types")
    theirs = functional.refractory_period(types.EventArray(events.t, events.x, events.y, events.p), delta)
    ours = RefractoryPeriod(period_us=delta, since_any=True).apply(events)
    for name in "txyp":
        assert np.array_equal(getattr(theirs, name), getattr(ours, name)), name
