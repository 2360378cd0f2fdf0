"""A split held on the device as stored events, 4 to 6 bytes each, and binned there into any number of frames."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

import numpy as np
import torch

from eventbench.errors import BadEvents, BadSpec, EventbenchError
from eventbench.events.packed import LONG
from eventbench.loading.loader import Loader
from eventbench.representations._frames_batch import IN_KERNEL
from eventbench.representations.base import Representation
from eventbench.representations.binary import Binary
from eventbench.representations.frames import CELLS, Frames
from eventbench.store.read import EventStore

WAYS = IN_KERNEL | {
    "spikingjelly_time": (True, True)
}  # split_by -> (cut by time, the last frame takes the rest)
EXACT = 1 << 24  # up to here every whole number has its own float32
BLOCK = 1 << 24  # events whose times are summed up at once
LOWEST = -(1 << 63)
UNSIGNED = {
    torch.int16: (1 << 16) - 1,
    torch.int32: (1 << 32) - 1,
    torch.int64: -1,
}  # what a signed view meant


class _Columns(NamedTuple):
    """Recordings one after the other, as `PackedEvents` has them; unsigned columns seen as signed, which torch can index.

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


class ResidentEvents(Loader):
    """Some samples of a store of events, on one device, binned there by `representation`: as a ResidentFrames of frames
    made from the same events by the same representation on the CPU, equal to the last count.

    The representation is `Frames` with a fixed number of frames, or `Binary`. Where frames begin is found once, on the
    device; `rebinned` gives another binning of the same events in memory.

    Raises BadSpec for a representation that is made on the CPU only, BadEvents where a `split_by` cannot cut a sample, and
    EventbenchError for a count that overflow="refuse" refuses: all when it is made, none during training.
    """

    def __init__(
        self,
        store: EventStore,
        rows: np.ndarray,
        representation: Representation,
        device: torch.device,
        *,
        _columns: _Columns | None = None,
    ) -> None:
        super().__init__(store, rows, device)
        self._rows = rows
        self.representation, self._limit = representation, _limit(representation)
        columns = self._columns = _columns or _loaded(store, rows, device)
        self.shape = representation.shape(columns.sensor)
        self._cuts = self._cut()
        self._lengths = self._cuts.diff(dim=1).to(device)
        if getattr(representation, "overflow", "saturate") == "refuse":
            self._refuse_overflow()

    def rebinned(self, representation: Representation) -> ResidentEvents:
        """The same events in the same memory, binned by another representation."""
        store: EventStore = self._store  # type: ignore[assignment]
        return ResidentEvents(store, self._rows, representation, self.labels.device, _columns=self._columns)

    @property
    def nbytes(self) -> int:
        """What the events take on the device."""
        return sum(column.nbytes for column in self._columns[:4])

    def _cut(self) -> torch.Tensor:
        """int64 (samples, T + 1) on the CPU: frame k of a sample holds its events cuts[k] to cuts[k + 1]."""
        columns, bins = self._columns, self.shape[0]
        split_by = self.representation.split_by  # type: ignore[attr-defined]
        by_time, rest = WAYS[split_by]
        events = torch.from_numpy(np.diff(columns.offsets))
        if by_time:
            cuts = _cuts_by_time(columns, bins)
            if split_by == "spikingjelly_time":
                self._refuse_empty(cuts)
        else:
            cuts = (events // bins)[:, None] * torch.arange(bins + 1)
        if rest:
            cuts[:, bins] = events
        return cuts

    def _refuse_empty(self, cuts: torch.Tensor) -> None:
        empty = (cuts.diff(dim=1) == 0).nonzero()
        if len(empty):
            sample, frame = empty[0].tolist()
            raise BadEvents(
                f"no event in frame {frame} of {self.shape[0]}: SpikingJelly cannot split this",
                where=self.ids[sample],
                fix="use split_by='time', which leaves such a frame empty, or fewer bins",
            )

    def _refuse_overflow(self) -> None:
        every = torch.arange(len(self), device=self.labels.device)
        for sample, there in enumerate(every.split(1)):
            most = int(self._counts([sample], there, torch.int32).max())
            if most > self._limit:
                raise EventbenchError(
                    f"{most} events in one cell",
                    where=self.ids[sample],
                    allowed=f"{self._limit} in {self.representation.array_dtype}",
                    fix="take a wider dtype, more bins, or overflow='saturate'",
                )

    def _gather(self, order: torch.Tensor, size: int) -> Generator[torch.Tensor, None, None]:
        # A float32 that adds up ones stays at 2**24 when it is there, which no limit below is over.
        small = self._limit <= EXACT
        parts = zip(order.split(size), order.to(self.labels.device).split(size), strict=True)
        for samples, there in parts:
            counts = self._counts(samples.tolist(), there, torch.float32 if small else torch.int32)
            yield counts.clamp_(max=self._limit) if small else counts

    def _counts(self, samples: list[int], there: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Counts (N, T, P, H, W) of the events of `samples`, which are `there` on the device.

        Nothing here waits for the device or crosses the bus: how many events there are is known on the CPU. Sums of ones
        come out the same whatever order a device adds them in.
        """
        T, P, H, W = self.shape
        address, offsets = self._columns.address, self._columns.offsets
        ends, total = self._cuts[:, T], len(samples) * T * P * H * W
        cells = torch.cat([address[offsets[i] : offsets[i] + int(ends[i])] for i in samples])
        # An index of 32 bits is half the traffic, wherever it reaches the last cell.
        kind = torch.int32 if total < 1 << 31 else torch.int64
        frame = torch.arange(0, total, P * H * W, dtype=kind, device=address.device)
        index = frame.repeat_interleave(self._lengths[there].flatten(), output_size=len(cells))
        index += cells.to(kind) & (-1 if cells.dtype == kind else UNSIGNED[cells.dtype])
        counts = torch.zeros(total, dtype=dtype, device=address.device)
        counts.index_add_(0, index, torch.ones(1, dtype=dtype, device=address.device).expand(len(cells)))
        return counts.view(len(samples), T, P, H, W)


def binned_here(representation: Representation) -> bool:
    """Whether it is one that ResidentEvents takes."""
    return isinstance(representation, Frames | Binary) and representation.split_by in WAYS


def _limit(representation: Representation) -> int:
    """The largest count of a cell. Raises BadSpec for what cannot be binned here."""
    if binned_here(representation):
        return CELLS[representation.dtype].limit if isinstance(representation, Frames) else 1
    given = f"{type(representation).__name__} with split_by={getattr(representation, 'split_by', None)!r}"
    raise BadSpec(
        given,
        where="resident events",
        allowed=f"Frames or Binary, split_by one of {', '.join(sorted(WAYS))}",
        fix="stream it: StreamedLoader(BinnedStore(store, Binning(representation)), rows, device) bins on the CPU",
    )


def _loaded(store: EventStore, rows: np.ndarray, device: torch.device) -> _Columns:
    found = [store.columns(int(row)) for row in rows]
    offsets = np.cumsum([0, *(len(one.dt) for one in found)], dtype=np.int64)
    long_offsets = np.cumsum([0, *(len(one.long_dt) for one in found)], dtype=np.int64)
    spans = np.zeros(len(found), np.uint64)
    for i, one in enumerate(found):
        extra = one.long_dt.view(np.uint64) - np.uint64(LONG)  # modulo 2**64, as everywhere below
        spans[i] = one.dt.sum(dtype=np.uint64) + extra.sum(dtype=np.uint64)
    address = np.concatenate([one.address for one in found])
    long_row = np.concatenate([one.long_row + start for one, start in zip(found, offsets[:-1], strict=True)])
    return _Columns(
        torch.from_numpy(address.view(f"i{address.itemsize}")).to(device),
        torch.from_numpy(np.concatenate([one.dt for one in found]).view(np.int16)).to(device),
        torch.from_numpy(long_row).to(device),
        torch.from_numpy(np.concatenate([one.long_dt for one in found])).to(device),
        offsets,
        long_offsets,
        spans,
        store.sensor,
    )


def _cuts_by_time(columns: _Columns, bins: int) -> torch.Tensor:
    """int64 (samples, bins + 1) on the CPU: each sample's first event at or after k * (span // bins) since its first.

    Sums and differences of times are taken modulo 2**64, exact for any two int64; torch compares signed numbers only, so
    both sides of a comparison have their highest bit turned over.
    """
    width = columns.spans // np.uint64(bins)
    edges: np.ndarray = width[:, None] * np.arange(bins + 1, dtype=np.uint64)
    turned = torch.from_numpy((edges ^ np.uint64(1 << 63)).view(np.int64))
    cuts, offsets, samples = torch.zeros_like(turned), columns.offsets, len(columns.spans)
    first = 0
    while first < samples:
        last = max(first + 1, int(np.searchsorted(offsets, offsets[first] + BLOCK, "right")) - 1)
        if offsets[last] > offsets[first]:
            cuts[first:last] = _search(columns, first, last, turned[first:last])
        first = last
    return cuts


def _search(columns: _Columns, first: int, last: int, edges: torch.Tensor) -> torch.Tensor:
    """The cuts of the samples `first` to `last`: every edge of every sample halves its range at the same time."""
    device, offsets = columns.dt.device, columns.offsets
    begin, end = int(offsets[first]), int(offsets[last])
    longs = slice(columns.long_offsets[first], columns.long_offsets[last])
    now = columns.dt[begin:end].to(torch.int64) & UNSIGNED[torch.int16]
    now[columns.long_row[longs] - begin] = columns.long_dt[longs]
    now = now.cumsum(0)
    edges = edges.to(device)
    starts = torch.from_numpy(offsets[first : last + 1] - begin).to(device)
    start = starts[:-1, None]
    origin = now[start.clamp(max=len(now) - 1)]
    low, high = start.expand_as(edges), starts[1:, None].expand_as(edges)
    for _ in range(int(np.diff(offsets[first : last + 1]).max()).bit_length()):
        middle = (low + high) >> 1
        since = now[middle.clamp(max=len(now) - 1)] - origin
        later = ((since ^ LOWEST) < edges) & (low < high)
        low, high = torch.where(later, middle + 1, low), torch.where(later, high, middle)
    return (low - start).cpu()
