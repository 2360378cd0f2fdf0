"""What can go wrong, as one tree. The command line turns any of these into one line and exit status 2.

EventbenchError
├── UnknownName      a dataset, pipeline, model, ... that does not exist
├── BadSpec          a TOML or JSON file, or a parameter, that does not say what it must
├── BadEvents        columns that are no event stream
├── BadRecording     a raw file that cannot be decoded
├── BadDataset       a dataset folder with something missing or different
├── BadStore         a store that is absent, unfinished, damaged or made by other rules
├── BadSubmission    a submitted model that breaks its contract
├── BadRecord        a record that does not hold together
└── NotComparable    records that must not stand in one table
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EventbenchError(Exception):
    """One line: *where* it is, *what* is wrong with its value, what is *allowed*, how to *fix* it."""

    def __init__(self, what: str, *, where: object = "", allowed: str = "", fix: str = "") -> None:
        self.what = what
        parts = [f"{where}: {what}" if str(where) else what]
        if allowed:
            parts.append(f"allowed: {allowed}")
        if fix:
            parts.append(fix)
        super().__init__(" ".join("; ".join(parts).split()))


def some(names: list[str], shown: int = 5) -> str:
    """The first `shown` names, and how many more there are: a line must not grow with a dataset."""
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


class UnknownName(EventbenchError):
    """A name nobody answers to, with the nearest ones that exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: object = "") -> None:
        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else ""
        super().__init__(
            f"no {kind} named {name!r}",
            where=where,
            allowed=", ".join(known) or "none are known",
            fix=hint,
        )


class BadSpec(EventbenchError):
    """A file of ours or a parameter that does not say what it must."""


class BadEvents(EventbenchError):
    """Columns that are no event stream."""


class BadRecording(EventbenchError):
    """A raw file that cannot be decoded."""


class BadDataset(EventbenchError):
    """A dataset folder with something missing or different."""


class BadStore(EventbenchError):
    """A store that is absent, unfinished, damaged or made by other rules."""


class BadSubmission(EventbenchError):
    """A submitted model that breaks its contract."""


class BadRecord(EventbenchError):
    """A record that does not hold together."""


class NotComparable(EventbenchError):
    """Records that must not stand in one table."""
