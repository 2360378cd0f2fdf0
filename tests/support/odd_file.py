"""One kind of odd input: what is said of it in `datasets/ODD_FILES.md`, and what a test holds that to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

SHOWN = {"sensor": "WxH", "group": "NAME", "camera": "NAME", "subpixels": "32", "order": "xytp"}


@dataclass(frozen=True, kw_only=True)
class OddFile:
    """A kind of input, with the cases that are of it.

    `outcome` is what happens without a setting: "read", "doubted" (read, with a warning about its unit), or "refused", whose
    message, or the doubt, has `words` (a pattern). `settings`, in the words of the command line, lead to the events,
    and are what the message advises unless `advised` is false. `events`, `sensor`, `lost` and `notes` hold with them.
    Where `truth` names columns, they are compared, times with `within_us` and, where `starts_us` is given, from there on;
    `without` is the row of the truth that a file lacks.
    """

    kind: str
    files: tuple[str, ...]
    outcome: Literal["read", "doubted", "refused"] = "read"
    because: str = ""
    words: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    advised: bool = True
    cure: str = ""
    events: int | None = None
    sensor: tuple[int, int] | None = None
    lost: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    truth: str = ""
    truth_file: str = "5x_truth.npz"
    starts_us: int | None = None
    within_us: int = 0
    without: int | None = None

    def row(self) -> str:
        """Its row of the page."""
        outcome = "read; doubted" if self.outcome == "doubted" else self.outcome
        by_default = f"{outcome}: {self.because}" if self.because else outcome
        settings = " ".join(f"`{key}={SHOWN.get(key, value)}`" for key, value in self.settings.items())
        cure = "; ".join(part for part in (settings, self.cure) if part)
        counted = ", ".join(f"`{reason}`" for reason in dict.fromkeys([*self.lost, *self.notes]))
        return f"| {self.kind} | {by_default} | {cure or '-'} | {counted or '-'} |"


def table(cases: tuple[OddFile, ...]) -> str:
    """The table of a format's cases, as the page has it."""
    head = ["| input | by default | to have its events | in the account |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *(case.row() for case in cases)])
