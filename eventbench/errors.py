"""The errors of this package, as one tree. The command line turns any of these into one line and exit status 2.

EventbenchError
├── UnknownName      a dataset, pipeline, model, ... that does not exist
├── BadSpec          a TOML or JSON file, or a parameter, with a wrong or missing value
├── BadEvents        columns that are not a valid event stream
├── BadRecording     a raw file that cannot be decoded
├── BadDataset       a dataset folder with something missing or different
├── BadStore         a store that is absent, unfinished, damaged or stale
├── BadSubmission    a submitted model that breaks its contract
├── BadRecord        a record that contradicts itself or its evidence
└── NotComparable    records that must not be compared in one table
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

FIELDS = ("what", "where", "allowed", "fix", "reason")


class EventbenchError(Exception):
    """One line: *where* it is, *what* is wrong with its value, what is *allowed*, how to *fix* it.

    Each of these is an attribute, so that no caller parses the text. `reason` is a code in snake case
    ("time_runs_backwards") where callers need to distinguish errors of one class, else empty.
    """

    def __init__(
        self, what: str, *, where: object = "", allowed: str = "", fix: str = "", reason: str = ""
    ) -> None:
        self.what, self.where, self.allowed, self.fix, self.reason = what, where, allowed, fix, reason
        super().__init__(what)

    def __str__(self) -> str:
        located = f"{self.where}: {self.what}" if str(self.where) else self.what
        parts = [located, f"allowed: {self.allowed}" if self.allowed else "", self.fix]
        return " ".join("; ".join(part for part in parts if part).split())

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), vars(self))  # worker processes send their errors back pickled

    def as_kind(self, kind: type[E], *, where: object = None, fix: str | None = None) -> E:
        """A new error of another `kind` with the same fields; `where` and `fix` replace those of this one, None keeps them."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in FIELDS}
        replaced = {"where": where, "fix": fix}
        return _restored(kind, fields | {name: new for name, new in replaced.items() if new is not None})

    @property
    def unlocated(self) -> str:
        """The line without its `where`, for a report that names the place itself."""
        return str(self.as_kind(EventbenchError, where=""))


E = TypeVar("E", bound=EventbenchError)


def _restored(kind: type[E], attributes: dict[str, Any]) -> E:
    """An error with these attributes; without `kind`'s own __init__, which may take other arguments."""
    error = kind.__new__(kind)
    Exception.__init__(error, attributes["what"])
    vars(error).update(attributes)
    return error


def some(names: list[str], shown: int = 5) -> str:
    """The first `shown` names and how many more there are, so that a line does not grow with the dataset."""
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


class UnknownName(EventbenchError):
    """A name that does not exist, with the nearest one that does."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: object = "") -> None:
        import difflib  # takes as long to load as the rest of this package

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
    """A TOML or JSON file, or a parameter, with a wrong or missing value."""


class BadEvents(EventbenchError):
    """Columns that are not a valid event stream."""


class BadRecording(EventbenchError):
    """A raw file that cannot be decoded."""


class BadDataset(EventbenchError):
    """A dataset folder with something missing or different."""


class BadStore(EventbenchError):
    """A store that is absent, unfinished, damaged or stale."""


class BadSubmission(EventbenchError):
    """A submitted model that breaks its contract."""


class BadRecord(EventbenchError):
    """A record that contradicts itself or its evidence."""


class NotComparable(EventbenchError):
    """Records that must not be compared in one table."""
