"""Averaged time surfaces against every pair of events, and in tonic's mode against tonic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from tonic.transforms import ToAveragedTimesurface

from eventbench.errors import BadSpec, UnknownName
from eventbench.events import Events
from eventbench.representations.averaged_time_surface import AveragedTimeSurface
from tests.representations import oracle_surfaces
from tests.support.recordings import fixed, recordings

shapes = st.sampled_from([(1, 0), (3, 0), (3, 1), (5, 2), (10, 2), (64, 3)])
spans = st.sampled_from([(1, 0.5), (10, 3.0), (1000, 100.0), (1000, 2.0), (100_000, 1e9), (2**33, 2.0**31)])
decays = st.sampled_from(["exp", "lin"])


@st.composite
def crowds(draw: st.DrawFn, most: int = 60, earliest: int = -8) -> Events:
    """Few pixels, close in time, often at the same time: many events in one window."""
    n = draw(st.integers(1, most))
    gaps = draw(st.lists(st.sampled_from([0, 0, 1, 2, 9]), min_size=n, max_size=n))
    x, y, p = (draw(st.lists(st.integers(0, top), min_size=n, max_size=n)) for top in (7, 4, 1))
    return Events(t=draw(st.integers(earliest, 30)) + np.cumsum(gaps), x=x, y=y, p=p, sensor=(8, 5))


def busy(n: int, sensor: tuple[int, int], span: int) -> Events:
    """n events spread over `span` us, half of them on few pixels."""
    rng = np.random.default_rng(5)
    x, y = rng.integers(0, sensor[0], n), rng.integers(0, sensor[1], n)
    x[: n // 2], y[: n // 2] = x[: n // 2] % 4, y[: n // 2] % 3
    order = rng.permutation(n)
    t = np.sort(rng.integers(0, span, n))
    return Events(t=t, x=x[order], y=y[order], p=rng.integers(0, 2, n), sensor=sensor)


def by_cell(array: np.ndarray, side: int) -> np.ndarray:
    """(cells_y, cells_x, P, side, side) of the array of surfaces side by side."""
    _, polarities, height, width = array.shape
    apart = array.reshape(polarities, height // side, side, width // side, side)
    return apart.transpose(1, 3, 0, 2, 4)


def tonic_of(events: Events, representation: AveragedTimeSurface) -> np.ndarray:
    """(cells, P, side, side): tonic's, from signed x and y, whose differences do not wrap."""
    kinds = [("x", "i8"), ("y", "i8"), ("t", "i8"), ("p", "i8")]
    return ToAveragedTimesurface(
        (*events.sensor, 2),
        surface_size=representation.side,
        cell_size=representation.cell_size,
        time_window=representation.time_window_us,
        tau=representation.tau_us,
        decay=representation.decay,
    )(events.to_structured()[["x", "y", "t", "p"]].astype(kinds))


@pytest.mark.slow
@given(st.one_of(recordings(most=12), crowds()), shapes, spans, decays)
@settings(deadline=None, max_examples=120)
def test_surfaces_equal_the_sum_over_every_pair_of_events(events, shape, span, decay):
    (cell_size, radius), (window, tau) = shape, span
    if len(events) > 700:
        events = events[:: len(events) // 350]
    representation = AveragedTimeSurface(
        cell_size=cell_size, radius=radius, time_window_us=window, tau_us=tau, decay=decay
    )
    got, account = representation.apply(events)
    assert got.shape == representation.shape(events.sensor)
    assert got.dtype == representation.array_dtype
    wanted = oracle_surfaces.averaged_time_surface(events, cell_size, radius, window, tau, decay)
    assert_allclose(by_cell(got, representation.side), wanted, rtol=1e-6, atol=1e-9)
    assert account == (len(events), len(events), {})


@given(crowds(), shapes, spans, decays)
@settings(deadline=None, max_examples=80)
def test_tonics_mode_is_tonics_also_before_time_0_and_at_equal_times(events, shape, span, decay):
    representation = AveragedTimeSurface(
        cell_size=shape[0], radius=shape[1], time_window_us=span[0], tau_us=span[1], decay=decay, tonic=True
    )
    got = by_cell(representation.apply(events)[0], representation.side)
    assert_allclose(
        got.reshape(-1, 2, representation.side, representation.side),
        tonic_of(events, representation),
        rtol=2e-6,
        atol=1e-6,
    )


@pytest.mark.parametrize("start", [0, 3 * 2**24, 10**10])
@pytest.mark.parametrize("window", [1000, 50_000])
def test_tonics_mode_rounds_times_to_float32_as_tonic_does(start, window):
    events = busy(1500, (34, 34), 100_000)
    events = Events(t=events.t + start, x=events.x, y=events.y, p=events.p, sensor=(34, 34))
    representation = AveragedTimeSurface(time_window_us=window, tau_us=700.0, tonic=True)
    got = by_cell(representation.apply(events)[0], representation.side)
    assert_allclose(
        got.reshape(-1, 2, representation.side, representation.side),
        tonic_of(events, representation),
        rtol=1e-5,
        atol=1e-6,
    )


@pytest.mark.slow
@pytest.mark.parametrize("decay", ["exp", "lin"])
@pytest.mark.parametrize(
    ("window", "tau"), [(300, 40.0), (300, 1e9), (20_000, 7.0), (20_000, 3000.0), (10**6, 1e9)]
)
def test_looking_back_and_keeping_sums_agree(decay, window, tau):
    # Events of half the recording are on 12 pixels of one cell: most windows hold many.
    events = busy(1200, (20, 20), 40_000)
    representation = AveragedTimeSurface(time_window_us=window, tau_us=tau, decay=decay)
    wanted = oracle_surfaces.averaged_time_surface(events, 10, 3, window, tau, decay)
    assert_allclose(by_cell(representation.apply(events)[0], 7), wanted, rtol=1e-6, atol=1e-9)


def test_a_hot_pixel_costs_no_more_than_any_other():
    # 300,000 events in one window are 4.5e10 pairs, which no test would see the end of.
    n = 300_000
    events = Events(t=np.zeros(n, int), x=[0] * n, y=[0] * n, p=[1] * n, sensor=(1, 1))
    got, _ = AveragedTimeSurface(cell_size=1, radius=0, tonic=True).apply(events)
    assert got.reshape(-1).tolist() == [0, (n + 1) / 2]
    assert AveragedTimeSurface(cell_size=1, radius=0).apply(events)[0].reshape(-1).tolist() == [0, 0]


def test_a_burst_between_quiet_times_is_summed_like_any_other():
    # 990 events at one time, among 4000 that are alone in their windows: looking back is begun, and given up.
    n, window = 4000, 1000
    t = np.arange(n) * 2 * window
    t[1005:1995] = t[1005]
    events = Events(t=t, x=[0] * n, y=[0] * n, p=[1] * n, sensor=(1, 1))
    got, _ = AveragedTimeSurface(cell_size=3, radius=1, time_window_us=window, tonic=True).apply(events)
    assert got[0, 1, 1, 1] == np.float32((n + 990 * 989 / 2) / n)
    assert np.count_nonzero(got) == 1


def test_two_events_side_by_side_see_each_other_once():
    events = Events(t=[0, 10, 20], x=[0, 1, 1], y=[0, 0, 0], p=[1, 1, 0], sensor=(4, 4))
    got, _ = AveragedTimeSurface(cell_size=4, radius=1, tau_us=10.0).apply(events)
    on = got[0, 1]
    assert on[1, 0] == pytest.approx(np.exp(-1) / 3)  # one pixel to the left, of three events of the cell
    assert np.count_nonzero(got) == 1


def test_a_mirrored_recording_gives_a_mirrored_array():
    events = fixed()
    mirrored = Events(t=events.t, x=39 - events.x.astype(int), y=events.y, p=events.p, sensor=events.sensor)
    representation = AveragedTimeSurface()
    assert_allclose(
        representation.apply(mirrored)[0], representation.apply(events)[0][..., ::-1], rtol=1e-6, atol=1e-12
    )


def test_lin_stops_at_0_but_goes_on_below_it_as_tonics():
    events = Events(t=[0, 60], x=[0, 0], y=[0, 0], p=[0, 0], sensor=(1, 1))
    parameters: dict[str, Any] = {
        "cell_size": 1,
        "radius": 0,
        "time_window_us": 100,
        "tau_us": 10.0,
        "decay": "lin",
    }
    assert AveragedTimeSurface(**parameters).apply(events)[0].sum() == 0
    assert (
        AveragedTimeSurface(**parameters, tonic=True).apply(events)[0].sum() == 0.5
    )  # 1 and 1 - 60 / 30 + 1, halved


def test_times_at_both_ends_of_int64_do_not_overflow():
    low, high = -(2**63), 2**63 - 1
    events = Events(t=[low, low + 1, high - 1, high], x=[0] * 4, y=[0] * 4, p=[0] * 4, sensor=(1, 1))
    got, _ = AveragedTimeSurface(cell_size=1, radius=0).apply(events)
    assert got.sum() == pytest.approx(0.5)
    assert np.isfinite(AveragedTimeSurface(cell_size=1, radius=0, tonic=True).apply(events)[0]).all()


@pytest.mark.parametrize("tonic", [False, True])
def test_an_empty_recording_gives_zeros_and_one_event_sees_itself_in_tonics_mode_only(tonic):
    representation = AveragedTimeSurface(cell_size=3, radius=1, tonic=tonic)
    got, account = representation.apply(Events.empty((4, 3)))
    assert_array_equal(got, np.zeros((1, 2, 3, 6), np.float32))
    assert account == (0, 0, {})
    one, account = representation.apply(Events(t=[5], x=[3], y=[0], p=[1], sensor=(4, 3)))
    assert one.sum() == one[0, 1, 1, 4] == tonic
    assert account == (1, 1, {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"cell_size": 0},
        {"cell_size": 2.0},
        {"radius": -1},
        {"time_window_us": 0},
        {"time_window_us": 1e3},
        {"tau_us": 0},
        {"tau_us": float("nan")},
        {"tau_us": "1"},
        {"tonic": 1},
    ],
)
def test_a_parameter_out_of_range_is_refused_by_name(wrong):
    with pytest.raises(BadSpec, match=f"averaged_time_surface: {next(iter(wrong))} is"):
        AveragedTimeSurface(**wrong)


def test_surfaces_wider_than_cells_and_unknown_decays_are_refused():
    with pytest.raises(BadSpec, match=r"surfaces of 11 pixels .* allowed: a radius up to 4"):
        AveragedTimeSurface(radius=5)
    with pytest.raises(UnknownName, match="allowed: exp, lin"):
        AveragedTimeSurface(decay="linear")
