"""Time surfaces against the oracle and tonic, and the account of every event."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tonic.transforms import ToTimesurface

import eventbench as eb
from eventbench import registry
from eventbench.errors import BadSpec, UnknownName
from eventbench.representations._surface_kernels import BLOCK
from eventbench.representations.time_surface import DECAYS, SPLITS, TimeSurface
from tests.representations import oracle_grids
from tests.support.recordings import fixed, recordings

CLOSE = 1e-6
TAUS = st.sampled_from([1e-3, 1, 7.5, 50_000, 2**31, 1e12])


def made(split_by: str, parameter: int, **more: Any) -> TimeSurface:
    if SPLITS[split_by] == "bins":
        return TimeSurface(split_by=split_by, bins=parameter, **more)
    return TimeSurface(split_by=split_by, dt_us=parameter, **more)


def parameter_for(events: eb.Events, split_by: str, wanted: int) -> int:
    """`wanted`, but long enough slices that a recording of days is not cut into milliards of them."""
    return wanted if split_by == "time" else max(wanted, events.duration_us // 30)


@given(recordings(most=25), st.sampled_from(sorted(SPLITS)), st.integers(1, 9), TAUS, st.sampled_from(DECAYS))
@settings(deadline=None, max_examples=100)
def test_time_surface_equals_the_oracle_and_every_event_is_binned_or_accounted_for(
    events, split_by, wanted, tau_us, decay
):
    parameter = parameter_for(events, split_by, wanted)
    got, account = made(split_by, parameter, tau_us=tau_us, decay=decay).apply(events)
    surfaces, lost = oracle_grids.time_surface(events, split_by, parameter, tau_us, decay)
    assert got.dtype == np.float32
    assert got.shape == surfaces.shape
    assert np.abs(got - surfaces).max() <= CLOSE
    assert account == (len(events), len(events) - lost, {"tail": lost} if lost else {})


@pytest.mark.slow
@given(recordings(least=1), st.integers(1, 50), TAUS)
@settings(deadline=None, max_examples=100)
def test_tonic_duration_is_within_a_millionth_of_tonic(events, wanted, tau_us):
    if abs(int(events.t[0])) > 2**53:
        events = eb.Events(t=events.t - events.t[0], x=events.x, y=events.y, p=events.p, sensor=events.sensor)
    dt_us = parameter_for(events, "tonic_duration", wanted)
    wanted_surfaces = ToTimesurface((*events.sensor, 2), dt_us, tau_us)(events.to_structured())
    got, _ = TimeSurface(split_by="tonic_duration", dt_us=dt_us, tau_us=tau_us).apply(events)
    assert got.shape == wanted_surfaces.shape
    assert np.abs(got - wanted_surfaces).max() <= CLOSE


def test_the_decay_is_accurate_from_one_to_nothing():
    n = 3 * BLOCK + 5
    events = eb.Events(
        t=np.arange(n) * 16, x=np.arange(n), y=np.zeros(n, int), p=np.ones(n, int), sensor=(n, 1)
    )
    got, _ = TimeSurface(bins=1, tau_us=1000).apply(events)
    exact = np.exp(-(events.t[-1] - events.t) / 1000)
    assert got[0, 1, 0, -1] == 1
    assert not got[0, 0].any()
    assert not got[0, 1, 0][exact < 2.0**-127].any()
    normal = exact > 2.0**-126
    assert np.abs(got[0, 1, 0] / exact - 1)[normal].max() < 1e-5
    assert np.abs(got[0, 1, 0] - exact).max() < 1e-7


@pytest.mark.parametrize("decay", DECAYS)
def test_only_the_latest_event_of_a_cell_counts_and_polarities_are_apart(decay):
    events = eb.Events(t=[0, 30, 60, 100], x=[0] * 4, y=[0] * 4, p=[0, 1, 1, 1], sensor=(2, 1))
    got, account = TimeSurface(bins=2, tau_us=200, decay=decay).apply(events)
    since = np.array([[50, 20], [100, 0]]) / 200  # seen from 50 and 100 us
    wanted = np.exp(-since) if decay == "exp" else 1 - since
    assert np.abs(got[:, :, 0, 0] - wanted).max() < CLOSE
    assert not got[:, :, 0, 1].any()
    assert account == (4, 4, {})


@pytest.mark.parametrize("split_by", sorted(SPLITS))
@pytest.mark.parametrize("decay", DECAYS)
def test_no_event_and_one_event_are_recordings_too(split_by, decay):
    representation = made(split_by, 3, decay=decay)
    got, account = representation.apply(eb.Events.empty((4, 3)))
    assert got.shape == ((3 if split_by == "time" else 1), 2, 3, 4)
    assert not got.any()
    assert account == (0, 0, {})
    got, account = representation.apply(eb.Events(t=[7], x=[1], y=[2], p=[1], sensor=(4, 3)))
    assert got[-1, 1, 2, 1] > 0.99
    assert np.count_nonzero(got) == 1
    assert account == (1, 1, {})


def test_the_longest_span_that_times_can_have_does_not_wrap():
    t = np.array([-(2**63), -1, 0, 2**63 - 1])
    events = eb.Events.trusted(
        t, np.arange(4, dtype=np.uint16), np.zeros(4, np.uint16), np.zeros(4, np.uint8), sensor=(4, 1)
    )
    got, _ = TimeSurface(bins=2, tau_us=2.0**64, decay="lin").apply(events)
    assert np.abs(got[:, 0, 0] - [[0.5, 0, 0, 0], [0, 0.5, 0.5, 1]]).max() < CLOSE


@pytest.mark.parametrize(
    ("kind", "message", "parameters"),
    [
        (BadSpec, "bins is 0", {"bins": 0}),
        (BadSpec, "bins is None", {"bins": None}),
        (BadSpec, "dt_us is None", {"split_by": "duration"}),
        (BadSpec, "dt_us is 1.5", {"split_by": "tonic_duration", "dt_us": 1.5}),
        (BadSpec, "dt_us is 5, which", {"dt_us": 5}),
        (BadSpec, "bins is 4, which", {"split_by": "duration", "dt_us": 5, "bins": 4}),
        (BadSpec, "tau_us is 0", {"tau_us": 0}),
        (BadSpec, "tau_us is -1", {"tau_us": -1}),
        (BadSpec, "tau_us is nan", {"tau_us": float("nan")}),
        (BadSpec, "tau_us is inf", {"tau_us": float("inf")}),
        (BadSpec, "tau_us is True", {"tau_us": True}),
        (BadSpec, "tau_us is '5'", {"tau_us": "5"}),
        (UnknownName, "no split_by named 'count'", {"split_by": "count"}),
        (UnknownName, "did you mean 'lin'", {"decay": "line"}),
    ],
)
def test_a_wrong_parameter_is_refused_in_one_line(kind, message, parameters):
    with pytest.raises(kind, match=message) as caught:
        TimeSurface(**parameters)
    assert str(caught.value).startswith("time_surface: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("decay", DECAYS)
def test_with_the_least_tau_only_an_event_at_the_very_end_is_left(decay):
    events = eb.Events(t=[0, 99, 100], x=[0, 1, 2], y=[0] * 3, p=[0] * 3, sensor=(4, 1))
    got, _ = TimeSurface(bins=1, tau_us=5e-324, decay=decay).apply(events)
    assert got[0, 0, 0].tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("parameters", [{"bins": 2**50}, {"split_by": "duration", "dt_us": 1}])
def test_surfaces_of_over_16_gib_are_refused(parameters):
    events = eb.Events(t=[0, 2**40], x=[0, 1], y=[0, 1], p=[0, 1], sensor=(40, 30))
    with pytest.raises(BadSpec, match="allowed: 1789569, which are 16 GiB"):
        TimeSurface(**parameters).apply(events)


@pytest.mark.parametrize("split_by", sorted(SPLITS))
def test_shape_tells_what_apply_gives_or_says_that_it_cannot(split_by):
    representation = made(split_by, 16)
    if split_by == "time":
        assert representation.apply(fixed())[0].shape == representation.shape((40, 30)) == (16, 2, 30, 40)
    else:
        with pytest.raises(BadSpec, match="no fixed number of slices"):
            representation.shape((40, 30))


def test_a_pipeline_table_builds_it():
    table = {"name": "time_surface", "tau_us": 30_000, "bins": 3, "decay": "lin"}
    built = registry.representations.build(table, where="p.toml")
    assert built == TimeSurface(tau_us=30_000.0, bins=3, decay="lin")
    assert isinstance(built.tau_us, float)
    assert built.array_dtype == np.float32


GOLDEN = {
    "version": 1,
    "time exp": "960b7152a4832992",
    "time lin": "a771821ece53b599",
    "duration exp": "caea1471707a4ecf",
    "duration lin": "a66044a85be3bfaa",
    "tonic_duration exp": "37e819fe04073590",
    "tonic_duration lin": "1b32ededa0a8bb6e",
}


def test_the_output_changes_only_with_the_version():
    """Where this fails: raise `TimeSurface.version`, and only then put the new digests here."""
    got: dict[str, object] = {"version": TimeSurface.version}
    for split_by in SPLITS:
        for decay in DECAYS:
            array, _ = made(split_by, {"time": 4}.get(split_by, 60_000), decay=decay).apply(fixed())
            digest = hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()[:16]
            got[f"{split_by} {decay}"] = digest
    assert got == GOLDEN
