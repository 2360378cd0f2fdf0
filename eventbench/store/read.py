"""Stores opened for reading: metadata in memory, events and frames mapped from the file, every sample checked as it is read."""

from __future__ import annotations

import json
import os
import zlib
from contextlib import nullcontext
from pathlib import Path
from typing import Self

import h5py
import numpy as np

from eventbench.errors import BadSpec, BadStore
from eventbench.events import Events
from eventbench.events.packed import PackedEvents
from eventbench.specs.raw_files import RawFile, RawFiles
from eventbench.store.key import StoreKey
from eventbench.store.left_out import read_left_out
from eventbench.store.notes import read_notes
from eventbench.store.opening import mapped, opened, release_pages, rows_of, texts
from eventbench.store.seal import payload_checksum, raw_bytes
from eventbench.store.sparse import decode_sparse

MAPPED_AT_MOST = 1 << 26  # bytes of a store that a process holds mapped in memory


class Store:
    """A complete store. `store[i]` is sample i's events or frames, in order of id.

    Attributes
    ----------
    path, key (hex), made_from (the key's JSON value), dataset (card id), sensor (width, height), classes
    ids, splits, subjects, hashes : lists of str (samples,); hashes are the sha256 of the raw files
    labels : int32 (samples,)
    account : {"events", "kept", "lost/<reason>"} -> int64 (samples,)
    mended : {"steps_back", "clock_restarts", "clock_words_damaged"} -> int64 (samples,), in the file of the sample
    layout_version : of the file
    notes : what decoders said of its files, by kind
    left_out : samples that it was made without, since they cannot be read
    raw_digest : of the recordings that no card pins (`RawFiles.digest`); "" where the card does, or the store does not say
    """

    layout = ""
    _columns: tuple[np.ndarray, ...]  # of the payload, mapped

    def __init__(self, path: Path, file: h5py.File | None = None) -> None:
        """Open the store at `path`; `file` is its file where `opened` holds it open already."""
        self.path = path
        with opened(path) if file is None else nullcontext(file) as store_file:
            self._read(store_file)

    def _read(self, file: h5py.File) -> None:
        attrs = dict(file.attrs)
        self.layout_version = int(attrs["layout_version"])
        self.key, self.made_from = str(attrs["key"]), json.loads(attrs["key_json"])
        self.dataset, self.classes = str(attrs["dataset"]), json.loads(attrs["classes"])
        self.raw_digest = str(attrs.get("raw_digest", ""))
        self.left_out, self.notes = read_left_out(file), read_notes(file)
        width, height = attrs["sensor"]
        self.sensor = int(width), int(height)
        rows = rows_of(file)
        self.ids = texts(rows["samples/id"])
        self.splits, self.subjects = texts(rows["samples/split"]), texts(rows["samples/subject"])
        self.hashes, self.labels = texts(rows["samples/sha256"]), rows["samples/label"]
        self._checksums = rows["samples/crc32" if self.layout_version == 1 else "samples/xxh3"]
        self.account: dict[str, np.ndarray] = {
            name.removeprefix("account/"): counts
            for name, counts in rows.items()
            if name.startswith("account/")
        }
        self.mended: dict[str, np.ndarray] = {
            name.removeprefix("mended/"): counts
            for name, counts in rows.items()
            if name.startswith("mended/")
        }
        self._load(file, rows)
        self._bytes_mapped = 0

    def _load(self, file: h5py.File, rows: dict[str, np.ndarray]) -> None:
        raise NotImplementedError

    def _payload(self, i: int) -> list[np.ndarray]:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, split: str) -> np.ndarray:
        """The indices of a split's samples. Raises BadStore where the store has no such split."""
        rows = np.array([i for i, name in enumerate(self.splits) if name == split], np.int64)
        if not len(rows):
            raise BadStore(
                f"no split {split!r}", where=self.path, allowed=", ".join(sorted(set(self.splits)))
            )
        return rows

    def raw_files(self) -> RawFiles | None:
        """The files it was made from; None where it does not say: a card pins them, or an earlier version made it."""
        if not self.raw_digest:
            return None
        with opened(self.path) as file:
            group = file["raw"]
            (folder,), paths = group["folder"][:].tolist(), group["path"][:].tolist()
            numbers = group["size"][:].tolist(), group["changed_ns"][:].tolist()
            files = map(RawFile, *numbers, texts(group["sha256"][:]))
            names = [os.fsdecode(path) for path in paths]
            return RawFiles(os.fsdecode(folder), self.raw_digest, dict(zip(names, files, strict=True)))

    def damaged(self) -> list[str]:
        """Ids of the samples whose bytes are not those that were written."""
        return [sample for i, sample in enumerate(self.ids) if not self._is_sound(i, self._payload(i))]

    def _is_sound(self, i: int, payload: list[np.ndarray]) -> bool:
        if self.layout_version > 1:
            return payload_checksum(payload) == int(self._checksums[i])
        crc = 0
        for column in payload:
            crc = zlib.crc32(raw_bytes(column), crc)
        return crc == int(self._checksums[i])

    def _checked(self, i: int) -> tuple[int, list[np.ndarray]]:
        """The number of a sample, counted from the start, and its payload: unharmed, as the decoders trust it to be."""
        i = range(len(self))[i]
        payload = self._payload(i)
        if not self._is_sound(i, payload):
            fix = "eventbench preprocess --rebuild makes it again"
            raise BadStore(f"sample {self.ids[i]} is damaged", where=self.path, fix=fix)
        self._bytes_mapped += sum(column.nbytes for column in payload)
        if self._bytes_mapped > MAPPED_AT_MOST:
            release_pages(self._columns)
            self._bytes_mapped = 0
        return i, payload

    def require_key(self, key: StoreKey) -> Self:
        """This store, if it was made from `key`. Raises BadStore where another store lies in its place."""
        if self.key != key.digest:
            raise BadStore(
                f"its key is {self.key[:8]}, not {key.digest[:8]}",
                where=self.path,
                fix="it was moved here: remove it and run eventbench preprocess again",
                reason="other_key",
            )
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[Path]]:
        return type(self), (self.path,)  # a worker process maps the file again


class EventStore(Store):
    """Events of a dataset, as they were recorded."""

    layout = "events"

    def _load(self, file: h5py.File, rows: dict[str, np.ndarray]) -> None:
        self.offset, self._start = rows["samples/offset"], rows["samples/start_us"]
        self._long_offset = rows["samples/long_offset"]
        names = ("events/address", "events/dt", "long/row", "long/dt")
        self._columns = tuple(mapped(self.path, file[name]) for name in names)

    def _payload(self, i: int) -> list[np.ndarray]:
        rows = slice(self.offset[i], self.offset[i + 1])
        longs = slice(self._long_offset[i], self._long_offset[i + 1])
        address, dt, long_row, long_dt = self._columns
        return [address[rows], dt[rows], long_row[longs], long_dt[longs]]

    def columns(self, i: int) -> PackedEvents:
        """Sample i as it is stored. Raises BadStore where it is not what was written."""
        i, payload = self._checked(i)
        address, dt, long_row, long_dt = payload
        return PackedEvents(int(self._start[i]), address, dt, long_row, long_dt, self.sensor)

    def __getitem__(self, i: int) -> Events:
        return self.columns(i).events()


class FrameStore(Store):
    """Frames of a dataset through one pipeline: arrays of `shape` (T, C, H, W) and `dtype`."""

    layout = "frames"

    def _load(self, file: h5py.File, rows: dict[str, np.ndarray]) -> None:
        if self.layout_version == 1:
            dense = mapped(self.path, file["frames/data"])
            self._columns, self.shape, self.dtype = (dense,), dense.shape[1:], dense.dtype
            return
        self._columns = tuple(mapped(self.path, file[f"frames/{name}"]) for name in ("gap", "value"))
        self._gap_offset, self._value_offset = rows["samples/gap_offset"], rows["samples/value_offset"]
        self.shape = tuple(int(side) for side in file.attrs["shape"])
        self.dtype = self._columns[1].dtype

    def _payload(self, i: int) -> list[np.ndarray]:
        if self.layout_version == 1:
            return [self._columns[0][i]]
        gap, value = self._columns
        return [
            gap[self._gap_offset[i] : self._gap_offset[i + 1]],
            value[self._value_offset[i] : self._value_offset[i + 1]],
        ]

    def _write_into(self, i: int, out: np.ndarray) -> None:
        i, payload = self._checked(i)
        if self.layout_version == 1:
            out[...] = payload[0]
        elif not decode_sparse(payload[0], payload[1], out):
            raise BadStore(f"sample {self.ids[i]} does not fill {self.shape}", where=self.path)

    def __getitem__(self, i: int) -> np.ndarray:
        out = np.empty(self.shape, self.dtype)
        self._write_into(i, out)
        return out

    def gather(self, rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """The frames (rows, T, C, H, W) of these samples, written into `out` when given.

        Raises BadStore where one is not what was written, BadSpec for an `out` of another shape or type.
        """
        shape = (len(rows), *self.shape)
        if out is None:
            out = np.empty(shape, self.dtype)
        elif out.shape != shape or out.dtype != self.dtype or not out.flags.c_contiguous:
            raise BadSpec(
                f"out is {out.dtype} {out.shape}",
                where="gather",
                allowed=f"{self.dtype} {shape}, C-contiguous",
            )
        for row, place in zip(rows, out, strict=True):
            self._write_into(row, place)
        return out


def open_any(path: Path) -> Store:
    """The store at `path`, of whichever layout. Raises BadStore when it is none, unfinished, or too new."""
    kinds: dict[str, type[Store]] = {"events": EventStore, "frames": FrameStore}
    with opened(path) as file:
        return kinds[str(file.attrs["layout"])](path, file)
