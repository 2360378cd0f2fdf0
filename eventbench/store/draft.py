"""A draft: a store in the making that survives being killed at any moment.

Columns grow in plain append-only files. A sample counts once its line stands whole in the journal, and lines are
written after their samples' bytes; so whatever a killed run left half-done lies beyond the last line and is cut off.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import numpy as np

from eventbench import digest
from eventbench.store.key import StoreKey
from eventbench.store.paths import DRAFT, beside
from eventbench.store.seal import bytes_checksum, raw_bytes

Whole = Annotated[int, msgspec.Meta(ge=0)]
AT_LEAST_EVERY_S = 0.5  # that much work a killed run can lose
HELD_BACK = 1 << 22  # bytes a file may hold back until then


def has_draft(store: Path) -> bool:
    """Whether there is a draft of a store, or what is left of one."""
    return beside(store, DRAFT).exists()


def clear_draft(store: Path) -> None:
    """Remove a store's draft, or what a run killed between naming its finished store and removing the draft left of it."""
    shutil.rmtree(beside(store, DRAFT), ignore_errors=True)


class Row(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A journal line: a sample's id and what is kept of it beside its payload.

    `bytes` and `xxh3` are of the payload, the columns in their order; `lost` counts events by reason, `mended` what was
    done to the times of its file. `notes` are what else its decoder said: kind, what, and what to do about it.
    """

    id: str
    split: str
    label: int
    subject: str
    sha256: str
    events: int
    kept: int
    lost: dict[str, int] = {}
    mended: dict[str, int] = {}
    notes: list[tuple[str, str, str]] = []
    start_us: int = 0
    bytes: tuple[Whole, ...] = ()
    xxh3: int = 0


class Draft:
    """The unfinished store of a key, at `<store>.draft/`: opened again, it goes on where the last run ended.

    `rows` are the journal's, in the order they were added. A draft with another key, or of other `content` (a digest
    of what the samples are, "" where the key says it all), is thrown away, as its samples are not this store's; so is
    any where `start_over` is asked for.
    """

    def __init__(
        self, key: StoreKey, columns: list[str], *, content: str = "", start_over: bool = False
    ) -> None:
        self.key, self.folder, self.columns = key, beside(key.path, DRAFT), columns
        heads = {"content": content.encode(), "key.json": digest.canonical_json(key.value)}
        if self.folder.exists() and (start_over or any(not self._has(*head) for head in heads.items())):
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, head in heads.items():
            if not self._has(name, head):  # written once: writing it again would risk a torn one
                (self.folder / name).write_bytes(head)
        self.rows = self._recover()
        self._files = [self.column_path(column).open("ab", buffering=HELD_BACK) for column in columns]
        self._journal = (self.folder / "journal.jsonl").open("ab")
        self._lines: list[bytes] = []
        self._written_at = time.monotonic()

    def _has(self, name: str, head: bytes) -> bool:
        path = self.folder / name
        return path.read_bytes() == head if path.is_file() else not head

    def column_path(self, column: str) -> Path:
        """The file in which a column grows."""
        return self.folder / f"{column}.bin"

    def add(self, row: Row, payload: list[np.ndarray]) -> None:
        """Append one sample's arrays, a column each, and its line."""
        parts = [raw_bytes(column) for column in payload]
        row.bytes, row.xxh3 = tuple(map(len, parts)), bytes_checksum(parts)
        for file, part in zip(self._files, parts, strict=True):
            if part:
                file.write(part)
        self._lines.append(msgspec.json.encode(row) + b"\n")
        self.rows.append(row)
        if time.monotonic() - self._written_at > AT_LEAST_EVERY_S:
            self._write()

    def _write(self) -> None:
        for file in self._files:
            file.flush()
        self._journal.write(b"".join(self._lines))
        self._journal.flush()
        self._lines.clear()
        self._written_at = time.monotonic()

    def close(self) -> None:
        """Write what is held back and close the files; what the disk refuses is raised after they are closed."""
        try:
            self._write()
        finally:
            for file in (*self._files, self._journal):
                _close(file)

    def clear(self) -> None:
        """Begin again without samples."""
        for file in (*self._files, self._journal):
            file.truncate(0)
        self.rows.clear()

    def discard(self) -> None:
        """Remove the draft from the disk."""
        for file in (*self._files, self._journal):
            _close(file)
        shutil.rmtree(self.folder)

    def _recover(self) -> list[Row]:
        """The whole lines whose bytes are all there and unharmed; the files cut to just those."""
        journal = self.folder / "journal.jsonl"
        paths = [self.column_path(column) for column in self.columns]
        rows, journal_end, ends = [], 0, [0] * len(paths)
        files = [path.open("rb") if path.exists() else None for path in paths]
        try:
            for line in journal.read_bytes().splitlines(keepends=True) if journal.exists() else []:
                row = _row(line, len(paths))
                if row is None or not _payload_is_whole(row, files):
                    break
                rows.append(row)
                journal_end += len(line)
                ends = [end + size for end, size in zip(ends, row.bytes, strict=True)]
        finally:
            for file in files:
                if file:
                    file.close()
        for path, end in [(journal, journal_end), *zip(paths, ends, strict=True)]:
            if path.exists():
                os.truncate(path, end)
        return rows


def _row(line: bytes, columns: int) -> Row | None:
    if not line.endswith(b"\n"):
        return None
    try:
        row = msgspec.json.decode(line, type=Row)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return row if len(row.bytes) == columns else None


def _payload_is_whole(row: Row, files: Sequence[BinaryIO | None]) -> bool:
    """Whether the next bytes of the column files are those the line tells of."""
    parts = [file.read(size) if file and size else b"" for file, size in zip(files, row.bytes, strict=True)]
    if [len(part) for part in parts] != list(row.bytes):
        return False
    return bytes_checksum(parts) == row.xxh3


def _close(file: Any) -> None:
    try:
        file.close()
    except OSError:  # held-back bytes the disk has no room for: they are of no sample that counts
        file.raw.close() if hasattr(file, "raw") else None
