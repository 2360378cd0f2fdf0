"""The event spike tensor against a sum over every event and sampling time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from eventbench.errors import BadSpec, UnknownName
from eventbench.events import Events
from eventbench.representations.event_spike_tensor import KERNELS, MEASURES, EventSpikeTensor
from tests.representations import oracle_surfaces
from tests.support.recordings import recordings


@pytest.mark.slow
@given(
    recordings(most=15),
    st.integers(1, 6),
    st.sampled_from(KERNELS),
    st.sampled_from(MEASURES),
    st.sampled_from([0.5, 3.0, 1000.0, 2.0**33]),
)
@settings(deadline=None, max_examples=120)
def test_sums_equal_the_oracle_and_every_event_is_binned(events, bins, kernel, measure, tau):
    tau_us = None if kernel == "trilinear" else tau
    representation = EventSpikeTensor(bins=bins, kernel=kernel, measure=measure, tau_us=tau_us)
    got, account = representation.apply(events)
    assert got.dtype == representation.array_dtype
    wanted = oracle_surfaces.event_spike_tensor(events, bins, kernel, measure, tau_us)
    assert_allclose(got, wanted, rtol=1e-6, atol=1e-9 * max(len(events), 1))
    assert account == (len(events), len(events), {})


@pytest.mark.slow
@given(recordings(), st.integers(1, 9))
@settings(deadline=None, max_examples=40)
def test_trilinear_counts_share_out_every_event_wholly(events, bins):
    got, _ = EventSpikeTensor(bins=bins, measure="count").apply(events)
    assert got.sum(dtype=np.float64) == pytest.approx(len(events), rel=1e-5)


def test_an_event_between_two_sampling_times_is_shared_by_nearness_and_weighted_by_its_time():
    events = Events(t=[0, 30, 100], x=[0] * 3, y=[0] * 3, p=[0, 1, 0], sensor=(1, 1))
    counts, _ = EventSpikeTensor(bins=3, measure="count").apply(events)
    assert_allclose(counts.reshape(3, 2), [[1.0, 0.4], [0.0, 0.6], [1.0, 0.0]], rtol=1e-6)
    times, _ = EventSpikeTensor(bins=3, measure="timestamp").apply(events)
    assert_allclose(times.reshape(3, 2), [[0.0, 0.12], [0.0, 0.18], [1.0, 0.0]], rtol=1e-6)


def test_the_alpha_kernel_reaches_1_one_time_constant_after_an_event_and_nothing_before_it():
    events = Events(t=[0, 200, 400], x=[0, 1, 2], y=[0] * 3, p=[1] * 3, sensor=(3, 1))
    got, _ = EventSpikeTensor(bins=4, kernel="alpha", measure="count", tau_us=100).apply(events)
    assert_allclose(got[:, 1, 0, 0], [n * math.exp(1 - n) for n in (1, 2, 3, 4)], rtol=1e-6)
    assert_allclose(got[:, 1, 0, 1], [0, 0, 1, 2 * math.exp(-1)], rtol=1e-6, atol=1e-12)
    assert_array_equal(got[:, 1, 0, 2], 0)


def test_times_at_both_ends_of_int64_do_not_overflow():
    events = Events(t=[-(2**63), 2**63 - 1], x=[0] * 2, y=[0] * 2, p=[0] * 2, sensor=(1, 1))
    got, _ = EventSpikeTensor(bins=2, measure="count").apply(events)
    assert got[:, 0, 0, 0].tolist() == [1, 1]
    last = Events(t=[2**63 - 1] * 2, x=[0] * 2, y=[0] * 2, p=[0] * 2, sensor=(1, 1))
    for kernel, tau_us in (("trilinear", None), ("exponential", 1)):
        got, _ = EventSpikeTensor(bins=2, kernel=kernel, measure="count", tau_us=tau_us).apply(last)
        assert got[0, 0, 0, 0] == 2


def test_an_empty_recording_gives_zeros():
    got, account = EventSpikeTensor(bins=3).apply(Events.empty((4, 3)))
    assert_array_equal(got, np.zeros((3, 2, 3, 4), np.float32))
    assert account == (0, 0, {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"bins": 0},
        {"tau_us": 10},
        {"tau_us": None, "kernel": "alpha"},
        {"tau_us": 0, "kernel": "exponential"},
        {"tau_us": math.nan, "kernel": "alpha"},
        {"tau_us": math.inf, "kernel": "alpha"},
    ],
)
def test_a_parameter_out_of_range_is_refused_by_name(wrong):
    with pytest.raises(BadSpec, match=f"event_spike_tensor: {next(iter(wrong))} is"):
        EventSpikeTensor(**wrong)


@pytest.mark.parametrize("wrong", [{"kernel": "learned"}, {"measure": "sum"}])
def test_an_unknown_kernel_or_measure_is_refused_with_those_there_are(wrong):
    with pytest.raises(UnknownName, match="allowed: "):
        EventSpikeTensor(**wrong)
