"""Kernels shared out over torch's threads, and over plain ones where torch has none to lend."""

from __future__ import annotations

import pytest
import torch

from eventbench.layers._lif import threads as _threads


@pytest.fixture(params=["lent", "own"])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    if request.param == "own":
        monkeypatch.setattr(_threads, "_openmp", lambda: None)
    elif _threads._openmp() is None:
        pytest.skip("torch is not built with OpenMP here")


def shared(kernel, *arguments, count, unit=1):
    return _threads.across_threads(kernel, *arguments, count=count, elements=1 << 30, unit=unit)


@pytest.mark.parametrize(("count", "unit"), [(1, 1), (2, 1), (10, 1), (10, 4), (4096, 1000), (5, 8)])
def test_ranges_cover_everything_once_and_start_at_multiples(threads, count, unit):
    spans = shared(lambda start, stop: (start, stop), count=count, unit=unit)
    assert [start for start, _ in spans] == [0, *(stop for _, stop in spans[:-1])]
    assert spans[-1][1] == count
    assert all(start % unit == 0 for start, _ in spans)
    assert len(spans) == min(3, -(-count // unit))


def test_what_each_returned_comes_in_order_of_the_ranges(threads):
    for _ in range(20):
        assert shared(lambda add, start, stop: add + start, 5, count=3) == [5, 6, 7]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_a_kernel_raises_is_raised(threads, error):
    def kernel(start, stop):
        if start == 1:
            raise error("here")

    with pytest.raises(error, match="here"):
        shared(kernel, count=3)
    assert shared(lambda start, stop: start, count=3) == [0, 1, 2]


def test_little_work_is_done_where_it_is_asked_for():
    assert _threads.across_threads(lambda start, stop: stop, count=9, elements=9) == [9]
