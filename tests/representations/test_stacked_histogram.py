"""The stacked histogram against its definition in whole numbers, and against RVT's arithmetic in float32."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.representations.stacked_histogram import StackedHistogram
from tests.representations import oracle_surfaces
from tests.support.recordings import fixed, recordings


@pytest.mark.slow
@given(recordings(), st.integers(1, 12), st.sampled_from([1, 2, 10, 254, 255]))
@settings(deadline=None, max_examples=100)
def test_counts_equal_the_oracle_and_every_event_is_accounted_for(events, bins, cutoff):
    representation = StackedHistogram(bins=bins, count_cutoff=cutoff)
    got, account = representation.apply(events)
    counts, lost = oracle_surfaces.stacked_histogram(events, bins, cutoff)
    assert got.dtype == representation.array_dtype
    assert_array_equal(got, counts)
    assert account == (len(events), len(events) - lost, {"saturated": lost} if lost else {})


def by_float32(events: Events, bins: int, cutoff: int) -> np.ndarray:
    """The program of the paper's authors, as its arithmetic goes: division of whole numbers gives float32."""
    since = (events.t - events.t[0]).astype(np.float32) / np.float32(max(events.duration_us, 1))
    at = np.minimum(np.floor(since * np.float32(bins)), bins - 1).astype(np.int64)
    width, height = events.sensor
    counts = np.zeros((2, bins, height, width), np.int64)
    np.add.at(counts, (events.p, at, events.y, events.x), 1)
    return np.minimum(counts, cutoff).reshape(1, 2 * bins, height, width)


@pytest.mark.parametrize(("bins", "cutoff"), [(10, 10), (5, 255), (1, 3)])
def test_a_recording_whose_times_float32_holds_gives_what_the_authors_program_gives(bins, cutoff):
    events = fixed()
    assert_array_equal(
        StackedHistogram(bins=bins, count_cutoff=cutoff).apply(events)[0], by_float32(events, bins, cutoff)
    )


def test_300_events_in_one_cell_stay_at_the_cutoff_instead_of_wrapping_to_44():
    n = 300
    events = Events(t=[0] * n, x=[1] * n, y=[0] * n, p=[1] * n, sensor=(2, 1))
    got, account = StackedHistogram(bins=2, count_cutoff=255).apply(events)
    assert got.reshape(-1).tolist() == [0, 0, 0, 0, 0, 255, 0, 0]
    assert account.lost == {"saturated": 45}


def test_channels_are_polarity_first_then_time():
    events = Events(t=[0, 4, 9, 10], x=[0, 1, 0, 1], y=[0, 0, 0, 0], p=[0, 0, 1, 1], sensor=(2, 1))
    got, _ = StackedHistogram(bins=2).apply(events)
    assert got.reshape(4, 2).tolist() == [[1, 1], [0, 0], [0, 0], [1, 1]]


def test_times_at_both_ends_of_int64_do_not_overflow():
    low, high = -(2**63), 2**63 - 1
    events = Events(t=[low, 0, high], x=[0] * 3, y=[0] * 3, p=[0] * 3, sensor=(1, 1))
    assert StackedHistogram(bins=2).apply(events)[0].reshape(-1).tolist() == [1, 2, 0, 0]
    last = Events(t=[high, high], x=[0] * 2, y=[0] * 2, p=[0] * 2, sensor=(1, 1))
    assert StackedHistogram(bins=2).apply(last)[0].reshape(-1).tolist() == [2, 0, 0, 0]


def test_an_empty_recording_gives_zeros():
    got, account = StackedHistogram(bins=3).apply(Events.empty((4, 3)))
    assert_array_equal(got, np.zeros((1, 6, 3, 4), np.uint8))
    assert account == (0, 0, {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"bins": 0},
        {"bins": 2.5},
        {"bins": True},
        {"count_cutoff": 0},
        {"count_cutoff": 256},
        {"count_cutoff": None},
    ],
)
def test_a_parameter_out_of_range_is_refused_by_name(wrong):
    with pytest.raises(BadSpec, match=f"stacked_histogram: {next(iter(wrong))} is"):
        StackedHistogram(**wrong)


def test_an_array_beyond_16_gib_is_refused():
    with pytest.raises(BadSpec, match="allowed: 16 GiB"):
        StackedHistogram(bins=10**9).apply(Events.empty((640, 480)))
