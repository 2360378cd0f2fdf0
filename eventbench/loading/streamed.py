"""`StreamedLoader`: a loader for more samples than fit the device; a thread reads the next batches ahead."""

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

BATCHES_AHEAD = 2  # number of batches read before they are requested


class _Batch(NamedTuple):
    """Frames on the device, and the CUDA event after which their copy is complete; None if it is already."""

    frames: torch.Tensor
    arrived: torch.cuda.Event | None


Ready = SimpleQueue[_Batch | BaseException]


class _PinnedBuffers:
    """Two buffers of pinned memory for batches on their way to a GPU: one is filled while the other is copied."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> None:
        self._buffers = [torch.empty(shape, dtype=dtype, pin_memory=True) for _ in range(2)]
        self._copied = [torch.cuda.Event() for _ in range(2)]  # type: ignore[no-untyped-call]
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._device, self._turn = device, 0

    def send(self, store: FrameStore | BinnedStore, rows: np.ndarray) -> _Batch:
        """Start to copy the frames of `rows` to the device."""
        buffer, copied = self._buffers[self._turn], self._copied[self._turn]
        self._turn = 1 - self._turn
        copied.synchronize()  # wait until the last copy from this buffer is complete
        store.gather(rows, out=buffer[: len(rows)].numpy())
        with torch.cuda.stream(self._stream):
            frames = buffer[: len(rows)].to(self._device, non_blocking=True)
            copied.record(self._stream)
        arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
        arrived.record(self._stream)
        return _Batch(frames, arrived)


class StreamedLoader(Loader):
    """Some samples of a store, read in each epoch: batches k + 1 and k + 2 while batch k is used.

    `store` is a store of frames, or a BinnedStore. With an equal generator the batches are those of a ResidentFrames. A
    thread reads the samples; for a GPU it copies them from pinned memory in parallel to the computation. Its exceptions
    are raised again where the batch is requested. It ends with the iteration, also if that is stopped early (by closing
    the generator).
    """

    def __init__(self, store: FrameStore | BinnedStore, rows: np.ndarray, device: torch.device) -> None:
        super().__init__(store, rows, device)
        # The device of the labels has an index: for a bare "cuda" the thread would use its own current device.
        self._source, self._rows, self._device = store, np.asarray(rows), self.labels.device
        self._dtype = torch.from_numpy(np.empty(0, store.dtype)).dtype

    def _gather(self, order: torch.Tensor, size: int) -> Generator[torch.Tensor, None, None]:
        batches = [self._rows[positions.numpy()] for positions in torch.split(order, size)]
        ready: Ready = SimpleQueue()
        free_slots, stopped = Semaphore(BATCHES_AHEAD), Event()
        thread = Thread(
            target=self._read,
            args=(batches, ready, free_slots, stopped),
            name="eventbench-stream",
            daemon=True,
        )
        thread.start()
        try:
            for _ in batches:
                batch = ready.get()
                if isinstance(batch, BaseException):
                    raise batch
                free_slots.release()
                yield self._arrived(batch)
        finally:
            stopped.set()
            free_slots.release()
            thread.join()

    def _read(self, batches: list[np.ndarray], ready: Ready, free_slots: Semaphore, stopped: Event) -> None:
        try:
            largest = (len(batches[0]), *self._source.shape)  # the first batch is the largest
            on_gpu = self._device.type == "cuda"
            buffers = _PinnedBuffers(largest, self._dtype, self._device) if on_gpu else None
            for rows in batches:
                free_slots.acquire()
                if stopped.is_set():
                    return
                if buffers is not None:
                    ready.put(buffers.send(self._source, rows))
                    continue
                frames = torch.empty((len(rows), *self._source.shape), dtype=self._dtype)
                self._source.gather(rows, out=frames.numpy())
                ready.put(_Batch(frames.to(self._device), None))
        except BaseException as error:  # noqa: BLE001  # raised again where the batch is requested
            ready.put(error)

    def _arrived(self, batch: _Batch) -> torch.Tensor:
        """The frames, ready for the current stream, which waits for their copy; the CPU does not."""
        if batch.arrived is not None:
            stream = torch.cuda.current_stream(self._device)
            stream.wait_event(batch.arrived)
            batch.frames.record_stream(stream)  # they were allocated on the thread's stream
        return batch.frames
