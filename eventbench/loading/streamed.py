"""A split too large for the device: read ahead by a thread, batch by batch, with the interface of a resident one."""

from __future__ import annotations

from collections.abc import Generator
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Any

import numpy as np
import torch

from eventbench.loading.binned import BinnedStore
from eventbench.loading.loader import Loader
from eventbench.store.read import FrameStore

AHEAD = 2  # batches that are read before they are asked for


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
        store.gather(rows, out=buffer[: len(rows)].numpy())
        with torch.cuda.stream(self._stream):
            frames = buffer[: len(rows)].to(self._device, non_blocking=True)
            copied.record(self._stream)
        arrived = torch.cuda.Event()
        arrived.record(self._stream)
        return frames, arrived


class StreamedLoader(Loader):
    """Some samples of a store, read from it anew each epoch: batch k + 1 and k + 2 while batch k is used.

    `store` is a store of frames, or a BinnedStore. For an equal generator the batches are those of a ResidentFrames.
    One thread reads; on a GPU it copies from pinned memory, beside the computation. What is raised in it is raised where
    the batch is asked for; it ends with the iteration, also with one that is left early (close the generator).
    """

    def __init__(self, store: FrameStore | BinnedStore, rows: np.ndarray, device: torch.device) -> None:
        super().__init__(store, rows, device)  # type: ignore[arg-type]
        # As the labels have it, with its number: the thread would take its own current device for a bare "cuda".
        self._source, self._rows, self._device = store, np.asarray(rows), self.labels.device
        self._dtype = torch.from_numpy(np.empty(0, store.dtype)).dtype

    def _gather(self, order: torch.Tensor, size: int) -> Generator[torch.Tensor, None, None]:
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
                self._source.gather(rows, out=frames.numpy())
                ready.put((frames.to(self._device), None))
        except BaseException as error:  # whatever it is, it is the caller's to see
            ready.put(error)

    def _arrived(self, frames: torch.Tensor, arrived: Any) -> torch.Tensor:
        if arrived is not None:
            here = torch.cuda.current_stream(self._device)
            here.wait_event(arrived)
            frames.record_stream(here)  # it was allocated on the thread's stream
        return frames
