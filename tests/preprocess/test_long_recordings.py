"""Preprocessing windows of recordings that can be cut: no recording is decoded whole, and each piece is decoded once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import eventbench as eb
from eventbench.preprocess.events_store import events_store
from eventbench.recordings import windows
from eventbench.sources.base import Piece, Scan, Source
from eventbench.sources.text_columns import TextColumns
from eventbench.specs import catalog
from eventbench.store.read import EventStore
from tests.support.miniatures import write_toml

ROWS = 100  # a piece
SENSOR = (8, 6)


def table(path: Path) -> np.ndarray:
    return np.loadtxt(path, np.int64, delimiter=",")


def scan(self: Source, path: Path, sensor: object = None, progress: object = None) -> Scan:
    t = table(path)[:, 0]
    starts = range(0, len(t), ROWS)
    return Scan(SENSOR, [Piece(k, k + ROWS, ROWS, int(t[k]), int(t[k + ROWS - 1])) for k in starts])


@pytest.mark.parametrize("workers", [1, 3])
def test_long_recordings_become_a_store_of_windows_piece_by_piece(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: Counter[tuple[str, int]] = Counter()

    def decode_piece(self: Source, path: Path, found: Scan, piece: Piece) -> Any:
        decoded[path.name, piece.start] += 1
        t, x, y, p = table(path)[piece.start : piece.stop].T
        return t, x.astype(np.uint16), y.astype(np.uint16), p.astype(np.uint8)

    rng = np.random.default_rng(0)
    for name in ("left", "right"):
        (tmp_path / "raw" / name).mkdir(parents=True)
        for take in "ab":
            t = np.cumsum(rng.integers(0, 20, 1_000))
            columns = np.stack([t, *(rng.integers(0, side, 1_000) for side in (*SENSOR, 2))], axis=1)
            np.savetxt(tmp_path / "raw" / name / f"{name}_{take}.csv", columns, fmt="%d", delimiter=",")
    whole = {path.stem: eb.read(path, SENSOR) for path in (tmp_path / "raw").rglob("*.csv")}
    monkeypatch.setattr(windows, "SMALL_BYTES", -1)
    monkeypatch.setattr(TextColumns, "scan", scan)
    monkeypatch.setattr(TextColumns, "decode_piece", decode_piece)
    for method in ("read_counted", "decode_counted", "decode"):
        monkeypatch.setattr(TextColumns, method, lambda *_: pytest.fail("decoded whole"))
    card = {
        "sensor": list(SENSOR),
        "classes": ["left", "right"],
        "source": {"name": "text_columns"},
        "layout": {
            "name": "fixed_windows",
            "events": 30,
            "stride": 20,
            "recordings": {
                "name": "path_pattern",
                "patterns": {"train": "{class}/{name}_a.csv", "test": "{class}/{name}_b.csv"},
                "id": "{name}_{split}",
            },
        },
        "splits": {"train": {}, "test": {}},
        "obtain": {"how": "ask for it"},
    }
    write_toml(tmp_path / "own.toml", card)
    report = events_store(
        catalog.card(str(tmp_path / "own.toml")), tmp_path / "raw", tmp_path / "cache", workers=workers
    )
    store = EventStore(report.store)
    assert len(store) == 4 * len(range(0, 1_000 - 30 + 1, 20))
    for row, id in enumerate(store.ids):
        recording, _, number = id.partition("/")
        events = whole[recording.replace("_train", "_a").replace("_test", "_b")]
        assert store[row] == events[20 * int(number) : 20 * int(number) + 30]
    assert len(decoded) == 40
    assert max(decoded.values()) == 1
