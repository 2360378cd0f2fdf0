"""A split too large for the device: read ahead by a thread, batch by batch, with the interface of a resident one."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Any

import numpy as np
import torch

from eventbench.errors import BadSpec
from eventbench.event_columns import address_dtype
from eventbench.representations.base import Representation
from eventbench.resident import ResidentSplit, SampleSplit
from eventbench.resident_events import ResidentEvents, binned_here
from eventbench.store.read import EventStore, FrameStore

SHARE = 0.5  # of the memory that is free, for data; a network's activations need the rest
AHEAD = 2  # batches that are read before they are asked for


class BinnedStore:
    """A store of events as if it were one of frames: binned on the CPU as they are taken, by any representation."""

    def __init__(self, store: EventStore, representation: Representation) -> None:
        self.store, self.representation = store, representation
        self.ids, self.labels, self.classes = store.ids, store.labels, store.classes
        self.shape, self.dtype = representation.shape(store.sensor), representation.array_dtype

    def taken(self, rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """The arrays (rows, T, C, H, W) of these samples, written into `out` when given."""
        if out is None:
            out = np.empty((len(rows), *self.shape), self.dtype)
        for row, place in zip(rows, out, strict=True):
            self.representation.apply_columns(self.store.columns(int(row)), place)
        return out


class _Staged:
    """Two buffers of pinned memory that batches pass on their way to a GPU: one is filled while the other is copied."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> None:
        self._buffers = [torch.empty(shape, dtype=dtype, pin_memory=True) for _ in range(2)]
        self._copied = [torch.cuda.Event() for _ in range(2)]
        self._stream, self._device, self._turn = torch.cuda.Stream(device), device, 0

    def sent(self, store: FrameStore | BinnedStore, rows: np.ndarray) -> tuple[torch.Tensor, Any]:
        """The frames of `rows` on the device, and the event after which they are all there."""
        buffer, copied = self._buffers[self._turn], self._copied[self._turn]
        self._turn = 1 - self._turn
        copied.synchronize()  # the copy of two batches ago has left this buffer
        store.taken(rows, out=buffer[: len(rows)].numpy())
        with torch.cuda.stream(self._stream):
            frames = buffer[: len(rows)].to(self._device, non_blocking=True)
            copied.record(self._stream)
        arrived = torch.cuda.Event()
        arrived.record(self._stream)
        return frames, arrived


class StreamedSplit(SampleSplit):
    """Some samples of a store, read from it anew each epoch: batch k + 1 and k + 2 while batch k is used.

    `store` is a store of frames, or a BinnedStore. For an equal generator the batches are those of a ResidentSplit.
    One thread reads; on a GPU it copies from pinned memory, beside the computation. What is raised in it is raised where
    the batch is asked for; it ends with the iteration, also with one that is left early (close the generator).
    """

    def __init__(self, store: FrameStore | BinnedStore, rows: np.ndarray, device: torch.device) -> None:
        super().__init__(store, rows, device)  # type: ignore[arg-type]
        # As the labels have it, with its number: the thread would take its own current device for a bare "cuda".
        self._source, self._rows, self._device = store, np.asarray(rows), self.labels.device
        self._dtype = torch.from_numpy(np.empty(0, store.dtype)).dtype

    def _taken(self, order: torch.Tensor, size: int) -> Generator[torch.Tensor, None, None]:
        parts = [self._rows[part.numpy()] for part in order.split(size)]
        ready: SimpleQueue[tuple[torch.Tensor, Any] | BaseException] = SimpleQueue()
        room, left = Semaphore(AHEAD), Event()
        thread = Thread(
            target=self._read, args=(parts, ready, room, left), name="eventbench-stream", daemon=True
        )
        thread.start()
        try:
            for _ in parts:
                got = ready.get()
                if isinstance(got, BaseException):
                    raise got
                room.release()
                yield self._arrived(*got)
        finally:
            left.set()
            room.release()
            thread.join()

    def _read(self, parts: list[np.ndarray], ready: SimpleQueue, room: Semaphore, left: Event) -> None:
        try:
            first = (len(parts[0]), *self._source.shape)  # no other is larger
            staged = _Staged(first, self._dtype, self._device) if self._device.type == "cuda" else None
            for rows in parts:
                room.acquire()
                if left.is_set():
                    return
                if staged is not None:
                    ready.put(staged.sent(self._source, rows))
                    continue
                frames = torch.empty((len(rows), *self._source.shape), dtype=self._dtype)
                self._source.taken(rows, out=frames.numpy())
                ready.put((frames.to(self._device), None))
        except BaseException as error:  # whatever it is, it is the caller's to see
            ready.put(error)

    def _arrived(self, frames: torch.Tensor, arrived: Any) -> torch.Tensor:
        if arrived is not None:
            here = torch.cuda.current_stream(self._device)
            here.wait_event(arrived)
            frames.record_stream(here)  # it was allocated on the thread's stream
        return frames


def free_bytes(device: torch.device) -> int:
    """Memory of the device that nobody has taken."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    told = Path("/proc/meminfo")
    if told.is_file():
        lines = dict(line.split(":", 1) for line in told.read_text().splitlines() if ":" in line)
        if "MemAvailable" in lines:
            return int(lines["MemAvailable"].split()[0]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def fits(nbytes: int, device: torch.device, budget: int | None = None) -> bool:
    """Whether so many bytes of data may stay on the device: up to `budget` bytes, else half of what is free there."""
    if budget is not None and budget < 0:
        raise BadSpec(f"budget is {budget!r} bytes", where="fits", allowed="0 or more, or None")
    return nbytes <= (SHARE * free_bytes(device) if budget is None else budget)


def held(
    store: FrameStore | EventStore,
    rows: np.ndarray,
    device: torch.device,
    *,
    representation: Representation | None = None,
    budget: int | None = None,
) -> SampleSplit:
    """The samples, resident where they fit the device and streamed where they do not; the batches are the same.

    A store of events needs a `representation`. Raises BadSpec where one is missing, or given for a store of frames.
    """
    if isinstance(store, EventStore) == (representation is None):
        told = "no representation is given" if representation is None else "a representation is given"
        raise BadSpec(told, where=store.path, allowed="one for a store of events, none for frames")
    if isinstance(store, FrameStore):
        size = len(rows) * int(np.prod(store.shape)) * store.dtype.itemsize
        return (ResidentSplit if fits(size, device, budget) else StreamedSplit)(store, rows, device)
    assert representation is not None
    events = int((store.offset[np.asarray(rows) + 1] - store.offset[rows]).sum())
    each = address_dtype(store.sensor).itemsize + 2
    if binned_here(representation) and fits(events * each, device, budget):
        return ResidentEvents(store, rows, representation, device)
    return StreamedSplit(BinnedStore(store, representation), rows, device)
