"""What the pieces of a file owe to the file read whole; for any source, any file, and pieces of any size."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from eventbench.errors import EventbenchError
from eventbench.recordings import windows
from eventbench.sources.base import Decoded, Piece, Scan, Size, Source


@contextlib.contextmanager
def pieces_of(events: int) -> Iterator[None]:
    """Every source makes pieces of about so many events, and no file is too small to be cut."""
    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith("eventbench.sources") and hasattr(module, "PIECE_EVENTS"):
                patch.setattr(module, "PIECE_EVENTS", events)
        patch.setattr(windows, "SMALL_BYTES", -1)
        yield


def outcome(source: Source, path: Path, sensor: Size | None) -> Decoded | str:
    """What reading the file gives: its events and account, or its refusal."""
    try:
        return source.read_counted(path, sensor)
    except EventbenchError as error:
        return str(error)


def check_pieces(source: Source, path: Path, sensor: Size | None, expected: Decoded | str) -> int:
    """Assert that the pieces of a file hold what `expected` does; how many there are, 0 where it cannot be cut."""
    try:
        scan = source.scan(path, sensor)
    except EventbenchError as error:
        if str(error) != expected:
            pytest.fail(f"scan refuses it ({error}), and read_counted gives {expected}")
        return 0
    if scan is None:
        return 0
    assert isinstance(expected, Decoded), f"scanned, but read: {expected}"
    whole = expected.events
    assert scan.sensor == whole.sensor
    assert dict(scan.lost) == dict(expected.lost)
    assert _counts(scan) == _counts(expected)
    parts = []
    for piece in scan.pieces:
        _check_numbers(piece)
        t, x, y, p = part = source.decode_piece(path, scan, piece)
        assert (len(t), len(x), len(y), len(p)) == (piece.events,) * 4
        assert (int(t.min()), int(t.max())) == (piece.first_us, piece.last_us)
        assert [column.dtype for column in part] == [np.int64, np.uint16, np.uint16, np.uint8]
        parts.append(part)
    assert sum(piece.events for piece in scan.pieces) == len(whole)
    if parts:
        t, x, y, p = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        assert scan.ordered == bool((np.diff(t) >= 0).all())
        order = np.argsort(t, kind="stable")
        for column, name in zip((t, x, y, p), "txyp", strict=True):
            np.testing.assert_array_equal(column[order], getattr(whole, name))
    return len(scan.pieces)


def check_windows(
    source: Source, path: Path, sensor: Size | None, expected: Decoded, rng: np.random.Generator
) -> None:
    """Assert that windows, by time and by number, are those of the events read whole."""
    recording, whole = windows.open_with(source, path, sensor), expected.events
    assert (len(recording), recording.sensor, recording.lost) == (
        len(whole),
        whole.sensor,
        dict(expected.lost),
    )
    ends = (int(whole.t[0]) - 3, int(whole.t[-1]) + 3) if len(whole) else (0, 9)
    for _ in range(4):
        start, stop = np.sort(rng.integers(*ends, 2, endpoint=True)).tolist()
        inside = (whole.t >= start) & (whole.t < stop)
        window = recording.window(start, stop)
        for name in "txyp":
            np.testing.assert_array_equal(getattr(window, name), getattr(whole, name)[inside])
        first, last = np.sort(rng.integers(0, len(whole) + 3, 2)).tolist()
        assert recording.events(first, last) == whole[first:last]
        assert recording.number_at(start) == int((whole.t < start).sum())


def _counts(told: Scan | Decoded) -> list[tuple[str, int]]:
    return sorted((note.kind, note.times) for note in told.notes)


def _check_numbers(piece: Piece) -> None:
    """An index is kept as JSON: whole numbers of Python's, none of NumPy's."""
    numbers = (piece.start, piece.stop, piece.events, piece.first_us, piece.last_us, *piece.state)
    assert {type(number) for number in numbers} == {int}
    assert piece.events > 0
    assert piece.start < piece.stop
