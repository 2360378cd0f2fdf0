"""Memory that decoders use again: never while anything still refers to it."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import eventbench as eb
from eventbench.events import memory as memory_module
from eventbench.events.memory import LEAST, MOST_KEPT, memory
from tests.support.miniatures import atis_bytes


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "_FREE", {})


def address(array: np.ndarray) -> int:
    return array.ctypes.data


@pytest.mark.slow
@pytest.mark.parametrize(
    "holding",
    [
        lambda array: array,
        lambda array: array[5:],
        lambda array: array.view(np.int64)[::3],
        lambda array: memoryview(array)[7:],
        lambda array: np.frombuffer(memoryview(array[3:]), np.uint8),
        lambda array: np.asarray(array.reshape(2, -1).T),
    ],
)
def test_memory_is_not_used_again_while_any_view_of_it_lives(holding):
    first = memory(2 * LEAST)
    at, held = address(first), holding(first)
    del first
    gc.collect()
    assert address(memory(2 * LEAST)) != at
    del held
    gc.collect()
    again = [memory(2 * LEAST) for _ in range(3)]
    assert at in map(address, again)
    assert len(set(map(address, again))) == 3


def test_small_pieces_are_not_kept_nor_more_than_the_limit():
    memory(LEAST - 1)
    assert not memory_module._FREE
    pieces = [memory(MOST_KEPT // 4) for _ in range(7)]
    pieces.clear()
    gc.collect()
    assert 0 < sum(block.nbytes for block in memory_module._FREE.values()) <= MOST_KEPT


def test_threads_are_never_given_the_same_memory():
    def work(k: int) -> bool:
        mine = memory(LEAST)
        mine[:] = k % 251
        return bool((mine == k % 251).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))


def test_recordings_read_one_after_the_other_keep_their_events(tmp_path: Path):
    events = [(t, t % 100, t % 90, t % 2) for t in range(100_000)]
    (tmp_path / "a.bin").write_bytes(atis_bytes(events))
    (tmp_path / "b.bin").write_bytes(atis_bytes([(t, 9, 9, 1) for t, *_ in events]))
    first = eb.read(tmp_path / "a.bin", (128, 128))
    kept = first[50_000:50_010]
    before = kept.to_structured()
    del first
    gc.collect()
    for _ in range(3):
        eb.read(tmp_path / "b.bin", (128, 128))
        eb.read_batch([tmp_path / "b.bin"] * 2, (128, 128))
    assert (kept.to_structured() == before).all()
