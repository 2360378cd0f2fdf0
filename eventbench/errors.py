"""All errors of this package, as one tree. The command line turns each into one line and exit status 2.

EventbenchError
├── UnknownName      a dataset, pipeline, model, ... that does not exist
├── BadSpec          a TOML or JSON file, or a parameter, with a wrong or missing value
├── BadEvents        columns that are not a valid event stream
├── BadRecording     a raw file that cannot be decoded
├── BadDataset       a dataset folder with something missing or different
├── BadStore         a store that is absent, unfinished, damaged or stale
├── BadSubmission    a submitted model that breaks its contract
├── NotCounted       a figure that cannot be computed for a model; its other figures stand
├── BadRecord        a record that contradicts itself or its evidence
└── NotComparable    records that must not be compared in one table

EventbenchWarning is of what was read and is likely not what was meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

FIELDS = ("what", "where", "allowed", "fix", "reason")


class EventbenchError(Exception):
    """One line: *where* the problem is, *what* is wrong, what is *allowed*, how to *fix* it.

    Each of these is an attribute, so callers never have to parse the text. `reason` is a code in snake case
    ("time_runs_backwards") if callers need to tell errors of one class apart, else "".
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
        return _restored, (type(self), vars(self))  # worker processes send errors back pickled

    def as_kind(self, kind: type[E], *, where: object = None, fix: str | None = None) -> E:
        """A new error of class `kind` with the same fields, except for `where` and `fix` if they are not None."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in FIELDS}
        replacements = {"where": where, "fix": fix}
        return _restored(
            kind, fields | {name: value for name, value in replacements.items() if value is not None}
        )

    @property
    def unlocated(self) -> str:
        """The line without its `where`, for reports that name the place themselves."""
        return str(self.as_kind(EventbenchError, where=""))


class EventbenchWarning(UserWarning):
    """One line, as an error's: the file, what speaks against how it was read, and what to set."""


E = TypeVar("E", bound=EventbenchError)


def _restored(kind: type[E], attributes: dict[str, Any]) -> E:
    """An error with these attributes, made without __init__, whose arguments differ between subclasses."""
    error = kind.__new__(kind)
    Exception.__init__(error, attributes["what"])
    vars(error).update(attributes)
    return error


def some(names: list[str], shown: int = 5) -> str:
    """The first `shown` names and the number of the others, so that a message does not grow with the dataset."""
    remainder = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + remainder


class UnknownName(EventbenchError):
    """A name that does not exist; the message suggests the most similar name that does."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: object = "") -> None:
        import difflib  # imported here, since it takes as long to load as the rest of this package

        known = sorted(known)
        similar = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {similar[0]!r}?" if similar else ""
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


class NotCounted(EventbenchError):
    """A figure that cannot be computed for a model, and why; all its other figures stand."""


class BadRecord(EventbenchError):
    """A record that contradicts itself or its evidence."""


class NotComparable(EventbenchError):
    """Records that must not be compared in one table."""
