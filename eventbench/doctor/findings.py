"""Findings: what is wrong, what it is about, what to do; and the verdict that all of them come to."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from eventbench.errors import EventbenchError

HEALTHY, CARE, BROKEN = "healthy", "usable with care", "broken"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`about` is one word for the kind, `what` what was found, `fix` what to do; `breaks` where the data cannot be used.

    `path` is the recording's within its folder; "" for one of the folder as a whole.
    """

    about: str
    what: str
    fix: str
    breaks: bool = False
    path: str = ""


def undecodable(error: EventbenchError) -> Finding:
    """What a decoder refuses a file with."""
    about = "polarity" if error.reason == "unknown_polarity" else "decoding"
    what = error.as_kind(EventbenchError, where="", fix="")
    fix = error.fix or "fetch or export the file again, or take it away"
    return Finding(about=about, what=str(what), fix=fix, breaks=True)


def verdict(problems: Iterable[Finding], warnings: Iterable[Finding]) -> str:
    """One of HEALTHY, CARE and BROKEN."""
    problems = list(problems)
    if any(finding.breaks for finding in problems):
        return BROKEN
    return CARE if problems or any(True for _ in warnings) else HEALTHY
