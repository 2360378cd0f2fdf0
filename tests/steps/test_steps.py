"""Steps that move, cut, add and drop events: definitions, invariants, and what holds for every member of the family."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench import registry
from eventbench.errors import BadEvents, BadSpec
from eventbench.events import Events
from tests.steps import oracle_steps
from tests.support.recordings import fixed, recordings

generated = partial(settings, deadline=None, max_examples=40)

# Parameters with which every member can be built, and works on a sensor of any size.
BUILT: dict[str, dict[str, Any]] = {
    "crop": {"width": 1, "height": 1},
    "random_crop": {"width": 1, "height": 1},
    "crop_time": {"start_us": 10, "duration_us": 1000},
    "crop_count": {"events": 7, "start": 2},
    "decimate": {"n": 2},
    "denoise": {},
    "refractory_period": {"period_us": 100},
    "drop_hot_pixels": {},
    "downsample": {"factor": 2},
    "downsample_events": {"factor": 2},
    "flip_left_right": {"probability": 0.5},
    "flip_up_down": {"probability": 0.5},
    "flip_polarity": {"probability": 0.5},
    "reverse_time": {"probability": 0.5},
    "scale_time": {"least": 0.5, "most": 2},
    "jitter_time": {"std_us": 100},
    "jitter_space": {"std": 1},
    "drop_events": {"least": 0.1, "most": 0.9},
    "drop_time": {"least": 0.1, "most": 0.9},
    "drop_area": {"least": 0.1, "most": 0.9},
    "drop_pixels": {"least": 0.1, "most": 0.9},
    "add_noise": {"rate_hz": 1e-4},
}


def step(name: str, **parameters: Any):
    return registry.steps.get(name)(**parameters)


def seeded(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.steps.names())
@given(events=recordings(), seed=st.integers(0, 2**32))
@generated()
def test_every_step_gives_sound_events_and_leaves_the_callers_alone(name, events, seed):
    instance = step(name, **BUILT[name])
    before = Events(
        t=events.t.copy(), x=events.x.copy(), y=events.y.copy(), p=events.p.copy(), sensor=events.sensor
    )
    out = instance.apply(events, seeded(seed))
    assert events == before
    assert out == Events(t=out.t, x=out.x, y=out.y, p=out.p, sensor=instance.sensor(events.sensor))
    assert out == instance.apply(events, seeded(seed))  # the generator is all that is random
    assert {column.dtype for column in (out.t, out.x, out.y, out.p)} <= {
        np.dtype(k) for k in ("i8", "u2", "u1")
    }


@pytest.mark.parametrize("name", registry.steps.names())
def test_a_step_draws_only_if_it_says_so_and_never_from_a_hidden_generator(name):
    instance = step(name, **BUILT[name])
    if instance.random:
        with pytest.raises(BadSpec, match="no generator"):
            instance.apply(fixed())
    else:
        assert instance.apply(fixed()) == instance.apply(fixed(), seeded())


def test_every_step_is_tried_here():
    assert sorted(BUILT) == registry.steps.names()


@given(recordings(), st.data())
@generated()
def test_crop_keeps_what_is_inside_and_counts_from_its_corner(events, data):
    width, height = (data.draw(st.integers(1, side)) for side in events.sensor)
    x, y = (data.draw(st.integers(0, a - b)) for a, b in zip(events.sensor, (width, height), strict=True))
    expected = [
        (t, a - x, b - y, p)
        for t, a, b, p in oracle_steps.rows(events)
        if x <= a < x + width and y <= b < y + height
    ]
    out = step("crop", width=width, height=height, x=x, y=y).apply(events)
    assert oracle_steps.rows(out) == expected and out.sensor == (width, height)


def test_crop_without_a_corner_takes_the_middle():
    events = Events(t=[0, 1, 2], x=[0, 3, 5], y=[0, 2, 4], p=[1, 1, 1], sensor=(6, 5))
    out = step("crop", width=2, height=3).apply(events)
    assert oracle_steps.rows(out) == [(1, 1, 1, 1)]


def test_random_crops_lie_everywhere_they_may_and_nowhere_else():
    side = 4
    x, y = (c.ravel() for c in np.meshgrid(range(side), range(side)))
    events = Events(t=[0] * 16, x=x, y=y, p=[1] * 16, sensor=(side, side))
    instance = step("random_crop", width=3, height=2)
    generator = seeded()
    lengths = {len(instance.apply(events, generator)) for _ in range(20)}
    assert lengths == {6}
    # The event that comes out first tells where the corner lay.
    numbered = Events(t=range(16), x=x, y=y, p=[1] * 16, sensor=(side, side))
    corners = {int(instance.apply(numbered, generator).t[0]) for _ in range(200)}
    assert corners == {row * 4 + column for row in range(3) for column in range(2)}


@given(recordings(), st.integers(-5, 2000), st.one_of(st.none(), st.integers(1, 2**33)), st.booleans())
@generated()
def test_crop_in_time_is_half_open_and_remembers_nothing(events, start, duration, absolute):
    rows = oracle_steps.rows(events)
    first = start + (0 if absolute or not rows else rows[0][0])
    expected = [row for row in rows if first <= row[0] and (duration is None or row[0] < first + duration)]
    instance = step("crop_time", start_us=start, duration_us=duration, absolute=absolute)
    instance.apply(fixed())
    assert oracle_steps.rows(instance.apply(events)) == expected


@given(recordings(), st.integers(0, 50), st.integers(1, 50))
@generated()
def test_crop_by_count_takes_so_many_events(events, start, count):
    out = step("crop_count", events=count, start=start).apply(events)
    assert oracle_steps.rows(out) == oracle_steps.rows(events)[start : start + count]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["flip_left_right", "flip_up_down", "flip_polarity", "reverse_time"])
@given(events=recordings())
@generated()
def test_a_flip_done_twice_changes_nothing_and_done_once_mirrors(name, events):
    instance, (width, height) = step(name), events.sensor
    once = instance.apply(events)
    twice = instance.apply(once)
    assert sorted(oracle_steps.rows(twice)) == sorted(oracle_steps.rows(events))
    ends = (int(events.t[0]) + int(events.t[-1])) if len(events) else 0
    mirrored = {
        "flip_left_right": lambda t, x, y, p: (t, width - 1 - x, y, p),
        "flip_up_down": lambda t, x, y, p: (t, x, height - 1 - y, p),
        "flip_polarity": lambda t, x, y, p: (t, x, y, 1 - p),
        "reverse_time": lambda t, x, y, p: (ends - t, x, y, 1 - p),
    }[name]
    assert sorted(oracle_steps.rows(once)) == sorted(mirrored(*row) for row in oracle_steps.rows(events))


def test_a_flip_with_a_probability_changes_whole_recordings_about_that_often():
    instance, events, generator = step("flip_polarity", probability=0.25), fixed(), seeded()
    outs = [instance.apply(events, generator) for _ in range(400)]
    flipped = sum(int(out.p.sum()) != int(events.p.sum()) for out in outs)
    assert 70 <= flipped <= 130
    assert all(out == events or int(out.p.sum()) == len(events) - int(events.p.sum()) for out in outs)


@given(recordings(), st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0]))
@generated()
def test_scaling_time_by_a_power_of_two_is_exact_below_2_to_the_53(events, factor):
    if len(events) and events.duration_us * 4 >= 2**53:
        return
    out = step("scale_time", least=factor, most=factor).apply(events)
    first = int(events.t[0]) if len(events) else 0
    assert out.t.tolist() == [first + int((t - first) * factor // 1) for t in events.t.tolist()]


def test_scaling_time_beyond_what_a_clock_holds_is_refused():
    events = Events(t=[0, 2**60], x=[0, 0], y=[0, 0], p=[0, 1], sensor=(1, 1))
    with pytest.raises(BadEvents, match="times 10"):
        step("scale_time", least=10, most=10).apply(events)


def test_jitter_has_the_spread_it_is_given_and_no_drift():
    n = 20_000
    wide = Events(t=np.arange(n) * 1_000_000, x=[500] * n, y=[400] * n, p=[1] * n, sensor=(1000, 800))
    moved = step("jitter_time", std_us=100).apply(wide, seeded())
    off = moved.t - wide.t  # events a second apart do not change places
    assert abs(off.mean()) < 4 and abs(off.std() - 100) < 3
    spread = step("jitter_space", std=3).apply(wide, seeded())
    for column, middle in ((spread.x, 500), (spread.y, 400)):
        off = column.astype(int) - middle
        assert abs(off.mean()) < 0.1 and abs(off.std() - 3) < 0.1


def test_events_that_jitter_moves_off_the_sensor_are_lost_not_wrapped():
    n = 4000
    edge = Events(t=range(n), x=[0] * n, y=[0] * n, p=[1] * n, sensor=(100, 100))
    out = step("jitter_space", std=2).apply(edge, seeded())
    assert n // 5 < len(out) < n // 2  # a bit over half stays in each direction
    assert out.x.max() < 20 and out.y.max() < 20


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_dropped_shares_are_the_shares_asked_for(share):
    n = 40_000
    rng = seeded(1)
    events = Events(
        t=np.arange(n),
        x=rng.integers(0, 40, n),
        y=rng.integers(0, 40, n),
        p=rng.integers(0, 2, n),
        sensor=(40, 40),
    )
    for name in ("drop_events", "drop_time", "drop_pixels"):
        left = len(step(name, least=share, most=share).apply(events, seeded())) / n
        assert abs(left - (1 - share)) < 0.02, name
    left = len(step("drop_area", least=share, most=share).apply(events, seeded())) / n
    assert abs(left - (1 - share**2)) < 0.02


def test_a_range_of_shares_is_drawn_from_all_of_it():
    events, instance, generator = fixed(2000, (200, 200)), step("drop_events", least=0.1, most=0.3), seeded()
    dropped = [1 - len(instance.apply(events, generator)) / 2000 for _ in range(200)]
    assert 0.07 < min(dropped) < 0.13 and 0.27 < max(dropped) < 0.33


def test_dropping_time_drops_one_stretch_and_dropping_area_one_rectangle():
    events = Events(
        t=np.arange(1000), x=np.arange(1000) % 50, y=np.arange(1000) // 50, p=[1] * 1000, sensor=(50, 20)
    )
    left = step("drop_time", least=0.4, most=0.4).apply(events, seeded(3))
    gaps = np.diff(left.t)
    assert (gaps > 1).sum() <= 1 and len(left) == pytest.approx(600, abs=1)
    left = step("drop_area", least=0.4, most=0.4).apply(events, seeded(3))
    area = np.ones((20, 50), bool)
    area[left.y, left.x] = False
    rows, columns = np.flatnonzero(area.any(1)), np.flatnonzero(area.any(0))
    assert area[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert (len(columns), len(rows)) == (20, 8)


def test_noise_is_added_at_its_rate_and_the_recording_is_still_in_it():
    events = Events(t=[0, 10_000_000], x=[0, 9], y=[0, 9], p=[0, 1], sensor=(10, 10))
    out = step("add_noise", rate_hz=5).apply(events, seeded())
    assert len(out) == pytest.approx(5000, rel=0.1)
    assert set(oracle_steps.rows(events)) <= set(oracle_steps.rows(out))
    counts = np.bincount(out.y.astype(int) * 10 + out.x, minlength=100)
    assert counts.min() > 20 and abs(out.p.mean() - 0.5) < 0.05


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("crop", {"width": 0, "height": 1}, "width is 0"),
        ("crop", {"width": 1, "height": 1, "x": -1}, "x is -1"),
        ("crop_time", {"duration_us": 0}, "duration_us is 0"),
        ("crop_count", {"events": 0}, "events is 0"),
        ("flip_polarity", {"probability": 1.5}, "probability is 1.5"),
        ("scale_time", {"least": 2, "most": 1}, r"\[2, 1\]"),
        ("scale_time", {"least": 0, "most": 1}, "least to most is 0"),
        ("jitter_time", {"std_us": -1}, "std_us is -1"),
        ("drop_area", {"least": 0.5, "most": 1.5}, "1.5"),
        ("add_noise", {"rate_hz": "x"}, "rate_hz is 'x'"),
    ],
)
def test_parameters_that_mean_nothing_are_refused_with_their_value(name, parameters, message):
    with pytest.raises(BadSpec, match=message):
        step(name, **parameters)


@pytest.mark.parametrize("name", ["crop", "random_crop"])
def test_a_crop_larger_than_the_sensor_is_refused(name):
    with pytest.raises(BadSpec, match="50x2"):
        step(name, width=50, height=2).apply(fixed(), seeded())


def test_noise_that_could_not_be_held_is_refused():
    long = Events(t=[-(2**62), 2**62], x=[0, 1], y=[0, 1], p=[0, 1], sensor=(2, 2))
    with pytest.raises(BadEvents, match=r"^add_noise: 1\.84e\+14 events of noise"):
        step("add_noise", rate_hz=5).apply(long, seeded())
