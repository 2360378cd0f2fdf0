"""Steps that remember what a pixel did: against slow versions, and against tonic in its modes."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tonic import functional

from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.steps.base import Step
from eventbench.steps.decimate import Decimate
from eventbench.steps.denoise import Denoise
from eventbench.steps.downsample_events import DownsampleEvents
from eventbench.steps.drop_hot_pixels import DropHotPixels
from eventbench.steps.refractory_period import RefractoryPeriod
from tests.steps import oracle_steps
from tests.support.recordings import fixed, recordings

generated = partial(settings, deadline=None, max_examples=60)
spans = st.sampled_from([1, 2, 3, 500, 1000, 2**31, 2**33, 2**61])


def at(events: Events, remaining: list[int]) -> Events:
    columns = {name: getattr(events, name)[remaining] for name in "txyp"}
    return Events(**columns, sensor=events.sensor)


def as_tonic(events: Events) -> np.ndarray:
    """In 64 bits: tonic's decimation adds 1 to a coordinate of the events' own type."""
    kinds = [("x", "i8"), ("y", "i8"), ("t", "i8"), ("p", "i8")]
    return events.to_structured()[["x", "y", "t", "p"]].astype(kinds)


def same_as_tonic(step: Step, events: Events, expected: np.ndarray) -> None:
    remaining = step.apply(events)
    for name in "txyp":
        assert np.array_equal(getattr(remaining, name), expected[name] if len(expected) else []), name


@st.composite
def near_zero(draw: st.DrawFn) -> Events:
    """Few pixels and times around 0 and around the filter's time, where tonic's start matters."""
    n = draw(st.integers(1, 25))
    times = sorted(draw(st.lists(st.integers(-8, 30), min_size=n, max_size=n)))
    x, y = (draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)) for _ in "xy")
    return Events(t=times, x=x, y=y, p=[i % 2 for i in range(n)], sensor=(6, 5))


@given(recordings(), spans, st.sampled_from([4, 8]))
@generated()
def test_denoise_keeps_events_that_a_neighbour_supports(events, span, neighbours):
    step = Denoise(filter_time_us=span, neighbours=neighbours)
    assert step.apply(events) == at(events, oracle_steps.denoise(events, span, neighbours))


@given(near_zero(), st.integers(1, 12))
@generated()
def test_denoise_in_tonics_mode_is_tonics(events, span):
    same_as_tonic(
        Denoise(filter_time_us=span, tonic=True),
        events,
        functional.denoise_numpy(as_tonic(events), filter_time=span),
    )


@given(recordings(), spans, st.booleans())
@generated()
def test_refractory_period_silences_a_pixel_after_an_event(events, period, since_any):
    step = RefractoryPeriod(period_us=period, since_any=since_any)
    assert step.apply(events) == at(events, oracle_steps.refractory_period(events, period, since_any))


@given(near_zero(), st.integers(1, 12))
@generated()
def test_refractory_period_in_tonics_mode_is_tonics(events, period):
    expected = functional.refractory_period_numpy(as_tonic(events), refractory_period=period)
    same_as_tonic(RefractoryPeriod(period_us=period, tonic=True), events, expected)


@given(recordings(), st.integers(1, 300))
@generated()
def test_decimation_keeps_every_nth_event_of_a_pixel(events, n):
    assert Decimate(n=n).apply(events) == at(events, oracle_steps.decimate(events, n))


@given(near_zero(), st.integers(1, 5))
@generated()
def test_decimation_is_tonics(events, n):
    same_as_tonic(Decimate(n=n), events, functional.decimate_numpy(as_tonic(events), n))


@pytest.mark.slow
@given(recordings(), st.integers(1, 40), st.integers(1, 5))
@generated()
def test_a_coarse_pixel_fires_when_its_sum_reaches_the_threshold(events, factor, threshold):
    small = DownsampleEvents(factor=factor, threshold=threshold).apply(events)
    remaining = at(events, oracle_steps.downsample_events(events, factor, threshold))
    sensor = (-(-events.sensor[0] // factor), -(-events.sensor[1] // factor))
    assert small == Events(
        t=remaining.t, x=remaining.x // factor, y=remaining.y // factor, p=remaining.p, sensor=sensor
    )


def test_noise_of_both_polarities_cancels_in_a_coarse_pixel_and_a_moving_edge_does_not():
    n = 64
    noise = Events(
        t=range(n), x=[i % 4 for i in range(n)], y=[0] * n, p=[i % 2 for i in range(n)], sensor=(4, 4)
    )
    edge = Events(t=range(n), x=[i % 4 for i in range(n)], y=[0] * n, p=[1] * n, sensor=(4, 4))
    step = DownsampleEvents(factor=4)
    assert len(step.apply(noise)) == 0
    assert len(step.apply(edge)) == n // 8


def hot_recording() -> Events:
    """fixed(), and a pixel at (39, 29) that fires every 10 us."""
    events = fixed()
    t = np.arange(events.t[0], events.t[-1], 10)
    one = np.ones(len(t), int)
    order = np.argsort(np.concatenate([events.t, t]), kind="stable")
    columns = {"t": t, "x": 39 * one, "y": 29 * one, "p": one}
    return Events(
        **{name: np.concatenate([getattr(events, name), columns[name]])[order] for name in "txyp"},
        sensor=events.sensor,
    )


def test_a_hot_pixel_goes_and_every_other_event_stays():
    events = hot_recording()
    outside = ~((events.x == 39) & (events.y == 29)) & ~((events.x == 0) & (events.y == 0))
    # fixed() has a third of its events at (0, 0), which is a hot pixel too.
    assert DropHotPixels().apply(events) == at(events, np.flatnonzero(outside).tolist())


def test_pixels_above_a_stated_rate_go():
    events = Events(t=[0, 100, 200, 300, 1_000_000], x=[0, 0, 0, 1, 1], y=[0] * 5, p=[1] * 5, sensor=(2, 1))
    assert DropHotPixels(most_hz=2.5).apply(events).x.tolist() == [1, 1]
    assert DropHotPixels(most_hz=3).apply(events) == events


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda: Denoise(filter_time_us=0), "filter_time_us is 0"),
        (lambda: Denoise(neighbours=6), "neighbours is 6"),
        (lambda: RefractoryPeriod(period_us=-1), "period_us is -1"),
        (lambda: Decimate(n=True), "n is True"),
        (lambda: DownsampleEvents(factor=0), "factor is 0"),
        (lambda: DownsampleEvents(factor=2, threshold=0), "threshold is 0"),
        (lambda: DropHotPixels(most_hz=float("nan")), "most_hz is nan"),
    ],
)
def test_parameters_that_mean_nothing_are_refused_with_their_value(step, message):
    with pytest.raises(BadSpec, match=message):
        step()
