"""Making a store once: several workers make samples, one writer appends them in order to the draft, one process at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from eventbench.errors import BadStore, EventbenchError
from eventbench.files.progress import Progress
from eventbench.preprocess.freshness import Freshness
from eventbench.preprocess.report import Refused, Report
from eventbench.store.draft import Draft, Row, clear_draft, has_draft
from eventbench.store.key import StoreKey
from eventbench.store.paths import exclusive_writer
from eventbench.store.read import Store

A = TypeVar("A")
B = TypeVar("B")
S = TypeVar("S", bound=Store)
Payload = tuple[Row, list[np.ndarray]]


def make_once(
    kind: type[S],
    key: StoreKey,
    look: Callable[[S], Freshness],
    make: Callable[[], Report],
    *,
    rebuild: bool,
    incomplete: bool = False,
) -> Report:
    """`make()`, unless the store of this key is complete already, `look` finds it fresh, and it is not to be rebuilt.

    A store that was made without some samples is used only where `incomplete` says that such a one will do. Raises
    BadStore where another store lies in its place, it is unreadable, or the disk refuses to write it.
    """

    def complete() -> tuple[Report | None, str]:
        """The report of a store that can be used as it is, or why there is none."""
        if rebuild or not key.path.exists():
            return None, ""
        store = kind(key.path).require_key(key)
        if store.left_out and not incomplete:
            return None, f"{len(store.left_out):,} recordings were left out of it"
        freshness = look(store)
        if freshness.stale:
            return None, freshness.stale
        refused = {sample.id: sample.reason for sample in store.left_out}
        samples = len(store) + len(refused)
        return Report(key.path, samples, len(store), refused, not_looked_at=freshness.not_looked_at), ""

    if not has_draft(key.path) and (report := complete()[0]):
        return report  # nothing is written: the cache may be read-only
    with exclusive_writer(key.path):
        report, stale = complete()
        if report is None:
            report = make()
            report.made_again = stale
            return report
        clear_draft(key.path)
        return report


def fill(
    draft: Draft,
    ids: list[str],
    load: Callable[[str], Payload],
    workers: int,
    progress: Progress,
    *,
    keep_going: bool = False,
) -> Report:
    """Add every sample the draft does not have yet. Raises Refused, after looking at all, where some cannot be read.

    With `keep_going` those are left out, unless there is no other; the report has them.
    """
    done = [row.id for row in draft.rows]
    if done != ids[: len(done)] and keep_going:  # an earlier run has left some out: they are looked at again
        draft.clear()
        done = []
    if done != ids[: len(done)]:
        draft.discard()
        raise BadStore(
            "the draft was made from other samples and was thrown away",
            where=draft.key.path,
            fix="run the command again",
        )
    report = Report(draft.key.path, len(ids), len(done))

    def attempt(sample_id: str) -> tuple[str, Payload | EventbenchError]:
        try:
            return sample_id, load(sample_id)
        except EventbenchError as error:
            return sample_id, error

    results = _in_order(attempt, ids[len(done) :], workers)
    dataset = draft.key.path.parent.name
    try:
        for sample_id, result in progress(results, of=dataset, unit="sample", total=len(ids), done=len(done)):
            if isinstance(result, EventbenchError):
                report.refused[sample_id] = str(result)
            elif keep_going or not report.refused:  # else a draft is the first samples, with none left out
                row, payload = result
                draft.add(row, payload)
    finally:
        draft.close()
    if report.refused and (not keep_going or len(report.refused) == len(ids)):
        raise Refused(report)
    return report


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
