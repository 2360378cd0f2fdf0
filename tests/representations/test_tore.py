"""TORE volumes against queues kept in plain Python."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.representations.tore import Tore
from tests.representations import oracle_surfaces
from tests.support.recordings import fixed, recordings


@given(
    recordings(most=15),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from([(0, 1), (150, 5_000_000), (0, 2**40), (2000, 2001)]),
)
@settings(deadline=None, max_examples=60)
def test_ages_equal_the_oracle_and_every_event_is_accounted_for(events, bins, depth, taus):
    representation = Tore(bins=bins, depth=depth, tau_min_us=taus[0], tau_max_us=taus[1])
    got, account = representation.apply(events)
    volume, displaced = oracle_surfaces.tore(events, bins, depth, *taus)
    assert got.dtype == representation.array_dtype
    assert_allclose(got, volume, rtol=1e-6, atol=1e-6)
    assert account == (len(events), len(events) - displaced, {"displaced": displaced} if displaced else {})


def test_the_most_recent_event_comes_first_and_places_no_event_took_are_at_the_top():
    events = Events(t=[0, 1000, 3000, 9000], x=[0] * 4, y=[0] * 4, p=[1, 1, 1, 0], sensor=(1, 1))
    got, account = Tore(depth=2, tau_min_us=0, tau_max_us=7000).apply(events)
    wanted = [math.log(1), math.log(7001), math.log(6001), math.log(7001)]
    assert_allclose(got.reshape(-1), wanted, rtol=1e-6)
    assert account.lost == {"displaced": 1}


def test_a_queue_runs_on_from_step_to_step():
    events = Events(t=[0, 1000], x=[0, 1], y=[0, 0], p=[1, 1], sensor=(2, 1))
    got, _ = Tore(bins=2, depth=1, tau_min_us=0).apply(events)
    assert_allclose(got[:, 1, 0, 0], [math.log(501), math.log(1001)], rtol=1e-6)


def test_an_event_seen_at_one_step_is_not_lost_when_later_ones_push_it_out():
    events = Events(t=[0, 900, 901, 1000], x=[0] * 4, y=[0] * 4, p=[0] * 4, sensor=(1, 1))
    assert Tore(bins=2, depth=1).apply(events)[1] == (4, 2, {"displaced": 2})
    assert Tore(bins=1, depth=1).apply(events)[1] == (4, 1, {"displaced": 3})


def test_ages_within_tau_min_are_0_and_the_top_is_that_of_tau_max():
    got, _ = Tore(depth=3).apply(fixed())
    assert got.min() == 0
    assert got.max() == pytest.approx(math.log(5_000_001 / 151))


def test_times_at_both_ends_of_int64_do_not_overflow():
    events = Events(t=[-(2**63), 2**63 - 1], x=[0] * 2, y=[0] * 2, p=[0] * 2, sensor=(1, 1))
    got, _ = Tore(bins=2, depth=2, tau_min_us=0, tau_max_us=10).apply(events)
    assert_allclose(got[1, :2].reshape(-1), [0, math.log(11)], rtol=1e-6)


def test_an_empty_recording_is_at_the_top_everywhere():
    got, account = Tore(bins=2, depth=3, tau_min_us=1, tau_max_us=9).apply(Events.empty((4, 3)))
    assert got.shape == (2, 6, 3, 4)
    assert_allclose(got, math.log(10) - math.log(2), rtol=1e-6)
    assert account == (0, 0, {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"bins": 0},
        {"depth": 0},
        {"depth": 256},
        {"depth": 1.5},
        {"tau_min_us": -1},
        {"tau_max_us": 0},
        {"tau_max_us": 150},
    ],
)
def test_a_parameter_out_of_range_is_refused_by_name(wrong):
    with pytest.raises(BadSpec, match=f"tore: {next(iter(wrong))} is"):
        Tore(**wrong)
