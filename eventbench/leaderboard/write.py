"""Write a record and its evidence: both files completely or neither, and never over existing ones."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from eventbench.errors import BadRecord, EventbenchError
from eventbench.leaderboard.entry import Entry, content_digest, load_entry, relative_path
from eventbench.specs.record import Record
from eventbench.task_kinds.base import task_kind_named


def write_record(board: Path, record: Record, rows: Iterable[Sequence[Any]]) -> Entry:
    """Write `record` and its predictions under `<board>/records`, and return it as read back.

    rows: `(id, label, answer of run 0, answer of run 1, ...)` for every test sample, in any order; the record's kind of
    task defines what an answer is. `record.predictions` is the sha256 of the file made of them; it is filled in if empty.

    Raises BadRecord when record and rows do not fit each other, EventbenchError when the files cannot be written or
    exist already. In either case nothing is left behind.
    """
    kind = task_kind_named(record.kind, where=record.model.name)
    content = kind.encode(rows, [run.seed for run in record.runs], record.model.name)
    digest = hashlib.sha256(content).hexdigest()
    if not record.predictions:
        record = msgspec.structs.replace(record, predictions=digest)
    record = _as_read_back(record)
    target = board / "records" / relative_path(record)
    entry = Entry(target, record)
    if broken := entry.check_predictions(content)[1]:
        raise BadRecord(broken[0], where=target)
    text = msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
    try:
        # The predictions come first, so that a visible record always has its evidence beside it.
        with _created_folder(target.parent):
            _write_files([(entry.predictions_path, content), (target, text)])
    except OSError as error:
        raise EventbenchError(
            f"the record cannot be written: {error.strerror or error}",
            where=target,
            fix="nothing was left behind; make room or name another folder with --board, then submit again",
        ) from error
    return load_entry(target)


def _as_read_back(record: Record) -> Record:
    """The record as it is after reading it back: an int in place of a float would change the digest."""
    try:
        content_digest(record)  # refuses NaN, which msgspec would write as null
        return msgspec.json.decode(msgspec.json.encode(record), type=Record)
    except (TypeError, ValueError) as error:
        raise BadRecord(
            f"the record has a value that JSON cannot hold: {error}",
            where=record.model.name,
            allowed="text, finite numbers, lists and tables",
        ) from None


@contextlib.contextmanager
def _created_folder(folder: Path) -> Iterator[None]:
    """Create `folder` with its parents; those that did not exist are removed again when the block fails."""
    created = [part for part in [folder, *folder.parents] if not part.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for part in created:
            with contextlib.suppress(OSError):  # not made yet, or another process has put a record into it
                part.rmdir()
        raise


def _write_files(files: list[tuple[Path, bytes]]) -> None:
    """Write all files under temporary names, then rename them; on failure none of them is left."""
    for target, _ in files:
        if target.exists():
            raise EventbenchError(
                "there is a file of this name already",
                where=target,
                fix="records are never overwritten; submit again to make a new one",
            )
    temporary: list[Path] = []
    renamed: list[Path] = []
    try:
        for target, content in files:
            temporary.append(target.with_name(f".{target.name}.{os.getpid()}.tmp"))
            with temporary[-1].open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, (target, _) in zip(temporary, files, strict=True):
            path.replace(target)
            renamed.append(target)
        _sync(files[0][0].parent)
    except BaseException:
        for path in [*temporary, *renamed]:
            path.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """Flush the new names in the folder to disk, where the platform can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
