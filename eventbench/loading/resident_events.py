"""`ResidentEvents`: events held on the device as they are stored, 4 to 6 bytes each, and binned there."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch

from eventbench.errors import BadEvents, BadSpec, EventbenchError
from eventbench.loading._packed_recordings import SIGNED_BITS, PackedRecordings, cuts_by_time, load_recordings
from eventbench.loading.loader import Loader
from eventbench.preprocess.binning import Binning
from eventbench.representations.base import Representation
from eventbench.representations.binary import Binary
from eventbench.representations.frames import CELLS, FIXED_CUTS, Frames
from eventbench.store.read import EventStore

EXACT = 1 << 24  # up to here every whole number has its own float32


class ResidentEvents(Loader):
    """Some samples of a store of events, held on one device as events and binned there.

    The batches equal, to the last count, those of a ResidentFrames of frames made from the same events by the same
    representation on the CPU. The representation is `Frames` with a fixed number of frames, or `Binary`. Where frames
    begin is found once, on the device; `rebinned` gives another binning of the same events in memory.

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
        _recordings: PackedRecordings | None = None,
    ) -> None:
        super().__init__(store, rows, device)
        self._store, self._rows = store, rows
        self.representation = _checked(representation)
        self._limit = (
            CELLS[representation.dtype].limit if isinstance(representation, Frames) else 1
        )  # the largest count of a cell
        self._recordings = _recordings or load_recordings(store, rows, device)
        self.shape = representation.shape(self._recordings.sensor)
        self._cuts = self._cut()
        self._lengths = self._cuts.diff(dim=1).to(device)
        if getattr(representation, "overflow", "saturate") == "refuse":
            self._refuse_overflow()

    def rebinned(self, representation: Representation) -> ResidentEvents:
        """The same events in the same memory, binned by another representation."""
        return ResidentEvents(
            self._store, self._rows, representation, self.labels.device, _recordings=self._recordings
        )

    @property
    def nbytes(self) -> int:
        """What the events take on the device."""
        return self._recordings.nbytes

    def _cut(self) -> torch.Tensor:
        """int64 (samples, T + 1) on the CPU: frame k of a sample holds its events cuts[k] to cuts[k + 1]."""
        bins, split_by = self.shape[0], self.representation.split_by
        by_time, last_takes_rest = FIXED_CUTS[split_by]
        events = torch.from_numpy(np.diff(self._recordings.offsets))
        if by_time:
            cuts = cuts_by_time(self._recordings, bins)
            if split_by == "spikingjelly_time":
                self._refuse_empty(cuts)
        else:
            cuts = (events // bins)[:, None] * torch.arange(bins + 1)
        if last_takes_rest:
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
        indices = torch.arange(len(self), device=self.labels.device)
        for sample, index in enumerate(torch.split(indices, 1)):
            most = int(self._counts([sample], index, torch.int32).max())
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
        on_device = order.to(self.labels.device)
        for samples, indices in zip(torch.split(order, size), torch.split(on_device, size), strict=True):
            counts = self._counts(samples.tolist(), indices, torch.float32 if small else torch.int32)
            yield counts.clamp_(max=self._limit) if small else counts

    def _counts(self, samples: list[int], indices: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Counts (N, T, P, H, W) of the events of `samples`; `indices` are the same numbers on the device.

        Nothing here waits for the device or crosses the bus: how many events there are is known on the CPU. Sums of ones
        come out the same whatever order a device adds them in.
        """
        T, P, H, W = self.shape
        address, offsets = self._recordings.address, self._recordings.offsets
        ends, total = self._cuts[:, T], len(samples) * T * P * H * W
        cells = torch.cat([address[offsets[i] : offsets[i] + int(ends[i])] for i in samples])
        # An index of 32 bits is half the traffic, wherever it reaches the last cell.
        kind = torch.int32 if total < 1 << 31 else torch.int64
        frame = torch.arange(0, total, P * H * W, dtype=kind, device=address.device)
        index = frame.repeat_interleave(self._lengths[indices].flatten(), output_size=len(cells))
        index += cells.to(kind) & (-1 if cells.dtype == kind else SIGNED_BITS[cells.dtype])
        counts = torch.zeros(total, dtype=dtype, device=address.device)
        counts.index_add_(0, index, torch.ones(1, dtype=dtype, device=address.device).expand(len(cells)))
        return counts.view(len(samples), T, P, H, W)


def can_bin_on_device(binning: Binning) -> bool:
    """Whether ResidentEvents can do what this binning does: no steps, and a representation that it knows."""
    representation = binning.representation
    fixed_cuts = isinstance(representation, Frames | Binary) and representation.split_by in FIXED_CUTS
    return fixed_cuts and not binning.steps


def _checked(representation: Representation) -> Frames | Binary:
    """The representation, if it can be made here. Raises BadSpec where it cannot."""
    if isinstance(representation, Frames | Binary) and representation.split_by in FIXED_CUTS:
        return representation
    raise BadSpec(
        f"{type(representation).__name__} with split_by={getattr(representation, 'split_by', None)!r}",
        where="resident events",
        allowed=f"Frames or Binary, split_by one of {', '.join(sorted(FIXED_CUTS))}",
        fix="stream it: StreamedLoader(BinnedStore(store, Binning(representation)), rows, device) bins on the CPU",
    )
