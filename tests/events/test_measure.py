"""The summary of a recording is the same however it is cut into pieces, and as from all events at once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench.events import Events, measure
from eventbench.events.measure import Measure, summarize
from eventbench.events.summary import Summary, hot_pixels
from tests.support.recordings import recordings


def from_all_at_once(events: Events) -> tuple[Summary, int, int]:
    """The oracle: (summary, tick, moments) with NumPy, from whole columns."""
    n, width = len(events), events.sensor[0]
    cells = events.y.astype(np.int64) * width + events.x
    active, counts = np.unique(cells, return_counts=True)
    gaps = np.diff(events.t.view(np.uint64))
    order = np.lexsort((events.p, cells, events.t))
    is_repeated = np.ones(max(n - 1, 0), np.bool_)
    for column in (events.t, cells, events.p):
        is_repeated &= column[order][1:] == column[order][:-1]
    summary = Summary(
        sensor=events.sensor,
        events=n,
        on=int(np.count_nonzero(events.p)),
        first_us=int(events.t[0]) if n else None,
        last_us=int(events.t[-1]) if n else None,
        longest_gap_us=int(gaps.max()) if n > 1 else 0,
        active_pixels=len(active),
        repeated=int(is_repeated.sum()),
        hot_pixels=hot_pixels(active, counts, width),
        extent=(_extent(events.x), _extent(events.y)),
    )
    tick = int(np.gcd.reduce(gaps)) if n > 1 else 0
    return summary, tick, int(np.count_nonzero(gaps)) + 1 if n else 0


def _extent(column: np.ndarray) -> int:
    if not len(column):
        return 0
    return int(np.searchsorted(np.cumsum(np.bincount(column)), 0.999 * len(column)))


def in_pieces(events: Events, cuts: list[int], expected: int) -> tuple[Summary, int, int]:
    taken = Measure(events.sensor, expected)
    edges = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
    for start, stop in pairwise(edges):
        taken.update(events[start:stop])
    return taken.summary(), taken.tick_us, taken.moments


@settings(deadline=None)  # the first example compiles kernels
@given(
    recordings(),
    st.lists(st.integers(0, 2000), max_size=6),
    st.sampled_from([0, 1 << 40]),
)
def test_any_cut_comes_to_what_all_events_at_once_come_to(
    events: Events, cuts: list[int], expected: int
) -> None:
    assert in_pieces(events, cuts, expected) == from_all_at_once(events)


@pytest.mark.parametrize("most_pixels", [0, 1 << 22])
def test_a_recording_with_a_defect_and_repeats_is_summed_up_alike(
    most_pixels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "MOST_PIXELS", most_pixels)
    rng = np.random.default_rng(5)
    n = 60_000
    x, y = rng.integers(0, 40, n), rng.integers(0, 30, n)
    x[::7], y[::7] = 20, 11
    t = np.sort(rng.integers(-3000, 3000, n)) * 4
    events = Events(t=t, x=x, y=y, p=rng.integers(0, 2, n), sensor=(40, 30))
    expected = from_all_at_once(events)
    assert expected[0].repeated
    assert [pixel[:2] for pixel in expected[0].hot_pixels] == [(20, 11)]
    assert expected[1] == 4
    assert in_pieces(events, [1, 2, 3, 1000, 1001, 33_333], n) == expected
    assert summarize(events) == expected[0]


def test_a_bad_event_far_out_costs_no_table_of_the_sensor() -> None:
    events = Events(t=[0, 0, 9], x=[1, 65_535, 1], y=[65_535, 0, 2], p=[0, 1, 1], sensor=(65_536, 65_536))
    assert in_pieces(events, [1], 1 << 40) == from_all_at_once(events)


def test_times_of_the_whole_range_of_int64_have_gaps_beyond_it() -> None:
    limits = np.iinfo(np.int64)
    events = Events(t=[limits.min, 0, limits.max], x=[0, 0, 0], y=[0, 0, 0], p=[0, 1, 1], sensor=(1, 1))
    assert in_pieces(events, [1], 3) == from_all_at_once(events)
    ends = Events(t=[limits.min, limits.max], x=[0, 0], y=[0, 0], p=[0, 1], sensor=(1, 1))
    assert in_pieces(ends, [1], 2)[0].longest_gap_us == 2**64 - 1
