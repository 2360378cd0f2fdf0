"""The DVS pixel model against analytic cases, a slow oracle and the rates it is asked for."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from eventbench.errors import BadSpec
from eventbench.simulate import arithmetic, render
from eventbench.simulate.pixel import Pixel, dvs_events, thresholds
from eventbench.simulate.random import Draws, bits, key_of, normal, uniform

QUIET = Pixel(
    threshold_on=0.25, threshold_off=0.25, mismatch=0.0, refractory_us=0, leak_rate_hz=0.0, shot_rate_hz=0.0
)


def events_of(signal, times, kind=QUIET, camera=0, noise=0):  # type: ignore[no-untyped-def]
    return dvs_events(np.asarray(signal, float), np.asarray(times), kind, camera=camera, noise=noise)


def one_pixel(levels, times, kind=QUIET):  # type: ignore[no-untyped-def]
    return events_of(np.asarray(levels, float).reshape(-1, 1, 1), times, kind)


def oracle(signal, times, kind, camera, noise):  # type: ignore[no-untyped-def]  # noqa: C901  # reads as the docstring does
    """The docstring of `pixel.py`, one pixel after another, with all events of a pixel sorted by time."""
    frames, height, width = signal.shape
    on, off = thresholds(kind, height, width, camera)
    out = []
    for y in range(height):
        for x in range(width):
            place = y * width + x
            candidates = []  # (time, 0 for shot noise or 1 for a crossing, polarity)
            leak = 0.0
            if kind.leak_rate_hz > 0:
                leak = uniform(key_of(noise, "leak"), place) * on[y, x]
            base, ups, downs = signal[0, y, x] - leak, 0, 0
            s1 = signal[0, y, x]
            for k in range(1, frames):
                sunk = kind.leak_rate_hz * (int(times[k]) - int(times[0])) * 1e-6
                s0, s1 = s1, signal[k, y, x] + sunk * on[y, x]
                while True:
                    upper = base + (ups + 1) * on[y, x] - downs * off[y, x]
                    lower = base + ups * on[y, x] - (downs + 1) * off[y, x]
                    if lower < s1 < upper:
                        break
                    level = upper if s1 >= upper else lower
                    part = min(max((level - s0) / (s1 - s0), 0.0), 1.0) if s1 != s0 else 1.0
                    moment = int(times[k - 1]) + part * (int(times[k]) - int(times[k - 1]))
                    candidates.append((moment, 1, int(s1 >= upper)))
                    ups, downs = (ups + 1, downs) if s1 >= upper else (ups, downs + 1)
            if kind.shot_rate_hz > 0:
                key, n, moment = key_of(noise, "shot"), 0, float(times[0])
                while True:
                    draw = place + height * width * n
                    moment += -math.log(1.0 - uniform(key, draw)) * (1e6 / kind.shot_rate_hz)
                    if moment >= times[-1]:
                        break
                    candidates.append((moment, 0, int(bits(key, draw)) & 1))
                    n += 1
            last = -math.inf
            for moment, _, polarity in sorted(candidates, key=lambda h: h[:2]):
                whole = math.floor(moment + 0.5)
                if whole - last >= kind.refractory_us:
                    out.append((whole, y, x, polarity))
                    last = whole
    return sorted(out, key=lambda event: event[:3])


kinds = st.builds(
    Pixel,
    threshold_on=st.floats(0.05, 0.5),
    threshold_off=st.floats(0.05, 0.5),
    mismatch=st.sampled_from([0.0, 0.02, 0.3]),
    refractory_us=st.sampled_from([0, 1, 700, 20_000]),
    leak_rate_hz=st.sampled_from([0.0, 0.5, 40.0]),
    shot_rate_hz=st.sampled_from([0.0, 5.0, 300.0]),
)


@settings(deadline=None, max_examples=150)
@given(kinds, st.integers(0, 2**32), st.integers(2, 6), st.integers(-5, 10**6))
def test_the_kernel_agrees_with_the_oracle(kind, seed, frames, begin):  # type: ignore[no-untyped-def]
    random = np.random.default_rng(seed)
    signal = random.normal(0.0, 0.6, (frames, 3, 4))
    signal[:, 0, 0] = 1.0  # one pixel sees nothing happen
    times = begin + np.cumsum(random.integers(1, 30_000, frames))
    events = events_of(signal, times, kind, camera=seed, noise=seed + 1)
    columns = zip(events.t.tolist(), events.y.tolist(), events.x.tolist(), events.p.tolist(), strict=True)
    assert list(columns) == oracle(signal, times, kind, seed, seed + 1)


@pytest.mark.parametrize(
    ("change", "expected"), [(1.0, 4), (0.99, 3), (1.2, 4), (0.2, 0), (-1.0, 4), (-0.6, 2)]
)
def test_a_ramp_fires_once_per_threshold_at_known_times(change, expected):  # type: ignore[no-untyped-def]
    times = np.arange(11) * 10_000
    events = one_pixel(np.linspace(0.0, change, 11), times)
    assert len(events) == expected == math.floor(abs(change) / 0.25)
    exact = (np.arange(1, expected + 1) * 0.25 / abs(change)) * times[-1]
    assert np.abs(events.t - exact).max(initial=0) <= 0.5 + 1e-6
    assert set(events.p.tolist()) <= {int(change > 0)}


def test_reaching_a_threshold_exactly_fires_and_falling_short_does_not() -> None:
    assert one_pixel([0.0, 0.25], [0, 1000]).t.tolist() == [1000]
    assert len(one_pixel([0.0, np.nextafter(0.25, 0.0)], [0, 1000])) == 0


def test_no_motion_and_no_noise_give_no_event() -> None:
    still = np.random.default_rng(0).normal(0, 1, (1, 8, 8)).repeat(50, axis=0)
    noiseless = Pixel(mismatch=0.05, leak_rate_hz=0.0, shot_rate_hz=0.0)
    assert len(events_of(still, np.arange(50) * 4000, noiseless)) == 0


def test_rounding_does_not_add_up_over_a_thousand_swings() -> None:
    swings = np.concatenate(
        [[0.0], np.tile([0.74, 0.03], 1000)]
    )  # levels 0.1, 0.2, ... 0.7, then 0.6 ... 0.1
    events = one_pixel(swings, np.arange(2001) * 1000, Pixel(0.1, 0.1, 0.0, 0, 0.0, 0.0))
    assert (events.p == 1).sum() == 7 + 6 * 999 and (events.p == 0).sum() == 6 * 1000
    assert np.array_equal(events.t[-12:] - 1_998_000, events.t[13:25] - 2000)


def test_thresholds_of_either_polarity_count_alone() -> None:
    events = one_pixel([0.0, 1.0, 0.0], [0, 1000, 2000], Pixel(0.25, 0.5, 0.0, 0, 0.0, 0.0))
    assert events.p.tolist() == [1, 1, 1, 1, 0, 0]


def test_the_refractory_period_drops_events_and_moves_the_reference_all_the_same() -> None:
    times = np.arange(9) * 1000
    rising = one_pixel(np.arange(9) * 0.25, times, Pixel(0.25, 0.25, 0.0, 2500, 0.0, 0.0))
    assert rising.t.tolist() == [1000, 4000, 7000]  # every third, not a burst of those kept back
    at_the_edge = one_pixel(np.arange(9) * 0.25, times, Pixel(0.25, 0.25, 0.0, 2000, 0.0, 0.0))
    assert at_the_edge.t.tolist() == [1000, 3000, 5000, 7000]


def test_leak_fires_on_at_its_rate_and_spread_over_time() -> None:
    times = np.arange(0, 2_000_001, 100_000)
    kind = Pixel(0.25, 0.25, 0.03, 0, 3.0, 0.0)
    events = events_of(np.zeros((len(times), 40, 40)), times, kind, noise=4)
    assert events.p.all()
    # Each pixel fires 6 times whatever its threshold: a whole number of leak cycles.
    counts = np.bincount(events.y.astype(int) * 40 + events.x, minlength=1600)
    assert (np.abs(counts - 6) <= 1).all() and abs(counts.sum() - 9600) <= 2
    halves = np.bincount(events.t // 100_000, minlength=20)
    assert halves.min() > 360 and halves.max() < 600  # 480 each if evenly spread


def test_shot_noise_is_poisson_at_its_rate_with_even_polarity() -> None:
    times = np.array([0, 500_000, 2_000_000])
    events = events_of(np.zeros((3, 50, 50)), times, Pixel(0.25, 0.25, 0.0, 0, 0.0, 4.0), noise=2)
    expected = 2500 * 2 * 4
    assert abs(len(events) - expected) < 5 * math.sqrt(expected)
    assert abs(events.p.mean() - 0.5) < 5 * 0.5 / math.sqrt(expected)
    counts = np.bincount(events.y.astype(int) * 50 + events.x, minlength=2500)
    assert 0.85 < counts.var() / counts.mean() < 1.15  # sd of this ratio is sqrt(2 / 2500) = 0.03


def test_mismatch_has_the_asked_spread_and_belongs_to_the_camera() -> None:
    on, off = thresholds(Pixel(0.3, 0.2, 0.02), 64, 64, camera=5)
    assert abs(on.mean() - 0.3) < 5 * 0.02 / 64 and abs(off.mean() - 0.2) < 5 * 0.02 / 64
    assert 0.019 < on.std() < 0.021 and 0.019 < off.std() < 0.021
    assert abs(np.corrcoef(on.ravel(), off.ravel())[0, 1]) < 0.08
    again, _ = thresholds(Pixel(0.3, 0.2, 0.02), 64, 64, camera=5)
    another, _ = thresholds(Pixel(0.3, 0.2, 0.02), 64, 64, camera=6)
    assert np.array_equal(on, again) and not np.array_equal(on, another)
    wild, _ = thresholds(Pixel(0.3, 0.2, 5.0), 64, 64, camera=5)
    assert wild.min() == 0.1 * 0.3


def test_events_are_sorted_by_time_then_row_then_column() -> None:
    events = events_of(np.array([0.0, 1.0])[:, None, None] * np.ones((2, 3, 3)), [0, 1000])
    order = np.lexsort((events.x, events.y, events.t))
    assert np.array_equal(order, np.arange(36)) and events.t[0] == 250


@pytest.mark.parametrize(
    ("signal", "times", "message"),
    [
        (np.zeros((2, 3)), [0, 1], "log_intensity is"),
        (np.zeros((2, 3, 3)), [0, 1, 2], "times_us"),
        (np.zeros((2, 3, 3)), [1, 1], "do not increase"),
        (np.zeros((2, 3, 3)), [0.0, 1.5], "do not increase"),
        (np.full((2, 3, 3), -np.inf), [0, 1], "not finite"),
    ],
)
def test_frames_that_are_none_are_refused(signal, times, message):  # type: ignore[no-untyped-def]
    with pytest.raises(BadSpec, match=message):
        events_of(signal, times)


@pytest.mark.parametrize("bad", [{"threshold_on": 0.0}, {"mismatch": -0.1}, {"shot_rate_hz": math.nan}])
def test_an_impossible_pixel_is_refused(bad):  # type: ignore[no-untyped-def]
    with pytest.raises(BadSpec, match=next(iter(bad))):
        Pixel(**bad)


def test_our_elementary_functions_agree_with_the_math_library() -> None:
    random = np.random.default_rng(0)
    angles = np.concatenate([random.uniform(-1e4, 1e4, 5000), np.arange(-40, 41) * math.pi / 4, [0.0]])
    assert max(abs(arithmetic.sine(a) - math.sin(a)) for a in angles) < 1e-12
    assert max(abs(arithmetic.cosine(a) - math.cos(a)) for a in angles) < 1e-12
    numbers = np.concatenate([10.0 ** random.uniform(-300, 300, 5000), [1.0, 2.0, 0.5, 5e-324]])
    ours = arithmetic.log_of(numbers)
    assert all(
        abs(o - math.log(n)) <= 1e-12 * max(1, abs(math.log(n))) for o, n in zip(ours, numbers, strict=True)
    )


def test_random_numbers_are_splitmix64_and_spread_as_they_should() -> None:
    state, known = 1234567, [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [int(bits(np.uint64(state), n)) for n in range(3)] == known  # the published test vector
    many = np.array([uniform(key_of("u"), n) for n in range(4000)])
    assert many.min() >= 0 and many.max() < 1 and abs(many.mean() - 0.5) < 5 * 0.2887 / math.sqrt(4000)
    bell = np.array([normal(key_of("n"), n) for n in range(4000)])
    assert abs(bell.mean()) < 5 / math.sqrt(4000) and abs(bell.std() - 1) < 0.06
    draws = Draws("a", 1)
    assert draws.key("b") == key_of("a", 1, "b") != key_of("a", "1", "b")
    assert {draws.whole(str(n), (2, 3)) for n in range(50)} == {2, 3}


def test_kernels_never_fuse_a_multiplication_with_an_addition() -> None:
    render._draw(np.ones(6), np.ones((8, 8)), np.zeros((8, 8), np.bool_))
    arithmetic.log(2.0)
    fused = re.compile(r"\bv?fn?m(add|sub|la|ls)\w*", re.IGNORECASE)
    for kernel in (arithmetic.log, render._draw):
        assert kernel.signatures
        afresh: Any = njit(kernel.py_func)  # code from the cache cannot be inspected
        for signature in kernel.signatures:
            afresh.compile(signature)
            assert not fused.search(afresh.inspect_asm(signature))
