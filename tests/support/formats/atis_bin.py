"""ATIS, 40 bits an event."""

from __future__ import annotations

from pathlib import Path

from tests.support.formats.shared import EVENTS, records
from tests.support.miniatures import atis_bytes


def seeds() -> list[bytes]:
    """With an overflow marker in its middle."""
    return [atis_bytes([*EVENTS[:60], (0, 0, 240, 0), *EVENTS[60:]])]


def heads(recordings: Path) -> list[bytes]:
    return [records(recordings / "dvs128_clip1.bs2", 6_000)]
