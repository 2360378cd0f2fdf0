"""The files around a store: its draft, its unfinished form, and the lock that one process holds while it makes them."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from eventbench.errors import BadStore

STORE, DRAFT, UNFINISHED, LOCK = "store", "draft", "unfinished", "lock"
ENDINGS = {STORE: "", DRAFT: ".draft", UNFINISHED: ".unfinished", LOCK: ".lock"}


def beside(store: Path, kind: str) -> Path:
    """Where the DRAFT (a folder), the UNFINISHED file or the LOCK of a store lies."""
    return store.with_name(store.name + ENDINGS[kind])


def belongs_to(path: Path, kind: str) -> Path:
    """The store whose DRAFT, UNFINISHED file or LOCK this is."""
    return path.with_name(path.name.removesuffix(ENDINGS[kind]))


@contextmanager
def exclusive_writer(store: Path) -> Iterator[None]:
    """One process makes a store at a time, the others wait and find it; what the disk refuses becomes a BadStore."""
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(beside(store, LOCK)):
            yield
    except OSError as error:
        fix = "the store was not finished; run the same command again when it can be written"
        if error.errno == errno.ENOSPC:
            fix = "make room and run the same command again: what was done is kept"
        raise _not_writable(store, error, fix) from None


@contextmanager
def try_lock(store: Path) -> Iterator[bool]:
    """Hold the lock of a store while the block runs: True, or False at once where somebody is writing it.

    Raises BadStore where the folder cannot be written.
    """
    lock = FileLock(beside(store, LOCK), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        raise _not_writable(store, error) from None
    try:
        yield True
    finally:
        lock.release()


def being_written(store: Path) -> bool:
    """Whether some process is making this store now. Nothing is written where there is no lock file."""
    if not beside(store, LOCK).exists():
        return False
    try:
        with try_lock(store) as locked:
            return not locked
    except BadStore:
        return False  # we may not write here; what we may not lock we only read


def _not_writable(store: Path, error: OSError, fix: str = "") -> BadStore:
    return BadStore(
        f"cannot be written: {error.strerror or error}", where=store, fix=fix, reason="not_writable"
    )
