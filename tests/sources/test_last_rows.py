"""Rows at the end of a text file that are no events, as the terminator of MNIST-DVS in text."""

from __future__ import annotations

from pathlib import Path

import pytest

import eventbench as eb
from eventbench.errors import BadSpec
from eventbench.sources.text_columns import TextColumns

MNIST_DVS = b"39 112 0 0\n60 25 140 1\n23 87 291 0\n0 0 200010 0\n"


def test_the_last_rows_are_left_out_where_the_card_says_so(tmp_path: Path) -> None:
    path = tmp_path / "m00.txt"
    path.write_bytes(MNIST_DVS)
    events = eb.read(path, (128, 128), order="yxtp", last_rows=1)
    assert list(zip(events.t, events.x, events.y, events.p, strict=True)) == [
        (0, 112, 39, 0), (140, 25, 60, 1), (291, 87, 23, 0),
    ]  # fmt: skip
    decoded = TextColumns(order="yxtp", last_rows=1).decode_counted(MNIST_DVS, "m00.txt", (128, 128))
    assert "the last 1 rows are left out, as last_rows says" in [note.what for note in decoded.notes]
    assert len(eb.read(path, (128, 128), order="yxtp", last_rows=9)) == 0


def test_less_than_none_is_refused() -> None:
    with pytest.raises(BadSpec, match="last_rows is -1; allowed: 0 or more"):
        TextColumns(last_rows=-1)
