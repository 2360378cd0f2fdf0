"""Long recordings cut into windows of one length: another layout says where recordings lie, their labels and splits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from eventbench import registry
from eventbench.errors import BadSpec
from eventbench.layouts._listing import named
from eventbench.layouts.base import Layout
from eventbench.specs.sample import Extent, Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card

LAST = ("drop", "keep")


class FixedWindows(Layout, frozen=True, forbid_unknown_fields=True):
    """A sample is a window of a recording; it has the recording's label, subject and split, so no recording is in two.

    Where recordings have no subject, the id of the recording is that of its windows: `by = "subject"` of a task then keeps
    them on one side of training and validation.

    Windows begin at the first event, one stride apart. What the layout in `recordings` lists as a window already, as
    `labelled_windows` does, is cut within it.

    Parameters
    ----------
    recordings : the layout of the recordings, a table as [layout] is: { name = "class_folders", ... }
    duration_us : how long a window is in microseconds; or
    events : in events
    stride : from the start of a window to that of the next, in the same unit; 0 for windows end to end
    last : "drop" windows that the recording's end cuts short, or "keep" them
    id : how a sample is called, of {recording}, its id without windows, and {number}, counted from 0
    """

    cuts: ClassVar[bool] = True

    recordings: dict[str, Any]
    duration_us: int = 0
    events: int = 0
    stride: int = 0
    last: str = "drop"
    id: str = "{recording}/{number:05d}"

    def __post_init__(self) -> None:
        if min(self.duration_us, self.events, self.stride) < 0 or bool(self.duration_us) == bool(self.events):
            raise BadSpec(
                f"duration_us is {self.duration_us}, events {self.events}, stride {self.stride}",
                allowed="one of duration_us and events over 0, and a stride of 0 or more",
            )
        if self.last not in LAST:
            raise BadSpec(f"last is {self.last!r}", allowed=", ".join(LAST))
        ids = {named(self.id, {"recording": name, "number": number}) for name in "ab" for number in (0, 1)}
        if len(ids) < 4:
            raise BadSpec(f"id is {self.id!r}", allowed="a name with {recording} and {number}")
        if registry.layouts.class_of(self.recordings, where="recordings").cuts:
            raise BadSpec("recordings are cut twice", allowed="a layout that does not cut")
        registry.layouts.build(self.recordings, where="recordings")

    def samples(self, card: Card, root: Path) -> list[Sample]:
        """Every recording under `root`, not cut yet, sorted by id. Raises what the layout of recordings raises."""
        return self._whole.samples(card, root)

    def cut(self, sample: Sample, extent: Extent) -> list[Sample]:
        """The windows of one recording. Raises BadSpec where it is a part that is measured in another unit."""
        if sample.row is not None or (sample.part if self.duration_us else sample.window) is not None:
            unit = "events" if self.duration_us else "microseconds"
            raise BadSpec(
                f"sample {sample.id} is a row of a file or a part given in {unit}",
                where="[layout fixed_windows]",
                allowed="whole recordings, or parts in the unit of the windows",
            )
        length = self.duration_us or self.events
        begin, end = sample.window or sample.part or self._all(extent)
        starts = range(begin, end if self.last == "keep" else end - length + 1, self.stride or length)
        return [
            self._window(sample, number, start, min(start + length, end))
            for number, start in enumerate(starts)
        ]

    def skips(self, path: str) -> bool:
        """Whether a file is left out: by `skip` here or in the layout of recordings."""
        return super().skips(path) or self._whole.skips(path)

    def tree(self) -> list[tuple[str, str]]:
        """That of the layout of recordings."""
        return [(path, f"{what}; cut into windows") for path, what in self._whole.tree()]

    def rule(self) -> str:
        """How recordings come into splits, and that their windows go with them."""
        return f"{self._whole.rule()} All windows of a recording are in its split."

    @property
    def suffix(self) -> str:
        """The ending of recordings, "" where their layout does not give it."""
        return str(getattr(self._whole, "suffix", ""))

    @property
    def _whole(self) -> Layout:
        return registry.layouts.build(self.recordings, where="[layout.recordings]")

    def _all(self, extent: Extent) -> tuple[int, int]:
        """(start, stop) of a whole recording, in the unit of the windows."""
        if self.events:
            return 0, extent.events
        if extent.first_us is None or extent.last_us is None:
            return 0, 0
        return extent.first_us, extent.last_us + 1

    def _window(self, sample: Sample, number: int, start: int, stop: int) -> Sample:
        id = named(self.id, {"recording": sample.id, "number": number})
        windowed = sample._replace(id=id, subject=sample.subject or sample.id)
        if self.events:
            return windowed._replace(part=(start, stop))
        return windowed._replace(window=(start, stop))
