"""Frames: events counted per pixel and polarity, in equal times, equal counts or fixed durations."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import msgspec
import numpy as np

from eventbench.errors import BadSpec, UnknownName
from eventbench.events import EventBatch
from eventbench.events.events import KERNEL_MIN_EVENTS, Events
from eventbench.events.packed import PackedEvents
from eventbench.events.structured import fields_of, kernels_can_read
from eventbench.representations._arguments import MOST_BYTES, array_to_fill, whole
from eventbench.representations._frames_batch import IN_KERNEL, count_batch
from eventbench.representations._frames_cells import CELLS, Cell, account_of, cells_of, overflow_error
from eventbench.representations._frames_kernels import count_slices
from eventbench.representations._frames_packed import count_packed
from eventbench.representations._frames_structured import count_structured
from eventbench.representations._slices import FIXED_CUTS, RULES, FixedCut
from eventbench.representations.base import Account, Documentation, PictureRow, Representation

__all__ = ["CELLS", "FIXED_CUTS", "Cell", "FixedCut", "Frames"]


class Frames(Representation, frozen=True, forbid_unknown_fields=True):
    """Counts of events (T, P, H, W): P = 2, channel 0 OFF, channel 1 ON. Without loss unless its name says so.

    With t0 and t_last the times (us) of a recording's first and last event, and N its events, frame k holds

    ====================== ========================================================= =====================
    split_by               events of frame k                                         T
    ====================== ========================================================= =====================
    "time"                 t0 + k*w <= t < t0 + (k+1)*w, w = (t_last - t0) // bins;  bins
                           the last frame takes the remainder, t_last included
    "count"                k*c to (k+1)*c, c = N // bins; the last takes the rest    bins
    "duration"             t0 + k*d <= t < t0 + (k+1)*d, d = duration_us             (t_last-t0) // d + 1
    "tonic_time"           as "time", but no remainder: t >= t0 + bins*w is lost     bins
    "tonic_count"          as "count", but no rest: the last N % bins are lost       bins
    "tonic_duration"       as "duration", but the unfinished last window is lost     (t_last-t0) // d, or 1
    "tonic_events"         events_per_frame each; an unfinished last frame is lost   N // each, or 1
    "spikingjelly_time"    as "time"; refuses a window without events                bins
    "spikingjelly_count"   as "count"                                                bins
    "spikingjelly_duration" from the first event not yet in a frame, all at most d   as they come
                           later, the end included
    "spikingjelly2_duration" as "duration", but the last takes t_last also where  ceil((t_last-t0)/d)
                           that begins another window; refuses a span of 0
    ====================== ========================================================= =====================

    All arithmetic is of integers. Where w is 0 (fewer microseconds than bins, or one event) "time" puts every
    event into the last frame, and so does "count" where N < bins. A recording without events gives frames of
    zeros: `bins` of them, or one where T is not fixed.

    The tonic modes are `tonic.transforms.ToFrame` with n_time_bins, n_event_bins, time_window, event_count; they
    differ from it for a recording without events (tonic gives float64 with H and W swapped) and for counts over
    int16 (tonic wraps). The SpikingJelly modes follow its `integrate_events_*` rules, which give float64; where it
    raises IndexError (no events, or by time an empty window) these raise BadEvents. Its rule for fixed durations is
    another since version 2: "spikingjelly_duration" is that of 0.0.0.0.x, which TCJA's and PFA's code have.

    Parameters
    ----------
    bins : number of frames, for the modes where it is fixed
    duration_us : length of a frame, for the "duration" modes
    events_per_frame : for "tonic_events"
    dtype : "uint8", "uint16", "uint32", "int8", "int16", "int32" or "float32"
    overflow : what to do with a count that dtype cannot hold exactly (over 255 for uint8, 2**24 for float32):
        "saturate" keeps the cell at the largest and counts each further event as lost, reason "saturated";
        "refuse" raises. Events that a mode leaves out are lost with reason "tail".
    """

    version: ClassVar[int] = 1
    about: ClassVar[Documentation] = Documentation(
        shape="(T, P, H, W)",
        definition=(
            "events counted per pixel and polarity, in equal times, equal counts, fixed durations or fixed "
            "numbers of events"
        ),
        modes=(
            'tonic: `split_by = "tonic_time"`, `"tonic_count"`, `"tonic_duration"`, `"tonic_events"`; '
            'SpikingJelly: `"spikingjelly_time"`, `"spikingjelly_count"`, `"spikingjelly_duration"`, '
            '`"spikingjelly2_duration"`'
        ),
        deviations="by default the last frame takes the remainder, so no event is lost; counts never wrap",
        picture=(
            PictureRow(
                title="frames: bins 8, split_by time (default): (8, 2, 64, 64)",
                parameters={"bins": 8},
                caption="frame {0}",
            ),
            PictureRow(
                title="frames: bins 8, split_by count: (8, 2, 64, 64)",
                parameters={"bins": 8, "split_by": "count"},
                caption="frame {0}",
            ),
        ),
        shows=(
            "By time a frame is 50 ms long, whatever happens in it. By count each holds an eighth of the "
            "events, so a busy moment is cut more finely than a quiet one."
        ),
    )

    bins: int | None = 16
    split_by: str = "time"
    duration_us: int | None = None
    events_per_frame: int | None = None
    dtype: str = "uint8"
    overflow: str = "saturate"

    def __post_init__(self) -> None:
        if self.split_by not in RULES:
            raise UnknownName("split_by", str(self.split_by), RULES, where="frames")
        if self.dtype not in CELLS:
            raise UnknownName("dtype", str(self.dtype), CELLS, where="frames")
        if self.overflow not in ("saturate", "refuse"):
            raise UnknownName("overflow", str(self.overflow), ("saturate", "refuse"), where="frames")
        needs = RULES[self.split_by].needs
        for name, unset in (("bins", 16), ("duration_us", None), ("events_per_frame", None)):
            value = getattr(self, name)
            if name == needs:
                msgspec.structs.force_setattr(self, name, whole(name, value, "frames"))
            elif value is not None and value != unset:
                raise BadSpec(
                    f"{name} is {value!r}, which split_by={self.split_by!r} does not use",
                    where="frames",
                    fix=f"leave it out, or set {needs}",
                )

    @property
    def array_dtype(self) -> np.dtype:
        """The type of a count: `dtype`."""
        return CELLS[self.dtype].dtype

    def shape(self, sensor: tuple[int, int]) -> tuple[int, int, int, int]:
        """(T, P, H, W) for a (width, height) sensor. Raises BadSpec where T depends on the recording."""
        if RULES[self.split_by].needs != "bins":
            raise BadSpec(
                f"split_by={self.split_by!r} has no fixed number of frames",
                where="frames",
                allowed=", ".join(name for name, rule in RULES.items() if rule.needs == "bins"),
            )
        width, height = sensor
        return int(self.bins or 0), 2, height, width

    def apply(
        self, events: Events, out: np.ndarray | None = None, *, threads: int = 1
    ) -> tuple[np.ndarray, Account]:
        """The frames (T, P, H, W) and the account of the events.

        `out`, when given, is overwritten and returned; it must be writeable, C-contiguous and of the result's
        shape and dtype. `threads` share the frames out among them; the result is the same for any number.

        Raises BadSpec for a wrong `out`, for frames of over 16 GiB and, with overflow="refuse", EventbenchError
        for a count over the limit (`out` then holds saturated counts); BadEvents as the split_by says.
        """
        width, height = events.sensor
        rule, cell = RULES[self.split_by], CELLS[self.dtype]
        size = cells_of(events.sensor)
        cuts = rule.cut(
            events.t, getattr(self, rule.needs), max(1, MOST_BYTES // (size * cell.dtype.itemsize))
        )
        shape = (len(cuts) - 1, 2, height, width)
        out = array_to_fill(out, shape, cell.dtype, "frames")
        total, binned = len(events), int(cuts[-1])
        flat, by_frame = out.reshape(shape[0], size).view(cell.counted_as), np.empty(shape[0], np.int64)
        saturated = _count(events, cuts, flat, cell.limit, by_frame, threads)
        if saturated and self.overflow == "refuse":
            raise overflow_error(events, cuts, by_frame, cell)
        return out, account_of(total, binned, saturated)

    def apply_packed(self, packed: PackedEvents, out: np.ndarray | None = None) -> tuple[np.ndarray, Account]:
        """As `apply`, of a recording as a store holds it: an address is a cell already, so no event is unpacked."""
        if self.split_by not in IN_KERNEL or self.overflow == "refuse":
            return super().apply_packed(packed, out)
        cell, size, shape = CELLS[self.dtype], cells_of(packed.sensor), self.shape(packed.sensor)
        out = array_to_fill(out, shape, cell.dtype, "frames")
        flat = out.reshape(shape[0], size).view(cell.counted_as)
        binned, saturated = count_packed(packed, self.split_by, cell.limit, flat)
        return out, account_of(len(packed.dt), binned, saturated)

    def apply_structured(
        self, array: np.ndarray, sensor: tuple[int, int], out: np.ndarray | None = None
    ) -> tuple[np.ndarray, Account] | None:
        """As `apply`, of a structured array that can be counted as it stands; None where it cannot.

        `out` is then in no state. What is wrong, or lost, is found by `Events.from_structured` and `apply`.
        """
        fields = fields_of(array)
        in_kernel = self.split_by in IN_KERNEL and self.overflow != "refuse"
        if not (in_kernel and len(array) >= KERNEL_MIN_EVENTS and kernels_can_read(fields, sensor)):
            return None
        cell, size, shape = CELLS[self.dtype], cells_of(sensor), self.shape(sensor)
        out = array_to_fill(out, shape, cell.dtype, "frames")
        flat = out.reshape(shape[0], size).view(cell.counted_as)
        binned = count_structured(list(fields.values()), self.split_by, cell.limit, *sensor, flat)
        return None if binned is None else (out, account_of(len(array), binned, 0))

    def apply_batch(
        self, batch: EventBatch, out: np.ndarray | None = None, *, threads: int = 1
    ) -> tuple[np.ndarray, list[Account]]:
        """The frames (N, T, P, H, W) of every recording of a batch, and an account of each; else as `apply`.

        `threads` share the recordings out among them. Raises BadSpec where T is not fixed.
        """
        if self.split_by not in IN_KERNEL or self.overflow == "refuse":
            return super().apply_batch(batch, out)
        cell, size = CELLS[self.dtype], cells_of(batch.sensor)
        shape = (len(batch), *self.shape(batch.sensor))
        out = array_to_fill(out, shape, cell.dtype, "frames")
        flat = out.reshape(shape[0], shape[1], size).view(cell.counted_as)
        threads = whole("threads", threads, "frames")
        in_frames, saturated = count_batch(batch, self.split_by, cell.limit, flat, threads)
        counts = (batch.lengths.tolist(), in_frames.tolist(), saturated.tolist())
        return out, [account_of(*of_recording) for of_recording in zip(*counts, strict=True)]


def _count(
    events: Events, cuts: np.ndarray, flat: np.ndarray, limit: int, lost: np.ndarray, threads: int
) -> int:
    """Fill `flat` (T, cells) and `lost` (T,), the events each frame could not take; their sum."""
    width, height = events.sensor
    columns, frame_count = (events.x, events.y, events.p, cuts), len(flat)
    if threads == 1:
        return int(count_slices(*columns, 0, frame_count, width, width * height, limit, flat, lost))
    threads = min(whole("threads", threads, "frames"), frame_count)
    # Whole frames to each thread: no two write the same cell, so no order of adding can matter.
    share = np.linspace(0, int(cuts[-1]), threads + 1)
    ends = [0, *np.searchsorted(cuts[1:-1], share[1:-1]).tolist(), frame_count]

    def fill(first: int, last: int) -> int:
        return int(count_slices(*columns, first, last, width, width * height, limit, flat, lost))

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(fill, ends[:-1], ends[1:]))
