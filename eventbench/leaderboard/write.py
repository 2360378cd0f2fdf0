"""A record is written whole or not at all, and never over another one."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from eventbench.errors import BadRecord, EventbenchError
from eventbench.leaderboard.entry import Entry, content_digest, load_entry, place_of
from eventbench.specs.record import Record
from eventbench.task_kinds.base import named


def write_record(board: Path, record: Record, rows: Iterable[Sequence[Any]]) -> Entry:
    """Write `record` and its predictions under `<board>/records`, and return it as read back.

    rows: `(id, label, what run 0 answered, what run 1 answered, ...)` for every test sample, in any order; what an answer
    is, the record's kind of task says. `record.predictions` is the sha256 of the file they make; left empty it is filled in.

    Raises BadRecord when record and rows do not fit each other, EventbenchError when the files cannot be written or
    are there already. In either case nothing is left behind.
    """
    kind = named(record.kind, where=record.model.name)
    content = kind.encode(rows, [run.seed for run in record.runs], record.model.name)
    digest = hashlib.sha256(content).hexdigest()
    if not record.predictions:
        record = msgspec.structs.replace(record, predictions=digest)
    record = _as_read_back(record)
    target = board / "records" / place_of(record)
    entry = Entry(target, record)
    if broken := entry.judge(content)[1]:
        raise BadRecord(broken[0], where=target)
    text = msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
    try:
        # The predictions come first: a record that can be seen always has its evidence beside it.
        with _folder(target.parent):
            _place([(entry.predictions_path, content), (target, text)])
    except OSError as error:
        raise EventbenchError(
            f"the record cannot be written: {error.strerror or error}",
            where=target,
            fix="nothing was left behind; make room or name another folder with --board, then submit again",
        ) from error
    return load_entry(target)


def _as_read_back(record: Record) -> Record:
    """What a reader will find: an int where a float belongs would otherwise give the record another digest."""
    try:
        content_digest(record)  # msgspec would write a NaN as null
        return msgspec.json.decode(msgspec.json.encode(record), type=Record)
    except (TypeError, ValueError) as error:
        raise BadRecord(
            f"the record holds what JSON cannot: {error}",
            where=record.model.name,
            allowed="text, finite numbers, lists and tables",
        ) from None


@contextlib.contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """`folder`, made for the time being: the parts that had to be made go again when what follows fails."""
    created = [part for part in [folder, *folder.parents] if not part.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for part in created:
            with contextlib.suppress(OSError):  # not made yet, or somebody else's record is in it by now
                part.rmdir()
        raise


def _place(files: list[tuple[Path, bytes]]) -> None:
    for target, _ in files:
        if target.exists():
            raise EventbenchError(
                "there is a file of this name already",
                where=target,
                fix="records are never overwritten; submit again to make a new one",
            )
    temporary: list[Path] = []
    placed: list[Path] = []
    try:
        for target, content in files:
            temporary.append(target.with_name(f".{target.name}.{os.getpid()}.tmp"))
            with temporary[-1].open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, (target, _) in zip(temporary, files, strict=True):
            path.replace(target)
            placed.append(target)
        _sync(files[0][0].parent)
    except BaseException:
        for path in [*temporary, *placed]:
            path.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """Have the new names on disk too, where the platform lets a folder be synced."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
