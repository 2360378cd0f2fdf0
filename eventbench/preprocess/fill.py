"""Filling a draft: several workers make samples, one writer appends them in order, and only one process does it at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from eventbench.errors import BadStore, EventbenchError
from eventbench.preprocess.report import Refused, Report
from eventbench.store.draft import Draft, Row

A = TypeVar("A")
B = TypeVar("B")
Payload = tuple[Row, list[np.ndarray]]


def fill(
    draft: Draft, store: Path, ids: list[str], load: Callable[[str], Payload], workers: int, progress: bool
) -> Report:
    """Add every sample the draft does not have yet. Raises Refused, after looking at all, where some cannot be read."""
    done = [row.id for row in draft.rows]
    if done != ids[: len(done)]:
        draft.discard()
        raise BadStore(
            "the draft was made from other samples and was thrown away",
            where=store,
            fix="run the command again",
        )
    report = Report(store, len(ids), len(done))

    def attempt(sample_id: str) -> tuple[str, Payload | EventbenchError]:
        try:
            return sample_id, load(sample_id)
        except EventbenchError as error:
            return sample_id, error

    results = _in_order(attempt, ids[len(done) :], workers)
    if progress:
        results = _Bar(
            results, desc=store.parent.name, total=len(ids), initial=len(done), unit="sample", disable=None
        )
    try:
        for sample_id, result in results:
            if isinstance(result, EventbenchError):
                report.refused[sample_id] = str(result)
            elif not report.refused:  # a draft is always the first samples, with none left out
                row, payload = result
                draft.add(row, payload)
    finally:
        draft.close()
    if report.refused:
        raise Refused(report)
    return report


class _Bar(tqdm):
    """Locked among threads only: tqdm's own lock is shared with forked processes, and who is killed with it stops all."""


_Bar.set_lock(threading.RLock())


def _in_order(function: Callable[[A], B], items: Iterable[A], workers: int) -> Iterator[B]:
    """`function` of each item, in order, `workers` at a time, with a bounded number waiting: memory stays flat."""
    if workers <= 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(workers) as pool:  # threads: the kernels and file reads release the GIL
        waiting: deque[Future[B]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= 4 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
