"""The modes that promise another package's frames, against that package or what it gave."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tonic.transforms import ToFrame

import eventbench as eb
from eventbench.errors import BadEvents
from tests.representations import oracle_frames as oracle
from tests.support.recordings import recordings

TONIC = {
    "tonic_time": ("n_time_bins", "bins"),
    "tonic_count": ("n_event_bins", "bins"),
    "tonic_duration": ("time_window", "duration_us"),
    "tonic_events": ("event_count", "events_per_frame"),
}


def _parameter(events: eb.Events, split_by: str, wanted: int) -> int:
    """`wanted`, but long enough windows that a recording of days is not cut into milliards of frames."""
    return max(wanted, events.duration_us // 60) if split_by.endswith("duration") else wanted


@pytest.mark.slow
@given(recordings(least=1), st.sampled_from(sorted(TONIC)), st.integers(1, 50))
@settings(deadline=None, max_examples=120)
def test_tonic_modes_equal_tonic_and_account_for_what_it_drops(events, split_by, wanted):
    theirs, ours = TONIC[split_by]
    value = _parameter(events, split_by, wanted)
    wanted_frames = ToFrame((*events.sensor, 2), **{theirs: value})(events.to_structured())
    parameter: dict[str, Any] = {ours: value}
    got, account = eb.frames(events, split_by=split_by, dtype="int16", return_account=True, **parameter)
    assert_array_equal(got, wanted_frames)
    assert got.dtype == wanted_frames.dtype
    dropped = len(events) - int(wanted_frames.sum())
    assert account.lost == ({"tail": dropped} if dropped else {})


@given(recordings(), st.sampled_from(sorted(TONIC)), st.integers(1, 50))
@settings(deadline=None, max_examples=50)
def test_tonic_modes_equal_the_oracle_also_where_tonic_has_no_answer(events, split_by, wanted):
    value = _parameter(events, split_by, wanted)
    parameter: dict[str, Any] = {TONIC[split_by][1]: value}
    got, account = eb.frames(events, split_by=split_by, return_account=True, **parameter)
    counts, lost = oracle.frames(events, split_by, value, 255)
    assert_array_equal(got, counts)
    assert account == (len(events), int(counts.sum()), lost)


@pytest.mark.parametrize("duration_us", [1, 3, 10])
@pytest.mark.parametrize("span", [9, 10, 11, 29, 30, 31])
def test_tonic_duration_agrees_at_the_edges_of_a_window(span, duration_us):
    events = eb.Events(t=[0, span // 2, span], x=[0] * 3, y=[0] * 3, p=[0] * 3, sensor=(1, 1))
    wanted = ToFrame((1, 1, 2), time_window=duration_us)(events.to_structured())
    assert_array_equal(eb.frames(events, split_by="tonic_duration", duration_us=duration_us), wanted)


@pytest.fixture(scope="module")
def spikingjelly(golden):
    with np.load(golden / "framing_sj.npz") as file:
        stored = dict(file)
    meta = json.loads(str(stored["meta"]))
    columns = {name: stored[f"ev_{name}"] for name in "txyp"}
    return eb.Events(**columns, sensor=(meta["W"], meta["H"])), stored


@pytest.mark.parametrize("bins", [4, 7, 20])
@pytest.mark.parametrize(("split_by", "theirs"), [("time", "time"), ("count", "number")])
def test_spikingjelly_modes_equal_frames_it_made(spikingjelly, split_by, theirs, bins):
    events, stored = spikingjelly
    got = eb.frames(events, bins, f"spikingjelly_{split_by}", "uint16")
    assert_array_equal(got, stored[f"{theirs}{bins}_frames"])
    assert_array_equal(got, eb.frames(events, bins, split_by, "uint16"))


def test_spikingjelly_duration_equals_frames_it_made(spikingjelly):
    events, stored = spikingjelly
    got = eb.frames(events, split_by="spikingjelly_duration", duration_us=5000, dtype="uint16")
    assert_array_equal(got, stored["duration5000_frames"])


def test_the_duration_rule_of_spikingjelly_2_has_windows_of_one_length_and_none_for_the_end_alone():
    events = eb.Events(t=[7, 9, 17, 26, 27], x=[0] * 5, y=[0] * 5, p=[1] * 5, sensor=(1, 1))
    got = eb.frames(events, split_by="spikingjelly2_duration", duration_us=10)
    assert got.sum((1, 2, 3)).tolist() == [
        2,
        3,
    ]  # its frames for these events; "duration" has a third for t = 27
    assert eb.frames(events, split_by="duration", duration_us=10).sum((1, 2, 3)).tolist() == [2, 2, 1]
    with pytest.raises(BadEvents, match="no two events apart in time"):
        eb.frames(events[:1], split_by="spikingjelly2_duration", duration_us=10)


@pytest.mark.slow
@given(recordings(least=1), st.sampled_from(["time", "count", "duration"]), st.integers(1, 9))
@settings(deadline=None, max_examples=100)
def test_spikingjelly_modes_equal_the_oracle_or_refuse_an_empty_window(events, rule, wanted):
    split_by = f"spikingjelly_{rule}"
    value = _parameter(events, split_by, wanted)
    parameter: dict[str, Any] = {"duration_us" if rule == "duration" else "bins": value}
    counts, lost = oracle.frames(events, split_by, value, 255)
    since = events.t - events.t[0]
    width = events.duration_us // value
    filled = {s // width for s in since.tolist()} if width else set()
    if rule == "time" and not filled.issuperset(range(value)):
        with pytest.raises(BadEvents, match="no event in frame"):
            eb.frames(events, split_by=split_by, **parameter)
        return
    got, account = eb.frames(events, split_by=split_by, return_account=True, **parameter)
    assert_array_equal(got, counts)
    assert account == (len(events), int(counts.sum()), lost)


@pytest.mark.parametrize(
    "parameters",
    [{"split_by": "spikingjelly_time", "bins": 3}, {"split_by": "spikingjelly_duration", "duration_us": 3}],
)
def test_spikingjelly_modes_refuse_a_recording_without_events(parameters):
    with pytest.raises(BadEvents, match="no events"):
        eb.frames(eb.Events.empty((4, 3)), **parameters)
