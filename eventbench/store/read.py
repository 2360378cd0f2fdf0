"""Stores opened for reading: metadata in memory, events and frames mapped from the file."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np

from eventbench import digest
from eventbench.errors import BadStore
from eventbench.events import Events
from eventbench.store.codec import decode, raw_bytes
from eventbench.store.key import LAYOUT_VERSION

REMAKE = "remove the file and run eventbench preprocess again"


class Store:
    """A complete store. `store[i]` is sample i's events or frames, in order of id.

    Attributes
    ----------
    path, key (hex), made_from (the key's JSON value), dataset (card id), sensor (width, height), classes
    ids, splits, subjects : lists of str (samples,)
    labels : int32 (samples,)
    account : {"events", "kept", "lost/<reason>"} -> int64 (samples,)
    """

    layout = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        with _opened(path) as file, _whole(path):
            attrs = dict(file.attrs)
            self.key, self.made_from = str(attrs["key"]), json.loads(attrs["key_json"])
            self.dataset, self.classes = str(attrs["dataset"]), json.loads(attrs["classes"])
            self.sensor: tuple[int, int] = tuple(int(side) for side in attrs["sensor"])  # type: ignore[assignment]
            samples = file["samples"]
            self.ids: list[str] = list(samples["id"].asstr()[:])
            self.splits: list[str] = list(samples["split"].asstr()[:])
            self.subjects: list[str] = list(samples["subject"].asstr()[:])
            self.hashes: list[str] = list(samples["sha256"].asstr()[:])
            self.labels = samples["label"][:]
            self._crc = samples["crc32"][:]
            account = file["account"]
            self.account: dict[str, np.ndarray] = {name: account[name][:] for name in ("events", "kept")}
            for reason, counts in account.get("lost", {}).items():
                self.account[f"lost/{reason}"] = counts[:]
            self._load(file)

    def _load(self, file: h5py.File) -> None:
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

    def damaged(self) -> list[str]:
        """Ids of the samples whose bytes are not those that were written."""
        found = []
        for i, sample in enumerate(self.ids):
            if not self._sound(i, self._payload(i)):
                found.append(sample)
        return found

    def _sound(self, i: int, payload: list[np.ndarray]) -> bool:
        crc = 0
        for column in payload:
            crc = zlib.crc32(raw_bytes(column), crc)
        return crc == self._crc[i]

    def _hold(self, i: int, payload: list[np.ndarray]) -> None:
        if not self._sound(i, payload):
            fix = "eventbench preprocess --rebuild makes it again"
            raise BadStore(f"sample {self.ids[i]} is damaged", where=self.path, fix=fix)

    def made_by(self, key: dict[str, Any]) -> Self:
        """This store, if it was made from `key`. Raises BadStore when a store of other rules lies in its place."""
        if self.key != digest.of_value(key):
            raise BadStore(
                f"its key is {self.key[:8]}, not {digest.of_value(key)[:8]}",
                where=self.path,
                fix="it was moved here: remove it and run eventbench preprocess again",
            )
        return self

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return type(self), (self.path,)  # a worker process maps the file anew


class EventStore(Store):
    """Events of a dataset, as they were recorded."""

    layout = "events"

    def _load(self, file: h5py.File) -> None:
        self.offset, self._start = file["samples/offset"][:], file["samples/start_us"][:]
        self._long_offset = file["samples/long_offset"][:]
        self._address, self._dt = (_mapped(self.path, file[f"events/{name}"]) for name in ("address", "dt"))
        self._long_row, self._long_dt = file["long/row"][:], file["long/dt"][:]

    def _payload(self, i: int) -> list[np.ndarray]:
        rows, longs = slice(*self.offset[i : i + 2]), slice(*self._long_offset[i : i + 2])
        return [self._address[rows], self._dt[rows], self._long_row[longs], self._long_dt[longs]]

    def __getitem__(self, i: int) -> Events:
        i = range(len(self))[i]
        payload = self._payload(i)
        self._hold(i, payload)  # unharmed columns are what the decoder and the kernels after it trust
        address, dt, _, long_dt = payload
        return decode(self._start[i], address, dt, long_dt, self.sensor)


class FrameStore(Store):
    """Frames of a dataset through one pipeline; `frames` is (samples, T, P, H, W), mapped read-only."""

    layout = "frames"

    def _load(self, file: h5py.File) -> None:
        self.frames = _mapped(self.path, file["frames/data"])

    def _payload(self, i: int) -> list[np.ndarray]:
        return [self.frames[i]]

    def __getitem__(self, i: int) -> np.ndarray:
        i = range(len(self))[i]
        self._hold(i, self._payload(i))
        return self.frames[i]

    def taken(self, rows: np.ndarray) -> np.ndarray:
        """The frames (rows, T, P, H, W) of these samples, copied. Raises BadStore where one is not what was written."""
        found = np.array(self.frames[rows])
        for row, frames in zip(rows, found, strict=True):
            self._hold(row, [frames])
        return found


def open_any(path: Path) -> Store:
    """The store at `path`, of whichever layout. Raises BadStore when it is none, unfinished, or too new."""
    with _opened(path) as file, _whole(path):
        layout = str(file.attrs["layout"])
    return {"events": EventStore, "frames": FrameStore}[layout](path)


def _opened(path: Path) -> h5py.File:
    if not path.is_file():
        raise BadStore("there is no such store", where=path, fix="make it with eventbench preprocess")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise BadStore(f"not a readable HDF5 file ({error})", where=path, fix=REMAKE) from None
    try:
        with _whole(path):
            _check_head(path, file.attrs)
    except BadStore:
        file.close()
        raise
    return file


def _check_head(path: Path, attrs: Any) -> None:
    if attrs.get("format") != "eventbench" or attrs.get("layout") not in ("events", "frames"):
        raise BadStore("an HDF5 file, but no eventbench store", where=path)
    if attrs.get("layout_version") != LAYOUT_VERSION:
        raise BadStore(
            f"layout version {attrs.get('layout_version')}",
            where=path,
            allowed=str(LAYOUT_VERSION),
            fix="update eventbench, or make the store again",
        )
    if attrs.get("complete") != 1:
        raise BadStore("the store was never finished", where=path, fix=REMAKE)


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """What h5py, JSON and mmap raise about a file that is cut off or harmed becomes one refusal."""
    try:
        yield
    except (OSError, LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise BadStore(f"damaged: {error}", where=path, fix=REMAKE) from None


def _mapped(path: Path, dataset: h5py.Dataset) -> np.ndarray:
    """A contiguous dataset as a read-only memory map: no copy, and pages are shared by all processes."""
    offset = dataset.id.get_offset()
    if offset is None:  # HDF5 gives no address to a dataset of no bytes
        return np.empty(dataset.shape, dataset.dtype)
    return np.memmap(path, dataset.dtype, "r", offset, dataset.shape)
