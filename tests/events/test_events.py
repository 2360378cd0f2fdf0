"""Events: what is accepted, what is refused and with which message, and that nothing changes afterwards."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import eventbench as eb
from eventbench.errors import BadEvents
from eventbench.events.events import KERNEL_MIN_EVENTS, Events
from tests.support.miniatures import structured
from tests.support.recordings import fixed, recordings

GOOD = {"t": [0, 5, 5], "x": [0, 1, 3], "y": [2, 0, 1], "p": [0, 1, 1], "sensor": (4, 3)}


def events_with(**changes: object) -> Events:
    return Events(**(GOOD | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "p",
    [
        [0, 1, 1],
        [-1, 1, 1],
        [False, True, True],
        np.array([0, 1, 1], ">i4"),
        np.array([0, 1, 1], np.uint64),
        np.array([-1, 1, 1], np.int8),
        np.array([0, 9, 1, 9, 1, 9], np.uint8)[::2],
        np.array([False, True, True, False, True, True])[[0, 1, 2]],
    ],
    ids=str,
)
def test_each_convention_of_polarity_becomes_0_and_1(p: object) -> None:
    events = events_with(p=p)
    assert events.p.dtype == np.uint8
    assert events.p.tolist() == [0, 1, 1]


@pytest.mark.parametrize(("p", "kept"), [([-1, -1, -1], 0), ([1, 1, 1], 1), ([0, 0, 0], 0)])
def test_one_polarity_alone_is_understood(p: list[int], kept: int) -> None:
    assert events_with(p=p).p.tolist() == [kept] * 3


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"p": [0, 2, 1]}, "polarities are [0, 1, 2]; allowed: bool, 0/1, or -1/+1"),
        ({"p": [-1, 0, 1]}, "polarities are [-1, 0, 1]; allowed: bool, 0/1, or -1/+1"),
        ({"p": [0, 255, 255]}, "polarities are [0, 255]; allowed: bool, 0/1, or -1/+1"),
        (
            {"p": [0.0, 1.0, 1.0]},
            "p is float64; allowed: whole numbers or bool; convert it first, and choose how to round",
        ),
        (
            {"t": [0.5, 1, 2]},
            "t is float64; allowed: whole numbers of microseconds; convert it first, and choose how to round",
        ),
        (
            {"x": [True, True, False]},
            "x is bool; allowed: whole numbers; convert it first, and choose how to round",
        ),
        (
            {"x": ["0", "1", "3"]},
            "x is <U1; allowed: whole numbers; convert it first, and choose how to round",
        ),
        ({"t": 5}, "t has 0 dimensions; allowed: one"),
        ({"y": [[2, 0, 1]]}, "y has 2 dimensions; allowed: one"),
        ({"x": [0, 1]}, "columns of different lengths: {'t': 3, 'x': 2, 'y': 3, 'p': 3}"),
        (
            {"x": [0, 4, 5]},
            "x is 4 at event 1 (2 in total); allowed: 0 to 3 (width 4); "
            "give the true sensor size, or drop these events with a step",
        ),
        (
            {"y": [2, -1, 9]},
            "y is -1 at event 1 (1 in total); allowed: 0 to 2 (height 3); "
            "give the true sensor size, or drop these events with a step",
        ),
        (
            {"t": [0, 5, 4]},
            "time runs backwards at event 2 (5 then 4 us); sort the events by time (stable) before building Events",
        ),
        (
            {"t": np.array([0, 1, 2**63], np.uint64)},
            "t reaches 9223372036854775808; allowed: signed 64-bit microseconds",
        ),
        ({"sensor": (0, 3)}, "sensor is 0x3; allowed: sides of 1 to 65536 pixels"),
        ({"sensor": (4, 65537)}, "sensor is 4x65537; allowed: sides of 1 to 65536 pixels"),
        ({"sensor": (4,)}, "sensor is (4,); allowed: (width, height)"),
        ({"sensor": None}, "sensor is None; allowed: (width, height)"),
        ({"sensor": "43"}, "sensor is '43'; allowed: (width, height)"),
        ({"sensor": (4.7, 3)}, "sensor is (4.7, 3); allowed: (width, height)"),
        ({"sensor": (float("inf"), 3)}, "sensor is (inf, 3); allowed: (width, height)"),
    ],
)
def test_what_is_no_event_stream_is_refused_in_one_line(changes: dict[str, object], line: str) -> None:
    with pytest.raises(BadEvents, match=f"^{re.escape(line)}$"):
        events_with(**changes)


def test_ragged_columns_are_refused() -> None:
    with pytest.raises(BadEvents, match=r"^t "):
        events_with(t=[[0], [1, 2], [3]])


def test_columns_of_the_kept_types_are_not_copied() -> None:
    columns = {
        "t": np.arange(3, dtype=np.int64),
        "x": np.zeros(3, np.uint16),
        "y": np.zeros(3, np.uint16),
        "p": np.zeros(3, np.uint8),
    }
    events = Events(**columns, sensor=(1, 1))
    assert all(np.shares_memory(getattr(events, name), column) for name, column in columns.items())


@pytest.mark.parametrize("column", ["t", "x", "y", "p"])
def test_events_are_frozen(column: str) -> None:
    events = events_with()
    with pytest.raises(ValueError, match="read-only"):
        getattr(events, column)[0] = 1
    with pytest.raises(AttributeError, match=f"^Events are frozen: cannot set {column}$"):
        setattr(events, column, None)
    with pytest.raises(AttributeError, match=f"^Events are frozen: cannot delete {column}$"):
        delattr(events, column)
    with pytest.raises(TypeError, match="unhashable"):
        hash(events)


def test_the_callers_arrays_stay_writable() -> None:
    t = np.arange(3, dtype=np.int64)
    events_with(t=t)
    t[0] = -1
    assert t.flags.writeable


@given(recordings())
def test_structured_and_back_is_the_same(events: Events) -> None:
    array = events.to_structured()
    assert array.dtype.names == ("t", "x", "y", "p")
    assert Events.from_structured(array, sensor=events.sensor) == events


@given(recordings(), st.permutations("txyp"))
def test_fields_may_come_in_any_order(events: Events, order: list[str]) -> None:
    columns = {name: getattr(events, name) for name in "txyp"}
    array = structured(columns, "".join(order), {"x": "<i2", "y": ">i4", "p": "?"})
    assert Events.from_structured(array, sensor=events.sensor) == events


def test_tonics_and_prophesees_arrays_are_taken_as_they_are() -> None:
    tonic = np.array(
        [(1, 2, 10, 1), (3, 0, 20, 0)], np.dtype([("x", int), ("y", int), ("t", int), ("p", int)])
    )
    faery = np.array(
        [(10, 1, 2, True), (20, 3, 0, False)], [("t", "<u8"), ("x", "<u2"), ("y", "<u2"), ("on", "?")]
    )
    other = np.array(
        [(10, 1, 2, 1), (20, 3, 0, -1)], [("ts", "<i8"), ("x", "i2"), ("y", "i2"), ("polarity", "i1")]
    )
    first, *rest = (Events.from_structured(array, sensor=(4, 3)) for array in (tonic, faery, other))
    assert rest == [first, first]
    assert first.to_structured().tolist() == [(10, 1, 2, 1), (20, 3, 0, 0)]


def test_an_array_without_a_field_is_refused_with_those_it_has() -> None:
    array = np.zeros(1, [("t", "<i8"), ("x", "<u2"), ("p", "u1")])
    line = "no field 'y' among ['t', 'x', 'p']; allowed: fields t, x, y and p, in any order"
    with pytest.raises(BadEvents, match=f"^{re.escape(line)}$"):
        Events.from_structured(array, sensor=(1, 1))
    with pytest.raises(BadEvents, match=r"^no field 't' among \[\]"):
        Events.from_structured(np.zeros((3, 4)), sensor=(1, 1))


@given(recordings())
def test_pickles_and_copies_are_equal_and_frozen(events: Events) -> None:
    for again in (pickle.loads(pickle.dumps(events)), copy.copy(events), copy.deepcopy(events)):
        assert again == events
        assert not again.t.flags.writeable


@given(recordings(least=1), st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 5))
def test_a_slice_is_the_slice_of_every_column(events: Events, start: int, stop: int, step: int) -> None:
    part = events[start:stop:step]
    assert part.sensor == events.sensor
    assert part.to_structured().tolist() == events.to_structured()[start:stop:step].tolist()


@pytest.mark.parametrize("part", [0, slice(None, None, -1), slice(None, None, 0), "t"], ids=str)
def test_what_would_turn_time_around_is_no_slice(part: object) -> None:
    with pytest.raises(BadEvents, match=r"allowed: a slice with positive step$"):
        events_with()[part]  # type: ignore[index]


def test_an_empty_recording_is_a_recording() -> None:
    for events in (Events.empty((3, 2)), Events(t=[], x=[], y=[], p=[], sensor=(3, 2)), events_with()[3:]):
        assert len(events) == 0
        assert events.duration_us == 0
        assert [getattr(events, name).dtype for name in "txyp"] == [np.int64, np.uint16, np.uint16, np.uint8]
    assert repr(Events.empty((3, 2))) == "Events(0 in 0 us on 3x2)"


def test_the_largest_sensor_and_the_longest_span_fit() -> None:
    info = np.iinfo(np.int64)
    events = Events(t=[info.min, 0], x=[65535, 0], y=[65535, 0], p=[1, 0], sensor=(65536, 65536))
    assert events.t.tolist() == [info.min, 0]
    assert (
        Events(t=[info.min, info.max], x=[0, 0], y=[0, 0], p=[0, 0], sensor=(1, 1)).duration_us == 2**64 - 1
    )


@pytest.mark.parametrize(
    "kinds", [("<i8", "<u2", "<u2", "u1"), ("<i8", "<i2", "<i2", "?"), (">i8", ">u2", "<i4", "i1")]
)
@pytest.mark.parametrize("packed", [True, False])
def test_many_structured_events_become_the_columns_that_few_do(kinds, packed):
    n = KERNEL_MIN_EVENTS + 3
    rng = np.random.default_rng(5)
    dtype = np.dtype(list(zip("txyp", kinds, strict=True)), align=not packed)
    array = np.empty(n, dtype)
    array["t"] = np.sort(rng.integers(-(10**12), 10**12, n))
    array["x"], array["y"], array["p"] = rng.integers(0, 40, n), rng.integers(0, 30, n), rng.integers(0, 2, n)
    events = Events.from_structured(array, sensor=(40, 30))
    assert events == Events(**{name: array[name].copy() for name in "txyp"}, sensor=(40, 30))
    assert [getattr(events, name).dtype for name in "txyp"] == ["<i8", "<u2", "<u2", "u1"]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("x", -1, "x is -1 at event 7"), ("x", 40, "x is 40 at event 7"), ("y", 30, "y is 30"), ("p", 2, "polarities are"),
     ("t", 10**13, "time runs backwards at event 8")],
)  # fmt: skip
def test_many_structured_events_are_refused_as_few_are(field, value, message):
    array = np.zeros(KERNEL_MIN_EVENTS, [("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "i1")])
    array[field][7] = value
    with pytest.raises(BadEvents, match=message):
        Events.from_structured(array, sensor=(40, 30))


def test_many_structured_events_may_have_signed_polarity():
    array = np.zeros(KERNEL_MIN_EVENTS, [("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "i1")])
    array["p"] = np.where(np.arange(KERNEL_MIN_EVENTS) % 3, 1, -1)
    assert_array_equal(Events.from_structured(array, sensor=(4, 3)).p, np.arange(KERNEL_MIN_EVENTS) % 3 > 0)


def test_frames_of_a_structured_array_are_those_of_its_events():
    array = fixed(KERNEL_MIN_EVENTS + 5).to_structured()
    assert_array_equal(eb.frames(array, 7, sensor=(40, 30)), eb.frames(fixed(KERNEL_MIN_EVENTS + 5), 7))
    assert_array_equal(eb.frames(array[:9], 7, sensor=(40, 30)), eb.frames(fixed(9), 7))
    array["x"][3] = 40
    with pytest.raises(BadEvents, match="x is 40 at event 3"):
        eb.frames(array, 7, sensor=(40, 30))
