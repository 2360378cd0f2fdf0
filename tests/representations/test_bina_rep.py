"""Bina-Rep against binary frames put together bit by bit, and against tonic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tonic.transforms import ToBinaRep, ToFrame

from eventbench.errors import BadSpec, EventbenchError, UnknownName
from eventbench.events import Events
from eventbench.representations.bina_rep import SPLITS, BinaRep
from eventbench.representations.frames import Frames
from tests.representations import oracle_surfaces
from tests.support.recordings import fixed, recordings


@pytest.mark.slow
@given(
    recordings(),
    st.sampled_from(["time", "count", "tonic_time", "tonic_count"]),
    st.integers(1, 3),
    st.integers(2, 9),
)
@settings(deadline=None, max_examples=80)
def test_numbers_equal_the_bits_of_the_frames_and_every_event_is_accounted_for(events, split_by, bins, bits):
    representation = BinaRep(bins=bins, bits=bits, split_by=split_by)
    got, account = representation.apply(events)
    counts, of_frames = Frames(bins=bins * bits, split_by=split_by, dtype="uint32").apply(events)
    assert got.dtype == representation.array_dtype
    assert_array_equal(got, oracle_surfaces.bina_rep(counts > 0, bits).astype(np.float32))
    assert account == of_frames


@pytest.mark.slow
@given(
    recordings(least=1), st.sampled_from(["tonic_time", "tonic_count"]), st.integers(1, 3), st.integers(2, 24)
)
@settings(deadline=None, max_examples=60)
def test_tonic_modes_equal_tonic_bit_for_bit(events, split_by, bins, bits):
    cut = {"tonic_time": "n_time_bins", "tonic_count": "n_event_bins"}[split_by]
    frames = ToFrame((*events.sensor, 2), **{cut: bins * bits})(events.to_structured())
    wanted = ToBinaRep(n_frames=bins, n_bits=bits)(frames)
    got, _ = BinaRep(bins=bins, bits=bits, split_by=split_by).apply(events)
    assert got.dtype == wanted.dtype
    assert_array_equal(got, wanted)


def test_the_earliest_slice_is_the_highest_bit_and_an_event_in_every_slice_is_1():
    events = Events(t=[0, 10, 20, 30, 40], x=[0, 0, 0, 0, 1], y=[0] * 5, p=[1] * 5, sensor=(2, 1))
    got, _ = BinaRep(bits=4).apply(events)
    assert got[0, 1, 0].tolist() == [1, np.float32(1 / 15)]


@pytest.mark.parametrize("split_by", SPLITS)
def test_every_way_to_cut_gives_numbers_from_0_to_1(split_by):
    got, account = BinaRep(bins=2, bits=3, split_by=split_by).apply(fixed())
    assert 0 == got.min() < got.max() <= 1
    assert account.events == account.binned + sum(account.lost.values())


@pytest.mark.parametrize("split_by", ["time", "count", "tonic_time"])
def test_an_empty_recording_gives_zeros(split_by):
    got, account = BinaRep(bins=2, split_by=split_by).apply(Events.empty((4, 3)))
    assert_array_equal(got, np.zeros((2, 2, 3, 4), np.float32))
    assert account == (0, 0, {})


def test_the_spikingjelly_mode_refuses_what_it_cannot_split():
    with pytest.raises(EventbenchError, match="no events"):
        BinaRep(split_by="spikingjelly_time").apply(Events.empty((4, 3)))


@pytest.mark.parametrize("wrong", [{"bins": 0}, {"bins": "2"}, {"bits": 1}, {"bits": 25}, {"bits": 2.0}])
def test_a_parameter_out_of_range_is_refused_by_name(wrong):
    with pytest.raises(BadSpec, match=f"bina_rep: {next(iter(wrong))} is"):
        BinaRep(**wrong)


def test_a_way_to_cut_without_a_fixed_number_of_frames_is_refused():
    with pytest.raises(UnknownName, match="no split_by named 'duration'"):
        BinaRep(split_by="duration")
