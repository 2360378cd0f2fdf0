"""`StreamedLoader`: samples that are too many for the device, read ahead by a thread, batch by batch."""

from __future__ import annotations

from collections.abc import Generator
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import NamedTuple

import numpy as np
import torch

from eventbench.loading.binned import BinnedStore
from eventbench.loading.loader import Loader
from eventbench.store.read import FrameStore

AHEAD = 2  # batches that are read before they are asked for


class _Batch(NamedTuple):
    """Frames on the device, and the event after which they are all there; None where they are."""

    frames: torch.Tensor
    arrived: torch.cuda.Event | None


Ready = SimpleQueue[_Batch | BaseException]


class _PinnedBuffers:
    """Two buffers of pinned memory that batches pass on their way to a GPU: one is filled while the other is copied."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> None:
        self._buffers = [torch.empty(shape, dtype=dtype, pin_memory=True) for _ in range(2)]
        self._copied = [torch.cuda.Event() for _ in range(2)]  # type: ignore[no-untyped-call]
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._device, self._turn = device, 0

    def send(self, store: FrameStore | BinnedStore, rows: np.ndarray) -> _Batch:
        """The frames of `rows`, on their way to the device."""
        buffer, copied = self._buffers[self._turn], self._copied[self._turn]
        self._turn = 1 - self._turn
        copied.synchronize()  # the copy of two batches ago has left this buffer
        store.gather(rows, out=buffer[: len(rows)].numpy())
        with torch.cuda.stream(self._stream):
            frames = buffer[: len(rows)].to(self._device, non_blocking=True)
            copied.record(self._stream)
        arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
        arrived.record(self._stream)
        return _Batch(frames, arrived)


class StreamedLoader(Loader):
    """Some samples of a store, read from it anew each epoch: batch k + 1 and k + 2 while batch k is used.

    `store` is a store of frames, or a BinnedStore. For an equal generator the batches are those of a ResidentFrames.
    One thread reads; on a GPU it copies from pinned memory, beside the computation. What is raised in it is raised where
    the batch is asked for; it ends with the iteration, also with one that is left early (close the generator).
    """

    def __init__(self, store: FrameStore | BinnedStore, rows: np.ndarray, device: torch.device) -> None:
        super().__init__(store, rows, device)
        # As the labels have it, with its number: the thread would take its own current device for a bare "cuda".
        self._source, self._rows, self._device = store, np.asarray(rows), self.labels.device
        self._dtype = torch.from_numpy(np.empty(0, store.dtype)).dtype

    def _gather(self, order: torch.Tensor, size: int) -> Generator[torch.Tensor, None, None]:
        parts = [self._rows[part.numpy()] for part in torch.split(order, size)]
        ready: Ready = SimpleQueue()
        room, left = Semaphore(AHEAD), Event()
        thread = Thread(
            target=self._read, args=(parts, ready, room, left), name="eventbench-stream", daemon=True
        )
        thread.start()
        try:
            for _ in parts:
                batch = ready.get()
                if isinstance(batch, BaseException):
                    raise batch
                room.release()
                yield self._arrived(batch)
        finally:
            left.set()
            room.release()
            thread.join()

    def _read(self, parts: list[np.ndarray], ready: Ready, room: Semaphore, left: Event) -> None:
        try:
            first = (len(parts[0]), *self._source.shape)  # no other is larger
            on_gpu = self._device.type == "cuda"
            buffers = _PinnedBuffers(first, self._dtype, self._device) if on_gpu else None
            for rows in parts:
                room.acquire()
                if left.is_set():
                    return
                if buffers is not None:
                    ready.put(buffers.send(self._source, rows))
                    continue
                frames = torch.empty((len(rows), *self._source.shape), dtype=self._dtype)
                self._source.gather(rows, out=frames.numpy())
                ready.put(_Batch(frames.to(self._device), None))
        except BaseException as error:  # noqa: BLE001  # raised again where the batch is asked for
            ready.put(error)

    def _arrived(self, batch: _Batch) -> torch.Tensor:
        """The frames, for the current stream to use: it waits for them, the CPU does not."""
        if batch.arrived is not None:
            stream = torch.cuda.current_stream(self._device)
            stream.wait_event(batch.arrived)
            batch.frames.record_stream(stream)  # they were allocated on the thread's stream
        return batch.frames
