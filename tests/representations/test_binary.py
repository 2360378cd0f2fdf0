"""Binary frames against the oracle and against frames, and the account of every event."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import eventbench as eb
from eventbench import registry
from eventbench.errors import BadEvents, BadSpec, EventbenchError, UnknownName
from eventbench.representations.binary import SPLITS, Binary
from tests.representations import oracle_grids
from tests.support.recordings import fixed, recordings

FORGIVING = [name for name in SPLITS if name != "spikingjelly_time"]  # that one refuses empty windows


@given(recordings(), st.sampled_from(FORGIVING), st.integers(1, 9))
@settings(deadline=None, max_examples=80)
def test_binary_equals_the_oracle_and_every_event_is_binned_or_accounted_for(events, split_by, bins):
    got, account = Binary(bins=bins, split_by=split_by).apply(events)
    wanted, lost = oracle_grids.binary(events, split_by, bins)
    assert got.dtype == np.uint8
    assert_array_equal(got, wanted)
    assert account == (len(events), len(events) - lost, {"tail": lost} if lost else {})


@given(recordings(), st.sampled_from(FORGIVING), st.integers(1, 9))
@settings(deadline=None, max_examples=40)
def test_binary_is_frames_stopped_at_one(events, split_by, bins):
    got, _ = Binary(bins=bins, split_by=split_by).apply(events)
    assert_array_equal(got, np.minimum(eb.frames(events, bins, split_by), 1))


def test_binary_of_more_events_than_a_block_holds_is_frames_stopped_at_one():
    for sensor in ((40, 30), (257, 129)):
        events = fixed(50_000, sensor)
        got, account = Binary(bins=3).apply(events)
        assert_array_equal(got, np.minimum(eb.frames(events, 3, dtype="uint16"), 1))
        assert account == (50_000, 50_000, {})


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("split_by", FORGIVING)
def test_no_event_and_one_event_are_recordings_too(n, split_by):
    events = eb.Events(t=[7] * n, x=[1] * n, y=[2] * n, p=[1] * n, sensor=(4, 3))
    got, account = Binary(bins=5, split_by=split_by).apply(events)
    assert got.shape == (5, 2, 3, 4)
    assert got.sum() == account.binned == n - account.lost.get("tail", 0)


def test_spikingjelly_time_refuses_an_empty_window_as_frames_does():
    events = eb.Events(t=[0, 100], x=[0, 0], y=[0, 0], p=[0, 0], sensor=(1, 1))
    with pytest.raises(BadEvents, match="no event in frame 1"):
        Binary(bins=4, split_by="spikingjelly_time").apply(events)


@pytest.mark.parametrize(
    ("kind", "message", "parameters"),
    [
        (BadSpec, "bins is 0", {"bins": 0}),
        (BadSpec, "bins is 2.0", {"bins": 2.0}),
        (BadSpec, "bins is True", {"bins": True}),
        (BadSpec, "bins is None", {"bins": None}),
        (UnknownName, "did you mean 'time'", {"split_by": "tiem"}),
        (UnknownName, "no split_by named 'duration'", {"split_by": "duration"}),
        (BadSpec, "GiB; allowed: 16 GiB", {"bins": 2**50}),
    ],
)
def test_a_wrong_parameter_is_refused_in_one_line(kind, message, parameters):
    with pytest.raises(kind, match=message) as caught:
        Binary(**parameters).apply(fixed())
    assert str(caught.value).startswith("binary: ")
    assert "\n" not in str(caught.value)


def test_a_sensor_of_too_many_pixels_is_refused():
    with pytest.raises(BadSpec, match="the sensor is 65536x65536"):
        Binary(bins=1).apply(eb.Events.empty((65536, 65536)))


def test_a_pipeline_table_builds_it_and_a_wrong_one_is_refused():
    built = registry.representations.build({"name": "binary", "bins": 3, "split_by": "count"}, where="p.toml")
    assert built == Binary(bins=3, split_by="count")
    assert built.apply(fixed())[0].shape == built.shape((40, 30)) == (3, 2, 30, 40)
    assert built.array_dtype == np.uint8
    with pytest.raises(EventbenchError, match=r"p\.toml"):
        registry.representations.build({"name": "binary", "dtype": "int8"}, where="p.toml")


GOLDEN = {"version": 1, "time": "8c18fa8331d2ce36", "count": "9a6c99ffba6c73fe"}


def test_the_output_changes_only_with_the_version():
    """Where this fails: raise `Binary.version`, and only then put the new digests here."""
    got: dict[str, object] = {"version": Binary.version}
    for split_by in ("time", "count"):
        array, _ = Binary(bins=4, split_by=split_by).apply(fixed())
        got[split_by] = hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()[:16]
    assert got == GOLDEN
