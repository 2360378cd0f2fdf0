"""`PackedRecordings`: the recordings of a store of events concatenated on a device, and where frames begin in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from eventbench.events.packed import LONG
from eventbench.store.read import EventStore

BLOCK = 1 << 24  # number of events whose times are summed up at once
LOWEST = -(1 << 63)
SIGNED_BITS = {  # by signed type: the mask that turns its values into the unsigned numbers with the same bits
    torch.int16: (1 << 16) - 1,
    torch.int32: (1 << 32) - 1,
    torch.int64: -1,
}


class PackedRecordings(NamedTuple):
    """Concatenated recordings in the form of `PackedEvents`; unsigned columns viewed as signed ones, which torch can index.

    address (events,), dt int16 (events,), long_row and long_dt int64 (long differences,) on the device, long_row counted
    over all recordings; offsets and long_offsets int64 (samples + 1,) and spans uint64 (samples,) in us on the CPU.
    """

    address: torch.Tensor
    dt: torch.Tensor
    long_row: torch.Tensor
    long_dt: torch.Tensor
    offsets: np.ndarray
    long_offsets: np.ndarray
    spans: np.ndarray
    sensor: tuple[int, int]

    @property
    def nbytes(self) -> int:
        """The size of the columns on the device in bytes."""
        return sum(column.nbytes for column in (self.address, self.dt, self.long_row, self.long_dt))


def load_recordings(store: EventStore, rows: np.ndarray, device: torch.device) -> PackedRecordings:
    """The recordings of the samples `rows` of a store, in that order."""
    recordings = [store.columns(int(row)) for row in rows]
    offsets = np.cumsum([0, *(len(packed.dt) for packed in recordings)], dtype=np.int64)
    long_offsets = np.cumsum([0, *(len(packed.long_dt) for packed in recordings)], dtype=np.int64)
    spans = np.zeros(len(recordings), np.uint64)
    for i, packed in enumerate(recordings):
        extra = packed.long_dt.view(np.uint64) - np.uint64(LONG)  # modulo 2**64, as all times below
        spans[i] = packed.dt.sum(dtype=np.uint64) + extra.sum(dtype=np.uint64)
    address = np.concatenate([packed.address for packed in recordings])
    long_row = np.concatenate(
        [packed.long_row + start for packed, start in zip(recordings, offsets[:-1], strict=True)]
    )
    return PackedRecordings(
        torch.from_numpy(address.view(f"i{address.itemsize}")).to(device),
        torch.from_numpy(np.concatenate([packed.dt for packed in recordings]).view(np.int16)).to(device),
        torch.from_numpy(long_row).to(device),
        torch.from_numpy(np.concatenate([packed.long_dt for packed in recordings])).to(device),
        offsets,
        long_offsets,
        spans,
        store.sensor,
    )


def cuts_by_time(recordings: PackedRecordings, bins: int) -> torch.Tensor:
    """int64 (samples, bins + 1) on the CPU: each sample's first event at or after k * (span // bins) since its first event.

    Sums and differences of times are taken modulo 2**64, which is exact for any two int64. torch compares signed numbers
    only, so both sides of a comparison have their highest bit flipped.
    """
    width = recordings.spans // np.uint64(bins)
    edges: np.ndarray = width[:, None] * np.arange(bins + 1, dtype=np.uint64)
    flipped = torch.from_numpy((edges ^ np.uint64(1 << 63)).view(np.int64))
    cuts, offsets, samples = torch.zeros_like(flipped), recordings.offsets, len(recordings.spans)
    first = 0
    while first < samples:
        last = max(first + 1, int(np.searchsorted(offsets, offsets[first] + BLOCK, "right")) - 1)
        if offsets[last] > offsets[first]:
            cuts[first:last] = _search(recordings, first, last, flipped[first:last])
        first = last
    return cuts


def _search(recordings: PackedRecordings, first: int, last: int, edges: torch.Tensor) -> torch.Tensor:
    """The cuts of the samples `first` to `last`, by a binary search for all edges of all samples at once."""
    device, offsets = recordings.dt.device, recordings.offsets
    begin, end = int(offsets[first]), int(offsets[last])
    long_rows = slice(recordings.long_offsets[first], recordings.long_offsets[last])
    times = recordings.dt[begin:end].to(torch.int64) & SIGNED_BITS[torch.int16]
    times[recordings.long_row[long_rows] - begin] = recordings.long_dt[long_rows]
    times = times.cumsum(0)
    edges = edges.to(device)
    starts = torch.from_numpy(offsets[first : last + 1] - begin).to(device)
    start = starts[:-1, None]
    origin = times[start.clamp(max=len(times) - 1)]
    low, high = start.expand_as(edges), starts[1:, None].expand_as(edges)
    for _ in range(int(np.diff(offsets[first : last + 1]).max()).bit_length()):
        middle = (low + high) >> 1
        since = times[middle.clamp(max=len(times) - 1)] - origin
        later = ((since ^ LOWEST) < edges) & (low < high)
        low, high = torch.where(later, middle + 1, low), torch.where(later, high, middle)
    return (low - start).cpu()
