"""`ResidentEvents`: a loader that keeps packed events, 4 to 6 bytes each, on the device and bins them there."""

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

EXACT_FLOAT32 = 1 << 24  # float32 represents every whole number up to here


class ResidentEvents(Loader):
    """Some samples of a store of events, kept as events on one device and binned there.

    The batches are identical to those of a ResidentFrames whose frames the same representation makes on the CPU. The
    representation is `Frames` with a fixed number of frames, or `Binary`. The beginnings of the frames are computed once,
    on the device; `rebinned` bins the same events in memory differently.

    Raises BadSpec for a representation that is made on the CPU only, BadEvents if `split_by` cannot cut a sample, and
    EventbenchError for a count that overflow="refuse" refuses. All of them are raised at construction, none during
    training.
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
        """A loader of the same events in the same memory, binned by another representation."""
        return ResidentEvents(
            self._store, self._rows, representation, self.labels.device, _recordings=self._recordings
        )

    @property
    def nbytes(self) -> int:
        """The size of the events on the device in bytes."""
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
            largest = int(self._counts([sample], index, torch.int32).max())
            if largest > self._limit:
                raise EventbenchError(
                    f"{largest} events in one cell",
                    where=self.ids[sample],
                    allowed=f"{self._limit} in {self.representation.array_dtype}",
                    fix="take a wider dtype, more bins, or overflow='saturate'",
                )

    def _gather(self, order: torch.Tensor, size: int) -> Generator[torch.Tensor, None, None]:
        # A float32 sum of ones stops growing at 2**24, which does not matter for limits up to there.
        fits_float32 = self._limit <= EXACT_FLOAT32
        on_device = order.to(self.labels.device)
        for samples, indices in zip(torch.split(order, size), torch.split(on_device, size), strict=True):
            counts = self._counts(samples.tolist(), indices, torch.float32 if fits_float32 else torch.int32)
            yield counts.clamp_(max=self._limit) if fits_float32 else counts

    def _counts(self, samples: list[int], indices: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Counts (N, T, P, H, W) of the events of `samples`; `indices` are the same numbers on the device.

        Nothing here waits for the device or copies to or from it: the numbers of events are known on the CPU. Sums of
        ones are the same in any order of addition.
        """
        T, P, H, W = self.shape
        address, offsets = self._recordings.address, self._recordings.offsets
        ends, total = self._cuts[:, T], len(samples) * T * P * H * W
        cells = torch.cat([address[offsets[i] : offsets[i] + int(ends[i])] for i in samples])
        # A 32-bit index halves the memory traffic, if it reaches the last cell.
        index_dtype = torch.int32 if total < 1 << 31 else torch.int64
        frame = torch.arange(0, total, P * H * W, dtype=index_dtype, device=address.device)
        index = frame.repeat_interleave(self._lengths[indices].flatten(), output_size=len(cells))
        index += cells.to(index_dtype) & (-1 if cells.dtype == index_dtype else SIGNED_BITS[cells.dtype])
        counts = torch.zeros(total, dtype=dtype, device=address.device)
        counts.index_add_(0, index, torch.ones(1, dtype=dtype, device=address.device).expand(len(cells)))
        return counts.view(len(samples), T, P, H, W)


def can_bin_on_device(binning: Binning) -> bool:
    """Whether ResidentEvents supports this binning: one without steps, and with a supported representation."""
    representation = binning.representation
    fixed_cuts = isinstance(representation, Frames | Binary) and representation.split_by in FIXED_CUTS
    return fixed_cuts and not binning.steps


def _checked(representation: Representation) -> Frames | Binary:
    """The representation. Raises BadSpec if it is not supported."""
    if isinstance(representation, Frames | Binary) and representation.split_by in FIXED_CUTS:
        return representation
    raise BadSpec(
        f"{type(representation).__name__} with split_by={getattr(representation, 'split_by', None)!r}",
        where="resident events",
        allowed=f"Frames or Binary, split_by one of {', '.join(sorted(FIXED_CUTS))}",
        fix="stream it: StreamedLoader(BinnedStore(store, Binning(representation)), rows, device) bins on the CPU",
    )
