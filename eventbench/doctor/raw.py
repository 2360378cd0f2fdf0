"""The columns of a file before any check, however damaged the file is.

A decoder reports the first thing that is wrong and stops. These columns let the doctor say how much is wrong, and which
convention the file follows. They decide nothing about the events.
"""

from __future__ import annotations

from eventbench.files.isolated import call
from eventbench.sources.base import RawColumns, Source


def raw_columns(source: Source, data: bytes) -> RawColumns | None:
    """The columns of a file of this format; None where the format has none, or the bytes are not of it."""
    try:
        raw = (
            call(source.raw_columns, len(data), "", data)
            if source.read_isolated
            else source.raw_columns(data)
        )
    except Exception:  # noqa: BLE001  # of any kind on damaged files; the decoder has said what is wrong
        return None
    if raw is None:
        return None
    columns = (raw.t, raw.x, raw.y, raw.p)
    flat = all(column.ndim == 1 and column.dtype.kind in "iufb" for column in columns)
    return raw if flat and len({len(column) for column in columns}) == 1 else None
