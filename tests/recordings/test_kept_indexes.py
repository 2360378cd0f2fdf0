"""Indexes of long recordings in the cache: listed, and collected as garbage once their recordings have changed or gone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import eventbench as eb
from eventbench.recordings import windows
from eventbench.recordings.index_files import FOLDER, UNFINISHED
from eventbench.recordings.kept_indexes import kept_indexes
from eventbench.sources.atis_bin import AtisBin
from tests.support.miniatures import atis_bytes, run_cli


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with the indexes of a.bin, b.bin and c.bin."""
    monkeypatch.setattr(windows, "SMALL_BYTES", -1)
    for name in "abc":
        path = tmp_path / f"{name}.bin"
        path.write_bytes(atis_bytes([(k, 1, 1, 1) for k in range(9)]))
        eb.open_recording(path, (8, 6), cache_dir=tmp_path / "cache")
    return tmp_path / "cache"


def test_ls_tells_them_and_gc_removes_those_whose_recordings_changed_or_went(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.bin").unlink()
    (tmp_path / "b.bin").write_bytes(atis_bytes([(1, 1, 1, 1)]))
    status, out, err = run_cli(capsys, "cache", "ls", "--cache-dir", str(cache))
    assert (status, err) == (0, "")
    assert f"  {FOLDER}: 3 of long recordings, " in out
    assert "2 of no use any more" in out
    listed = json.loads(run_cli(capsys, "cache", "ls", "--cache-dir", str(cache), "--json")[1])["indexes"]
    assert [Path(index["recording"]).name for index in listed] == ["a.bin", "b.bin", "c.bin"]
    _, out, _ = run_cli(capsys, "cache", "gc", "--dry-run", "--cache-dir", str(cache))
    assert "an index of a recording that is gone" in out
    assert len(kept_indexes(cache)) == 3
    _, out, _ = run_cli(capsys, "cache", "gc", "--cache-dir", str(cache))
    assert "an index of a recording that has changed" in out
    assert "2 removed" in out
    assert [Path(kept.recording).name for kept in kept_indexes(cache)] == ["c.bin"]


def test_damaged_unfinished_and_outdated_indexes_are_of_no_use(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _, _ = (kept.path for kept in kept_indexes(cache))
    first.write_bytes(b"?")
    unfinished = first.with_name(f"{first.name}.x{UNFINISHED}")
    unfinished.write_bytes(b"")
    assert len(kept_indexes(cache)) == 3  # somebody may be writing it
    os.utime(unfinished, (1, 1))
    assert {kept.useless for kept in kept_indexes(cache)} == {"", "a damaged index", "an unfinished file"}
    monkeypatch.setattr(AtisBin, "version", AtisBin.version + 1)
    run_cli(capsys, "cache", "gc", "--cache-dir", str(cache))
    assert not (cache / FOLDER).exists()
