"""The columns of a file before any check, however damaged the file is.

A decoder reports the first thing that is wrong and stops. These columns let the doctor say how much is wrong, and which
convention the file follows. They decide nothing about the events.
"""

from __future__ import annotations

from pathlib import Path

from eventbench.doctor.signs import SignsMeter
from eventbench.files.content import file_bytes
from eventbench.files.isolated import call
from eventbench.sources.base import RawColumns, Size, Source


def raw_of_bytes(source: Source, data: bytes) -> RawColumns | None:
    """The columns of a file of this format; None where the format has none, or the bytes are not of it."""
    try:
        raw = (
            call(source.raw_columns, len(data), "", data)
            if source.read_isolated
            else source.raw_columns(data)
        )
    except Exception:  # noqa: BLE001  # of any kind on damaged files; the decoder has said what is wrong
        return None
    return raw if raw is not None and _are_columns(raw) else None


def signs_of_file(source: Source, path: Path, sensor: Size | None) -> SignsMeter:
    """The signs of a file's columns, which are taken in pieces where the source can cut them.

    Of no row where the format has no columns, or the file is not of it.
    """
    signs = SignsMeter(sensor)
    if type(source).raw_columns is Source.raw_columns:
        return signs
    if type(source).raw_pieces is not Source.raw_pieces:
        try:
            for raw in source.raw_pieces(path):
                signs.update(raw)
        except Exception:  # noqa: BLE001  # as in `raw_of_bytes`
            signs = SignsMeter(sensor)
    if signs.first is None and (whole := raw_of_bytes(source, file_bytes(path))):
        signs.update(whole)
    return signs


def _are_columns(raw: RawColumns) -> bool:
    columns = (raw.t, raw.x, raw.y, raw.p)
    flat = all(column.ndim == 1 and column.dtype.kind in "iufb" for column in columns)
    return flat and len({len(column) for column in columns}) == 1
