"""`loader_for`: the choice of a loader for samples: in the device's memory if they fit, as frames or events, else streamed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from eventbench.errors import BadSpec
from eventbench.events.packed import address_dtype
from eventbench.loading.binned import BinnedStore
from eventbench.loading.loader import Loader
from eventbench.loading.resident_events import ResidentEvents, can_bin_on_device
from eventbench.loading.resident_frames import ResidentFrames
from eventbench.loading.streamed import StreamedLoader
from eventbench.store.read import EventStore, FrameStore

DATA_SHARE = 0.5  # the share of free memory that data may use; activations of the network need the rest


def free_bytes(device: torch.device) -> int:
    """The free memory of a device in bytes."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        if "MemAvailable" in lines:
            return int(lines["MemAvailable"].split()[0]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def fits(nbytes: int, device: torch.device, budget: int | None = None) -> bool:
    """Whether `nbytes` of data may stay on the device: up to `budget` bytes; None is half of the free memory."""
    if budget is not None and budget < 0:
        raise BadSpec(f"budget is {budget!r} bytes", where="fits", allowed="0 or more, or None")
    return nbytes <= (DATA_SHARE * free_bytes(device) if budget is None else budget)


def loader_for(
    store: FrameStore | BinnedStore, rows: np.ndarray, device: torch.device, *, budget: int | None = None
) -> Loader:
    """A loader for the samples `rows` of a store: resident on the device if they fit, else streamed to it.

    From a BinnedStore, events are kept and binned on the device if ResidentEvents supports the binning. Otherwise they
    are binned on the CPU: once if the frames fit, else in each epoch while they are streamed. The batches are the same
    in all cases. `budget` as in `fits`. Raises BadSpec for a store of events without a binning.
    """
    if isinstance(store, EventStore):
        raise BadSpec(
            "it holds events, and there is no binning",
            where=store.path,
            allowed="a store of frames, or BinnedStore(store, Binning(representation))",
        )
    if isinstance(store, BinnedStore) and can_bin_on_device(store.binning):
        if fits(_event_bytes(store.events, rows), device, budget):
            return ResidentEvents(store.events, rows, store.binning.representation, device)
        return StreamedLoader(store, rows, device)
    size = len(rows) * int(np.prod(store.shape)) * store.dtype.itemsize
    return (ResidentFrames if fits(size, device, budget) else StreamedLoader)(store, rows, device)


def _event_bytes(store: EventStore, rows: np.ndarray) -> int:
    """The size of the events of these samples on a device in bytes."""
    events = int((store.offset[np.asarray(rows) + 1] - store.offset[rows]).sum())
    return events * (address_dtype(store.sensor).itemsize + 2)
