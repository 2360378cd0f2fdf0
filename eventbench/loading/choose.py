"""`loader_for`: a split in the device's memory where it fits, as frames or as events, and streamed to it where it does not."""

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

SHARE = 0.5  # of the memory that is free, for data; a network's activations need the rest


def free_bytes(device: torch.device) -> int:
    """Memory of the device that nobody has taken."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        if "MemAvailable" in lines:
            return int(lines["MemAvailable"].split()[0]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def fits(nbytes: int, device: torch.device, budget: int | None = None) -> bool:
    """Whether so many bytes of data may stay on the device: up to `budget` bytes, else half of what is free there."""
    if budget is not None and budget < 0:
        raise BadSpec(f"budget is {budget!r} bytes", where="fits", allowed="0 or more, or None")
    return nbytes <= (SHARE * free_bytes(device) if budget is None else budget)


def loader_for(
    store: FrameStore | BinnedStore, rows: np.ndarray, device: torch.device, *, budget: int | None = None
) -> Loader:
    """The samples `rows` of a store, resident where they fit the device and streamed where they do not.

    Of a BinnedStore the events are held, and binned on the device, where ResidentEvents can do what its binning does.
    Else they are binned on the CPU: once, where the frames fit, or in each epoch while they are streamed. The batches are
    the same in any case. `budget` as in `fits`. Raises BadSpec for a store of events without a binning.
    """
    if isinstance(store, EventStore):
        raise BadSpec(
            "it holds events, and no binning is given",
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
    """What the events of these samples take on a device."""
    events = int((store.offset[np.asarray(rows) + 1] - store.offset[rows]).sum())
    return events * (address_dtype(store.sensor).itemsize + 2)
