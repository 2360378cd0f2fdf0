"""A draft: a store in the making that survives being killed at any moment.

Columns grow in plain append-only files. A sample counts once its line stands whole in the journal, and the line is
written after the sample's bytes; so whatever a killed run left half-done lies beyond the last line and is cut off.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

from eventbench import digest
from eventbench.store.codec import raw_bytes

BLOCK = 1 << 24


class Draft:
    """The unfinished store at `<store>.draft/`: opened again, it goes on where the last run ended.

    `rows` are the journal's lines: {"id", "bytes": {column: n}, "crc32", "meta": {...}} in the order they were added.
    A draft with another key is thrown away, as its samples are not this store's; so is any where `anew` is asked for.
    """

    def __init__(self, store: Path, key: dict[str, Any], columns: list[str], *, anew: bool = False) -> None:
        self.folder = store.with_name(store.name + ".draft")
        self.columns = columns
        key_json = digest.canonical_json(key)
        stated = self.folder / "key.json"
        if self.folder.exists() and (anew or not stated.is_file() or stated.read_bytes() != key_json):
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        if not stated.exists():  # writing it anew would risk a torn one, and with it all that was done
            stated.write_bytes(key_json)
        self.rows = self._recover()
        self._files = {column: self.column_path(column).open("ab") for column in columns}
        self._journal = (self.folder / "journal.jsonl").open("ab")

    def column_path(self, column: str) -> Path:
        return self.folder / f"{column}.bin"

    def add(self, sample_id: str, payload: dict[str, np.ndarray], meta: dict[str, Any]) -> None:
        """Append one sample's arrays and then its line."""
        sizes, crc = {}, 0
        for column in self.columns:
            data = raw_bytes(payload[column])
            self._files[column].write(data)
            sizes[column] = len(data)
            crc = zlib.crc32(data, crc)
        for file in self._files.values():
            file.flush()
        row = {"id": sample_id, "bytes": sizes, "crc32": crc, "meta": meta}
        self._journal.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")
        self._journal.flush()
        self.rows.append(row)

    def close(self) -> None:
        for file in (*self._files.values(), self._journal):
            file.close()

    def discard(self) -> None:
        """Remove the draft from the disk."""
        self.close()
        shutil.rmtree(self.folder)

    def _recover(self) -> list[dict[str, Any]]:
        """The whole lines whose bytes are all there and unharmed; the files cut to just those."""
        journal = self.folder / "journal.jsonl"
        rows, journal_end = [], 0
        ends = dict.fromkeys(self.columns, 0)
        with _Crc(self.folder, self.columns) as read:
            for line in journal.read_bytes().splitlines(keepends=True) if journal.exists() else []:
                row = _row(line, self.columns)
                if row is None or read(row["bytes"]) != row["crc32"]:
                    break
                rows.append(row)
                journal_end += len(line)
                for column in self.columns:
                    ends[column] += row["bytes"][column]
        for path, end in [(journal, journal_end), *((self.column_path(c), ends[c]) for c in self.columns)]:
            if path.exists():
                os.truncate(path, end)
        return rows


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    """The form of a journal line."""

    id: str
    bytes: dict[str, Annotated[int, msgspec.Meta(ge=0)]]
    crc32: int
    meta: dict[str, Any]


def _row(line: bytes, columns: list[str]) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        row = msgspec.json.decode(line, type=_Line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return msgspec.structs.asdict(row) if list(row.bytes) == columns else None


class _Crc:
    """Reads the columns on from where the row before ended, giving the crc32 of each row's bytes."""

    def __init__(self, folder: Path, columns: list[str]) -> None:
        paths = {column: folder / f"{column}.bin" for column in columns}
        self._files = {c: path.open("rb") if path.exists() else None for c, path in paths.items()}

    def __enter__(self):  # type: ignore[no-untyped-def]
        return self._crc

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            if file:
                file.close()

    def _crc(self, sizes: dict[str, int]) -> int:
        crc = 0
        for column, size in sizes.items():
            file = self._files[column]
            data = file.read(size) if file and size else b""
            if len(data) != size:
                return -1
            crc = zlib.crc32(data, crc)
        return crc
