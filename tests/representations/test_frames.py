"""Frames against the oracle, and the account of every event."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import eventbench as eb
from eventbench import home, registry
from eventbench.errors import BadEvents, BadSpec, EventbenchError, UnknownName
from eventbench.events.packed import PackedEvents
from eventbench.representations._frames_batch import IN_KERNEL
from eventbench.representations._frames_kernels import BLOCK, count_slices
from eventbench.representations._slices import RULES
from eventbench.representations.frames import CELLS, Frames
from eventbench.specs.base import load
from eventbench.specs.pipeline import Pipeline
from tests.representations import oracle_frames as oracle
from tests.support.recordings import SENSORS, fixed, recordings

FIXED = ["time", "count"]
FREE = ["duration"]


def spaced(n: int, sensor: tuple[int, int] = (4, 3)) -> eb.Events:
    """n events 10 us apart, all ON at (1, 2)."""
    ones = np.ones(n, np.int64)
    return eb.Events(t=np.arange(n) * 10, x=ones, y=2 * ones, p=ones, sensor=sensor)


@given(recordings(), st.sampled_from(FIXED), st.integers(1, 9), st.sampled_from(sorted(CELLS)))
@settings(deadline=None, max_examples=120)
def test_frames_equal_the_oracle_and_every_event_is_binned_or_accounted_for(events, split_by, bins, dtype):
    got, account = eb.frames(events, bins, split_by, dtype, return_account=True)
    counts, lost = oracle.frames(events, split_by, bins, CELLS[dtype].limit)
    assert got.dtype == dtype
    assert_array_equal(got, counts)
    assert account == (len(events), int(counts.sum()), lost)
    assert account.events == account.binned + sum(account.lost.values())


@pytest.mark.slow
@given(recordings(most=12), st.sampled_from([1, 7, 2**29, 2**31, 2**40]))
@settings(deadline=None, max_examples=100)
def test_windows_of_fixed_duration_equal_the_oracle(events, duration_us):
    if events.duration_us // duration_us > 5000:
        duration_us = events.duration_us // 50
    got, account = eb.frames(events, split_by="duration", duration_us=duration_us, return_account=True)
    counts, lost = oracle.frames(events, "duration", duration_us, 255)
    assert_array_equal(got, counts)
    assert account == (len(events), int(counts.sum()), lost)


@given(recordings(), st.sampled_from(FIXED), st.integers(1, 9), st.integers(2, 12))
@settings(deadline=None, max_examples=30)
def test_any_number_of_threads_gives_the_same_frames_and_account(events, split_by, bins, threads):
    alone = eb.frames(events, bins, split_by, return_account=True)
    together = eb.frames(events, bins, split_by, threads=threads, return_account=True)
    assert_array_equal(alone[0], together[0])
    assert alone[1] == together[1]


@given(
    st.sampled_from([np.uint8, np.uint16, np.uint32, np.float32]),
    st.sampled_from(SENSORS[1:]),
    st.integers(1, 40),
    st.sampled_from([0, 1, 3, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3]),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=80)
def test_the_kernel_stops_each_cell_at_any_limit_in_any_type(kind, sensor, limit, n, seed):
    rng = np.random.default_rng(seed)
    width, height = sensor
    x, y = rng.integers(0, width, n, np.uint16), rng.integers(0, height, n, np.uint16)
    p = rng.integers(0, 2, n, np.uint8)
    x[: n // 2] = width - 1  # a full cell beside sparse ones
    y[: n // 2] = height - 1
    events = eb.Events.trusted(np.zeros(n, np.int64), x, y, p, sensor)
    cuts = np.array([0, n // 3, n // 3, n])
    wanted = np.zeros((3, 2, height, width), np.int64)
    for k in range(3):
        part = slice(cuts[k], cuts[k + 1])
        np.add.at(wanted[k], (p[part], y[part], x[part]), 1)
    got = np.full((3, 2 * width * height), 77, kind)
    lost = np.full(3, -1)
    all_lost = count_slices(events.x, events.y, events.p, cuts, 0, 3, width, width * height, limit, got, lost)
    assert_array_equal(got.reshape(wanted.shape), np.minimum(wanted, limit))
    over = (wanted - np.minimum(wanted, limit)).sum(axis=(1, 2, 3))
    assert_array_equal(lost, over)
    assert all_lost == over.sum()


@pytest.mark.parametrize(
    ("dtype", "limit"), [("uint8", 255), ("int8", 127), ("int16", 32767), ("uint16", 65535)]
)
@pytest.mark.parametrize("excess", [0, 1, 2, 300, 2**16, 2**18])
def test_a_count_never_wraps_and_what_it_loses_is_counted(dtype, limit, excess):
    got, account = eb.frames(spaced(limit + excess), 1, dtype=dtype, return_account=True)
    assert got[0, 1, 2, 1] == got.sum(dtype=np.int64) == limit
    assert account.lost == ({"saturated": excess} if excess else {})


def test_float32_stops_where_it_would_stop_counting():
    n = 2**24 + 3
    t, x, y, p = (np.zeros(n, kind) for kind in (np.int64, np.uint16, np.uint16, np.uint8))
    got, account = eb.frames(
        eb.Events.trusted(t, x, y, p, sensor=(1, 1)), 1, dtype="float32", return_account=True
    )
    assert got[0, 0, 0, 0] == 2**24
    assert account.lost == {"saturated": 3}


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("n", [3_000, 90_000, 400_000])
@pytest.mark.parametrize("hot", [0, 300, 40_000])
def test_frames_too_large_for_a_cache_count_alike(dtype, n, hot):
    width, height, bins = 401, 399, 2
    rng = np.random.default_rng([n, hot])
    x, y, p = rng.integers(0, width, n), rng.integers(0, height, n), rng.integers(0, 2, n)
    x[-hot or n :], y[-hot or n :], p[-hot or n :] = 3, 5, 1
    events = eb.Events(t=np.arange(n), x=x, y=y, p=p, sensor=(width, height))
    got = eb.frames(events, bins, "count", dtype)
    cell = ((np.arange(n) // (n // bins) * 2 + p) * height + y) * width + x
    counts = np.bincount(cell, minlength=got.size).reshape(got.shape)
    assert_array_equal(got, np.minimum(counts, CELLS[dtype].limit))


def test_a_recording_can_saturate_in_some_frames_and_not_in_others():
    counts = [10, 300, 200, 256, 255, 1000]
    events = spaced(sum(counts))
    t = np.repeat(np.arange(6) * 100, counts)
    events = eb.Events(t=t, x=events.x, y=events.y, p=events.p, sensor=(4, 3))
    got, account = eb.frames(events, split_by="duration", duration_us=100, return_account=True)
    assert got[:, 1, 2, 1].tolist() == [10, 255, 200, 255, 255, 255]
    assert account.lost == {"saturated": 45 + 1 + 745}


@pytest.mark.parametrize("threads", [1, 2])
def test_refusing_names_the_cell_the_count_and_the_limit(threads):
    frames = Frames(bins=2, overflow="refuse")
    with pytest.raises(EventbenchError, match=r"300 events.*frame 1, polarity 1, y 2, x 1.*255 in uint8"):
        frames.apply(_two_frames(200, 300), threads=threads)
    assert frames.apply(_two_frames(200, 255), threads=threads)[0].max() == 255


def _two_frames(first: int, second: int) -> eb.Events:
    t = np.repeat(np.array([0, 100]), [first, second])
    ones = np.ones(len(t), np.uint16)
    return eb.Events.trusted(t, ones, 2 * ones, ones.astype(np.uint8), sensor=(4, 3))


@pytest.mark.parametrize("split_by", FIXED)
def test_no_events_give_zero_frames_of_the_full_shape(split_by):
    got, account = eb.frames(eb.Events.empty((4, 3)), 5, split_by, return_account=True)
    assert got.shape == (5, 2, 3, 4)
    assert not got.any()
    assert account == (0, 0, {})


def test_no_events_give_one_zero_frame_where_the_number_is_not_fixed():
    got = eb.frames(eb.Events.empty((4, 3)), split_by="duration", duration_us=10)
    assert got.shape == (1, 2, 3, 4)
    assert not got.any()


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("split_by", FIXED)
def test_events_at_one_instant_or_too_few_fall_into_the_last_frame(split_by, n):
    events = eb.Events(t=[7] * n, x=[0] * n, y=[0] * n, p=[1] * n, sensor=(1, 1))
    assert eb.frames(events, 5, split_by)[:, 1, 0, 0].tolist() == [0, 0, 0, 0, n]


def test_the_last_frame_takes_the_remainder_of_the_time_and_the_right_edge():
    events = eb.Events(t=[0, 3, 4, 8, 9], x=[0] * 5, y=[0] * 5, p=[0] * 5, sensor=(1, 1))
    assert eb.frames(events, 2)[:, 0, 0, 0].tolist() == [2, 3]


def test_the_longest_span_that_times_can_have_is_cut_without_wrapping():
    t = np.array([-(2**63), -1, 0, 2**63 - 1])
    x, y, p = (np.zeros(4, kind) for kind in (np.uint16, np.uint16, np.uint8))
    events = eb.Events.trusted(t, x, y, p, sensor=(1, 1))
    assert eb.frames(events, 4)[:, 0, 0, 0].tolist() == [1, 0, 2, 1]
    assert_array_equal(eb.frames(events, 4), oracle.frames(events, "time", 4, 255)[0])


def test_columns_of_the_caller_are_never_written():
    events = fixed()
    before = [getattr(events, name).copy() for name in "txyp"]
    for dtype in CELLS:
        eb.frames(events, 3, dtype=dtype, threads=2)
    for name, column in zip("txyp", before, strict=True):
        assert_array_equal(getattr(events, name), column)


def test_eb_frames_overwrites_out_and_returns_it():
    out = np.full((16, 2, 30, 40), 9, np.int16)
    got = eb.frames(fixed(), dtype="int16", out=out)
    assert got is out
    assert_array_equal(out, eb.frames(fixed(), dtype="int16"))


@pytest.mark.parametrize(
    ("kind", "message", "parameters"),
    [
        (BadSpec, "bins is 0", {"bins": 0}),
        (BadSpec, "bins is -3", {"bins": -3}),
        (BadSpec, "bins is 2.0", {"bins": 2.0}),
        (BadSpec, "bins is True", {"bins": True}),
        (BadSpec, "bins is None", {"bins": None}),
        (UnknownName, "did you mean 'time'", {"split_by": "tiem"}),
        (UnknownName, "did you mean 'uint8'", {"dtype": "unit8"}),
        (UnknownName, "no dtype", {"dtype": np.complex64}),
        (UnknownName, "no dtype", {"dtype": object()}),
        (UnknownName, "did you mean 'saturate'", {"overflow": "saturated"}),
        (BadSpec, "duration_us is None", {"split_by": "duration"}),
        (BadSpec, "duration_us is 0", {"split_by": "duration", "duration_us": 0}),
        (BadSpec, "duration_us is -1", {"split_by": "tonic_duration", "duration_us": -1}),
        (BadSpec, "events_per_frame is None", {"split_by": "tonic_events"}),
        (BadSpec, "duration_us is 5, which", {"duration_us": 5}),
        (BadSpec, "bins is 4, which", {"split_by": "duration", "duration_us": 5, "bins": 4}),
        (BadSpec, "threads is 0", {"threads": 0}),
        (BadSpec, "frames; allowed: 7158278", {"split_by": "duration", "duration_us": 1, "events": 2**40}),
        (BadSpec, "frames; allowed: 7158278", {"bins": 2**50}),
    ],
)
def test_a_wrong_parameter_is_refused_in_one_line(kind, message, parameters):
    parameters = dict(parameters)
    last = parameters.pop("events", 100)
    events = eb.Events(t=[0, last], x=[0, 1], y=[0, 1], p=[0, 1], sensor=(40, 30))
    with pytest.raises(kind, match=message) as caught:
        eb.frames(events, **parameters)
    assert "\n" not in str(caught.value)


def test_arrays_that_are_no_events_are_refused():
    with pytest.raises(BadEvents, match="takes Events, got ndarray"):
        eb.frames(fixed().to_structured())  # type: ignore[call-overload]


@pytest.mark.parametrize("split_by", sorted(RULES))
def test_shape_tells_what_apply_gives_or_says_that_it_cannot(split_by):
    rule = RULES[split_by]
    parameters: dict[str, Any] = {"bins": {}}.get(rule.needs, {rule.needs: 50})
    frames = Frames(split_by=split_by, **parameters)
    if rule.needs == "bins":
        got, _ = frames.apply(fixed())
        assert got.shape == frames.shape((40, 30)) == (16, 2, 30, 40)
        assert got.dtype == frames.array_dtype
    else:
        with pytest.raises(BadSpec, match="no fixed number of frames"):
            frames.shape((40, 30))


def test_a_pipeline_table_with_a_wrong_parameter_is_refused():
    table = {"name": "frames", "bins": 0}
    with pytest.raises(EventbenchError, match="bins is 0"):
        registry.representations.build(table, where="p.toml")


@pytest.mark.parametrize(
    ("name", "shape"), [("frames_t16-v1", (16, 2, 7, 9)), ("frames_t16_half-v1", (16, 2, 4, 5))]
)
def test_the_shipped_pipelines_build_and_keep_every_event(name, shape):
    pipeline = load(home.shipped("pipelines") / f"{name}.toml", Pipeline)
    events = fixed(500, (9, 7))
    for table in pipeline.steps:
        events = registry.steps.build(table, where=name).apply(events)
    got, account = registry.representations.build(pipeline.representation, where=name).apply(events)
    assert got.shape == shape
    assert got.dtype == np.uint8
    assert account == (500, 500, {})


GOLDEN = {
    "version": 1,
    "time": "752d350a8219c580",
    "count": "c6cd06c672e380f2",
    "duration": "41abbec993d16746",
    "tonic_time": "41daacea6b45fcbb",
    "tonic_count": "0fc831cb8a4c3012",
    "tonic_duration": "019affd69f29f037",
    "tonic_events": "b9c38387e3f6c4e6",
    "spikingjelly_time": "752d350a8219c580",
    "spikingjelly_count": "c6cd06c672e380f2",
    "spikingjelly_duration": "512143aee653475f",
    "spikingjelly2_duration": "41abbec993d16746",
}


def test_the_output_changes_only_with_the_version():
    """Where this fails: raise `Frames.version`, and only then put the new digests here."""
    parameters: dict[str, Any] = {"bins": 4, "duration_us": 60_000, "events_per_frame": 1200}
    got: dict[str, object] = {"version": Frames.version}
    for split_by, rule in RULES.items():
        given = {name: value for name, value in parameters.items() if name == rule.needs}
        frames = Frames(split_by=split_by, dtype="uint8", **given)
        array, _ = frames.apply(fixed())
        got[split_by] = hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()[:16]
    assert got == GOLDEN


@pytest.mark.slow
@given(
    recordings(), st.integers(1, 40), st.sampled_from(sorted(IN_KERNEL)), st.sampled_from(["uint8", "int16"])
)
@settings(deadline=None, max_examples=150)
def test_frames_of_stored_columns_are_the_frames_of_the_events(events, bins, split_by, dtype):
    made = Frames(bins=bins, split_by=split_by, dtype=dtype)
    frames, account = made.apply(events)
    from_columns, its_account = made.apply_packed(PackedEvents.of(events))
    assert np.array_equal(from_columns, frames)
    assert its_account == account


def test_frames_of_long_stored_columns_with_long_gaps_are_those_of_the_events():
    rng = np.random.default_rng(5)
    gaps = rng.integers(0, 300, 5000)
    gaps[rng.integers(0, 5000, 40)] += 200_000
    n = len(gaps)
    events = eb.Events(
        t=np.cumsum(gaps) - 10**9,
        x=rng.integers(0, 40, n),
        y=rng.integers(0, 30, n),
        p=rng.integers(0, 2, n),
        sensor=(40, 30),
    )
    for bins in (1, 3, 16, 700):
        for split_by in sorted(IN_KERNEL):
            made = Frames(bins=bins, split_by=split_by)
            out = np.full(made.shape(events.sensor), 7, np.uint8)
            frames, account = made.apply_packed(PackedEvents.of(events), out)
            assert frames is out
            assert np.array_equal(frames, made.apply(events)[0])
            assert account == made.apply(events)[1]


RECORDS = {
    "ours": np.dtype([("t", "i8"), ("x", "u2"), ("y", "u2"), ("p", "u1")]),
    "tonic": np.dtype([("x", "i2"), ("y", "i2"), ("t", "i8"), ("p", "?")]),
    "Prophesee": np.dtype([("x", "u2"), ("y", "u2"), ("p", "i2"), ("t", "i8")]),
    "wide": np.dtype([("x", "i8"), ("y", "i8"), ("t", "i8"), ("p", "i8")]),
}


def records(n: int = 20_000, kind: str = "ours", sensor: tuple[int, int] = (40, 30)) -> np.ndarray:
    events = fixed(n, sensor)
    array = np.empty(n, RECORDS[kind])
    for name in "txyp":
        array[name] = getattr(events, name)
    return array


@pytest.mark.slow
@pytest.mark.parametrize("kind", RECORDS)
@pytest.mark.parametrize("split_by", sorted(RULES))
@pytest.mark.parametrize("sensor", [(40, 30), (300, 200)])
def test_frames_of_a_structured_array_are_those_of_its_events(kind, split_by, sensor):
    array = records(kind=kind, sensor=sensor)
    events = eb.Events.from_structured(array, sensor=sensor)
    for bins, dtype in ((7, "uint8"), (1, "uint16"), (20_001, "uint8")):
        parameters = {"bins": bins, "split_by": split_by, "dtype": dtype, "return_account": True}
        needs = RULES[split_by].needs
        if needs != "bins":
            parameters |= {"bins": 16, needs: 20_000}
        elif bins == 20_001 and (sensor != (40, 30) or split_by == "spikingjelly_time"):
            continue
        frames, account = eb.frames(array, sensor=sensor, **parameters)
        wanted, its = eb.frames(events, **parameters)
        assert_array_equal(frames, wanted)
        assert account == its


def test_a_structured_array_that_saturates_is_counted_all_the_same():
    array = records()
    frames, account = eb.frames(array, 2, sensor=(40, 30), return_account=True)
    wanted, its = eb.frames(eb.Events.from_structured(array, sensor=(40, 30)), 2, return_account=True)
    assert its.lost["saturated"] > 0
    assert_array_equal(frames, wanted)
    assert account == its


@pytest.mark.parametrize(
    ("field", "at", "value", "expected"),
    [
        ("t", 19_000, 0, "time runs backwards at event 19000"),
        ("t", 19_999, -5, "time runs backwards at event 19999"),
        ("t", 0, 10**9, "time runs backwards at event 1"),
        ("x", 12_345, 40, "x"),
        ("y", 0, 30, "y"),
        ("p", 17_000, 2, "polarities are"),
    ],
)
def test_a_structured_array_that_is_not_sound_is_refused_as_ever(field, at, value, expected):
    array = records()
    array[field][at] = value
    for split_by in ("time", "count"):
        with pytest.raises(BadEvents, match=expected):
            eb.frames(array, 4, split_by, sensor=(40, 30))
