"""What was found: a sentence, what it is about, what to do; and what all findings together come to."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

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


def undecodable(message: str) -> Finding:
    """What a decoder refuses a file with; the last part of its message is what to do, where it says that."""
    what, _, fix = message.rpartition("; ")
    if not what or fix.startswith("allowed: "):
        what, fix = message, "fetch or export the file again, or take it away"
    about = "polarity" if what.startswith("polarities are") else "decoding"
    return Finding(about=about, what=what, fix=fix, breaks=True)


def verdict(problems: Iterable[Finding], warnings: Iterable[Finding]) -> str:
    """One of HEALTHY, CARE and BROKEN."""
    problems = list(problems)
    if any(finding.breaks for finding in problems):
        return BROKEN
    return CARE if problems or any(True for _ in warnings) else HEALTHY
