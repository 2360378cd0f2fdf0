"""Which loader holds a split: in the device's memory where it fits, streamed to it where it does not."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from eventbench.errors import BadSpec
from eventbench.events.packed import address_dtype
from eventbench.loading.binned import BinnedStore
from eventbench.loading.loader import Loader
from eventbench.loading.resident_events import ResidentEvents, binned_here
from eventbench.loading.resident_frames import ResidentFrames
from eventbench.loading.streamed import StreamedLoader
from eventbench.preprocess.binning import Binning
from eventbench.representations.base import Representation
from eventbench.store.read import EventStore, FrameStore

SHARE = 0.5  # of the memory that is free, for data; a network's activations need the rest


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


def loader_for(
    store: FrameStore | EventStore,
    rows: np.ndarray,
    device: torch.device,
    *,
    representation: Representation | None = None,
    budget: int | None = None,
) -> Loader:
    """The samples, resident where they fit the device and streamed where they do not; the batches are the same.

    A store of events needs a `representation`. Raises BadSpec where one is missing, or given for a store of frames.
    """
    if isinstance(store, EventStore) == (representation is None):
        told = "no representation is given" if representation is None else "a representation is given"
        raise BadSpec(told, where=store.path, allowed="one for a store of events, none for frames")
    if isinstance(store, FrameStore):
        size = len(rows) * int(np.prod(store.shape)) * store.dtype.itemsize
        return (ResidentFrames if fits(size, device, budget) else StreamedLoader)(store, rows, device)
    assert representation is not None
    events = int((store.offset[np.asarray(rows) + 1] - store.offset[rows]).sum())
    each = address_dtype(store.sensor).itemsize + 2
    if binned_here(representation) and fits(events * each, device, budget):
        return ResidentEvents(store, rows, representation, device)
    return StreamedLoader(BinnedStore(store, Binning(representation)), rows, device)
