"""Calls in an isolated process: what they return, and what becomes of those that do not come back."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from eventbench.errors import BadRecording
from eventbench.files import _shared_memory, isolated
from eventbench.files.hdf5 import opened
from eventbench.files.isolated import call, call_shared, shared_room


def test_a_call_returns_what_the_function_does_from_one_helper():
    assert call(os.getpid, 1, "a") == call(os.getpid, 1, "a") != os.getpid()
    assert np.array_equal(call(np.arange, 1, "a", 100_000), np.arange(100_000))


def test_the_next_call_is_answered_after_one_that_crashed():
    with pytest.raises(
        BadRecording, match=r"^a\.h5: damaged: the library that reads it crashes; fetch the file again$"
    ):
        call(os.abort, 1, "a.h5")
    assert call(abs, 1, "a", -3) == 3


def test_a_call_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch):
    call(abs, 1, "a", -3)  # the helper is up
    with monkeypatch.context() as patch:
        patch.setattr(isolated, "TIMEOUT_S", 0.3)
        with pytest.raises(BadRecording, match=r"^a\.h5: damaged: it takes too long to read"):
            call(time.sleep, 1, "a.h5", 60)
    assert call(abs, 1, "a", -3) == 3


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not say how large it is")
def test_a_call_that_wants_far_more_memory_than_the_file_has_is_refused():
    with pytest.raises(BadRecording, match=r"^a\.h5: damaged: it contains a size far beyond the file's"):
        call(np.ones, 1000, "a.h5", 2**32)
    assert len(call(np.ones, 1000, "a.h5", 2**20)) == 2**20


def test_refusals_come_back_as_they_are_and_other_errors_in_one_line(tmp_path: Path):
    with pytest.raises(BadRecording, match=r"^a\.h5: cannot be read \(ZeroDivisionError: "):
        call(divmod, 1, "a.h5", 1, 0)
    with pytest.raises(BadRecording, match=r"^x: not a readable HDF5 file"):
        call(_open, 1, "a.h5", tmp_path / "none")


@pytest.mark.parametrize("in_memory", [True, False])
def test_what_the_helper_writes_to_shared_memory_is_seen_until_the_context_ends(monkeypatch, in_memory):
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    isolated._stop_helper()  # the next one shares memory of the kind that there is
    for size in (10, 3_000_000, 10):
        with call_shared(_write, 1, "a", size, 7) as seen:
            assert len(seen) == size
            assert (seen == 7).all()


def test_shared_memory_beyond_what_is_kept_is_given_back_and_had_again(monkeypatch):
    isolated._stop_helper()
    monkeypatch.setattr(_shared_memory, "MOST_KEPT", 1 << 20)
    for value in (3, 4):
        with call_shared(_write, 1, "a", 5 << 20, value) as seen:
            assert (seen == value).all()
        assert os.fstat(isolated._SHARED[os.getpid()].file).st_size == 0


def test_a_helper_that_dies_leaves_no_shared_memory_behind():
    with call_shared(_write, 1, "a", 10, 7):
        file = isolated._SHARED[os.getpid()].file
    with pytest.raises(BadRecording, match="crashes"):
        call(os.abort, 1, "a.h5")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)
    with call_shared(_write, 1, "a", 10, 8) as seen:
        assert (seen == 8).all()


def test_shared_memory_beyond_what_a_call_may_use_is_refused_in_one_line():
    with (
        pytest.raises(BadRecording, match=r"^a\.h5: damaged: it contains a size far beyond"),
        call_shared(_write, 1, "a.h5", 1 << 40, 7),
    ):
        pass


def _write(size: int, value: int) -> int:
    shared_room(size)[:] = value
    return size


def _open(path: Path) -> None:
    with opened(path, "x"):
        pass


def test_threads_get_their_own_answers():
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda k: call(abs, 1, "a", -k), range(50))) == list(range(50))


def test_arrays_of_any_size_and_kind_come_back_as_they_were_and_writable():
    arrays = call(_arrays, 1 << 20, "a")
    for returned, sent in zip(arrays, _arrays(), strict=True):
        assert np.array_equal(returned, sent)
        assert returned.dtype == sent.dtype
    arrays[0][0] = 7


def _arrays() -> list[np.ndarray]:
    whole = np.arange(3_000_000)
    return [whole, whole[:0], whole[::3], whole.astype(np.uint8), whole.reshape(3, -1).T, np.array([1.5])]
