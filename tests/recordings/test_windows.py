"""Windows of long recordings: the events of `eb.read`, found again from the index in the cache, for every kind of source."""

from __future__ import annotations

import errno
import multiprocessing
import os
import pickle
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import eventbench as eb
from eventbench.errors import BadEvents, BadRecording, BadStore
from eventbench.recordings import _scanned, index_files, windows
from eventbench.recordings._held import Columns
from eventbench.recordings.index_files import ENDING, FOLDER, UNFINISHED
from eventbench.recordings.kept_indexes import kept_indexes
from eventbench.recordings.read import Reading
from eventbench.recordings.recording import Recording
from eventbench.sources.base import Piece, Scan, Size
from eventbench.sources.text_columns import TextColumns
from tests.support.miniatures import atis_bytes, run_cli

SENSOR = (34, 34)


def columns(events: int, seed: int = 0, steps_back: int = 0) -> np.ndarray:
    """int64 (events, 4): t, x, y, p; times of which some are equal, and some step back."""
    generator = np.random.default_rng(seed)
    t = np.cumsum(generator.integers(0, 30, events)) + 500
    for place in generator.integers(0, max(events, 1), steps_back):
        t[place] -= generator.integers(0, 200)
    return np.stack(
        [np.maximum(t, 0), *generator.integers(0, 34, (2, events)), generator.integers(0, 2, events)], 1
    )


def text_file(path: Path, table: np.ndarray) -> Path:
    np.savetxt(path, table, fmt="%d", delimiter=",")
    return path


class InPieces(TextColumns, frozen=True, forbid_unknown_fields=True):
    """Text that can be cut, the slow and obvious way: every piece decodes the whole file. `rows` a piece."""

    rows: int = 7

    def _as_in_file(self, path: Path) -> np.ndarray:
        return np.loadtxt(path, np.int64, delimiter=",", ndmin=2)

    def scan(self, path: Path, sensor: Size | None = None, progress: Any = None) -> Scan:
        decoded = self.read_counted(path, sensor)
        table = self._as_in_file(path)
        pieces = []
        for start in range(0, len(table), self.rows):
            t = table[start : start + self.rows, 0]
            pieces.append(Piece(start, start + len(t), len(t), int(t.min()), int(t.max())))
        ordered = bool((np.diff(table[:, 0]) >= 0).all())
        return Scan(
            decoded.events.sensor, pieces, ordered, decoded.lost, decoded.notes, {"places": np.arange(5)}
        )

    def decode_piece(self, path: Path, scan: Scan, piece: Piece) -> Columns:
        assert scan.arrays["places"].tolist() == [0, 1, 2, 3, 4]
        t, x, y, p = self._as_in_file(path)[piece.start : piece.stop].T
        return t, x.astype(np.uint16), y.astype(np.uint16), p.astype(np.uint8)


class InOne(TextColumns, frozen=True, forbid_unknown_fields=True):
    """Text that cannot be cut."""

    def scan(self, path: Path, sensor: Size | None = None, progress: Any = None) -> None:
        return None


@pytest.fixture
def everything_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is small enough to be held in memory."""
    monkeypatch.setattr(windows, "SMALL_BYTES", -1)


def opened(path: Path, cache: Path | None, way: str, **parameters: Any) -> Recording:
    """A recording, opened in one of the ways in which a source can serve it."""
    kind = InPieces if way == "in pieces" else InOne
    return windows.open_with(kind(sort=True, **parameters), path, SENSOR, cache=cache)


WAYS = ("in pieces", "decoded whole")


@pytest.mark.parametrize("way", WAYS)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_window_of_any_recording_is_what_a_mask_over_all_its_events_gives(
    way: str, data: st.DataObject, tmp_path: Path, everything_is_long: None
) -> None:
    events = data.draw(st.integers(1, 60))
    table = columns(events, data.draw(st.integers(0, 9)), data.draw(st.integers(0, 8)))
    path = text_file(tmp_path / "a.csv", table)
    parameters = {"rows": data.draw(st.integers(1, 20))} if way == "in pieces" else {}
    recording = opened(path, data.draw(st.sampled_from([None, tmp_path])), way, **parameters)
    whole = eb.read(path, SENSOR, sort=True)
    assert (len(recording), recording.first_us, recording.last_us) == (events, whole.t[0], whole.t[-1])
    assert recording.duration_us == whole.duration_us
    times = st.integers(int(whole.t[0]) - 40, int(whole.t[-1]) + 40)
    for _ in range(5):
        start, stop = sorted([data.draw(times), data.draw(times)])
        assert recording.window(start, stop) == whole[slice(*np.searchsorted(whole.t, [start, stop]))]
        assert recording.number_at(start) == (whole.t < start).sum()
        first, last = sorted([data.draw(st.integers(0, events + 3)), data.draw(st.integers(0, events + 3))])
        assert recording.events(first, last) == whole[first:last]


def test_the_last_window_may_be_partial_and_windows_without_events_are_empty() -> None:
    events = eb.Events(t=[10, 11, 40, 41, 45], x=[0] * 5, y=[0] * 5, p=[1] * 5, sensor=(1, 1))
    recording = Recording.of(events)
    cut = recording.windows(duration_us=10)
    assert [window.t.tolist() for window in cut] == [[10, 11], [], [], [40, 41, 45]]
    assert [cut.bounds(k) for k in range(len(cut))] == [(10, 20), (20, 30), (30, 40), (40, 46)]
    assert len(recording.windows(duration_us=10, partial=False)) == 3
    assert [window.t.tolist() for window in recording.windows(events=2)] == [[10, 11], [40, 41], [45]]
    assert [window.t.tolist() for window in recording.windows(events=2, partial=False)] == [
        [10, 11],
        [40, 41],
    ]
    assert [window.t.tolist() for window in recording.windows(events=3, stride_events=1, partial=False)] == [
        [10, 11, 40],
        [11, 40, 41],
        [40, 41, 45],
    ]
    overlapping = recording.windows(duration_us=20, stride_us=10, start_us=0, stop_us=42)
    assert [overlapping.bounds(k) for k in range(len(overlapping))] == [
        (0, 20),
        (10, 30),
        (20, 40),
        (30, 42),
        (40, 42),
    ]
    assert [window.t.tolist() for window in recording.windows(events=2, start_us=11, stop_us=45)] == [
        [11, 40],
        [41],
    ]
    assert cut[-1].t.tolist() == [40, 41, 45]
    assert [window.t.tolist() for window in cut[::3]] == [[10, 11], [40, 41, 45]]
    assert list(Recording.of(eb.Events.empty((1, 1))).windows(duration_us=10)) == []
    assert len(Recording.of(eb.Events.empty((1, 1))).windows(duration_us=10, start_us=0, stop_us=30)) == 3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, r"^how long a window is was not said; allowed: one of duration_us= and events=$"),
        ({"duration_us": 1, "events": 1}, "one of duration_us= and events="),
        ({"duration_us": 0}, r"^duration_us is 0; allowed: 1 or more$"),
        ({"duration_us": 1.5}, r"^duration_us is 1\.5; allowed: a whole number$"),
        ({"events": 5, "stride_us": 5}, "allowed: events= with stride_events="),
        ({"duration_us": 5, "stride_us": -5}, "stride_us is -5"),
    ],
)
def test_windows_that_cannot_be_are_refused(wrong: dict[str, Any], message: str) -> None:
    recording = Recording.of(eb.Events.empty((1, 1)))
    with pytest.raises(BadEvents, match=message):
        recording.windows(**wrong)
    with pytest.raises(BadEvents, match=r"^the window goes from 5 to 3 us; allowed: start_us <= stop_us$"):
        recording.window(5, 3)
    with pytest.raises(BadEvents, match=r"^events number -1 to 3; allowed: 0 <= first <= stop$"):
        recording.events(-1, 3)


def test_times_may_be_written_as_powers_of_ten() -> None:
    recording = Recording.of(eb.Events(t=[999, 1000], x=[0, 0], y=[0, 0], p=[0, 0], sensor=(1, 1)))
    assert recording.window(1e3, 2e3).t.tolist() == [1000]  # type: ignore[arg-type]


def kept(cache: Path) -> list[Path]:
    return sorted((cache / FOLDER).iterdir()) if (cache / FOLDER).is_dir() else []


@pytest.mark.parametrize("way", WAYS)
def test_a_second_opening_finds_the_index_and_neither_scans_nor_decodes(
    way: str, tmp_path: Path, everything_is_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = text_file(tmp_path / "a.csv", columns(50))
    first = opened(path, tmp_path, way)
    assert [file.suffix for file in kept(tmp_path)] == [ENDING]
    kind = InPieces if way == "in pieces" else InOne
    monkeypatch.setattr(kind, "scan", lambda *_: pytest.fail("scanned again"))
    monkeypatch.setattr(kind, "read_counted", lambda *_: pytest.fail("decoded again"))
    again = opened(path, tmp_path, way)
    assert again.index == first.index
    assert again.events(0, 50) == first.events(0, 50)


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_changed_is_indexed_anew_in_the_place_of_the_old_index(
    way: str, tmp_path: Path, everything_is_long: None
) -> None:
    path = text_file(tmp_path / "a.csv", columns(50))
    before = opened(path, tmp_path, way)
    text_file(path, columns(60, seed=1))
    if way == "in pieces":
        with pytest.raises(
            BadRecording, match=r"a\.csv: the file changed since it was opened; open it again$"
        ):
            before.events(0, 50)
    after = opened(path, tmp_path, way)
    assert after.events(0, 60) == eb.read(path, SENSOR)
    assert len(kept(tmp_path)) == 1


def test_a_name_that_is_no_text_has_an_index_as_well(tmp_path: Path, everything_is_long: None) -> None:
    path = text_file(tmp_path / os.fsdecode(b"a\xff %20\xc3\xa9.csv"), columns(50))
    first = windows.open_recording(path, cache=tmp_path)
    assert len(kept(tmp_path)) == 1
    assert windows.open_recording(path, cache=tmp_path).index == first.index
    [index] = kept_indexes(tmp_path)
    assert (Path(index.recording).name, index.useless) == ("a\ufffd %20\xe9.csv", "")


def test_another_sensor_another_parameter_or_another_file_has_an_index_of_its_own(
    tmp_path: Path, everything_is_long: None
) -> None:
    path = text_file(tmp_path / "a.csv", columns(50))
    for reading in (Reading(SENSOR), Reading((50, 50)), Reading(SENSOR, parameters={"sort": True})):
        windows.open_recording(path, reading, cache=tmp_path)
    windows.open_recording(text_file(tmp_path / "b.csv", columns(50)), Reading(SENSOR), cache=tmp_path)
    assert len(kept(tmp_path)) == 4


@pytest.mark.parametrize("harm", ["cut", "flipped", "other", "empty"])
def test_a_damaged_index_is_made_again(harm: str, tmp_path: Path, everything_is_long: None) -> None:
    path = text_file(tmp_path / "a.csv", columns(50))
    expected = opened(path, tmp_path, "in pieces").index
    [index] = kept(tmp_path)
    sound = index.read_bytes()
    harmed = {
        "cut": sound[:-4],
        "flipped": sound[:120] + bytes([sound[120] ^ 1]) + sound[121:],
        "other": b"something else\n" * 9,
        "empty": b"",
    }[harm]
    index.write_bytes(harmed)
    assert opened(path, tmp_path, "in pieces").index == expected
    assert index.read_bytes() == sound


def test_a_cache_that_cannot_be_written_is_refused_with_what_to_do(
    tmp_path: Path, everything_is_long: None
) -> None:
    path = text_file(tmp_path / "a.csv", columns(50))
    (tmp_path / "cache").write_bytes(b"a file, no folder")
    with pytest.raises(
        BadStore, match=r"a\.csv cannot be written: Not a directory; name a folder that can be written"
    ):
        windows.open_recording(path, cache=tmp_path / "cache")


@pytest.mark.parametrize("source", [InOne(), InPieces()])
def test_a_picture_needs_no_cache_that_can_be_written(
    tmp_path: Path, everything_is_long: None, capsys: pytest.CaptureFixture[str], source: TextColumns
) -> None:
    path = text_file(tmp_path / "a.csv", columns(50))
    (tmp_path / "cache").write_bytes(b"a file, no folder")
    recording = windows.open_with(
        source, path, SENSOR, cache=tmp_path / "cache", keep_columns=False, may_not_keep=True
    )
    assert recording.events(0, 50) == eb.read(path, SENSOR)
    assert pickle.loads(pickle.dumps(recording)).events(0, 50) == eb.read(path, SENSOR)
    drawing = (
        "show",
        path,
        "--out",
        tmp_path / "a.png",
        "--sensor",
        "34x34",
        "--cache-dir",
        tmp_path / "cache",
    )
    assert run_cli(capsys, *drawing)[0] == 0


def test_no_room_for_the_columns_of_a_long_recording_is_told(
    tmp_path: Path, everything_is_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = text_file(tmp_path / "a.csv", columns(50))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(index_files, "write", full)
    with pytest.raises(
        BadStore,
        match=r"a\.csv cannot be kept there: No space left on device; make room there, or set TMPDIR",
    ):
        opened(path, None, "decoded whole")


def test_what_is_no_recording_is_refused_as_by_read(tmp_path: Path) -> None:
    for name, content in (("a.bin", b""), ("b.csv", b"no table\n" * 3), ("c", b"?")):
        (tmp_path / name).write_bytes(content)
    for name in ("a.bin", "b.csv", "c", "not_there.raw"):
        with pytest.raises(BadRecording) as by_read:
            eb.read(tmp_path / name)
        with pytest.raises(BadRecording) as by_open:
            eb.open_recording(tmp_path / name, cache_dir=tmp_path / "cache")
        assert str(by_open.value) == str(by_read.value)
    assert kept(tmp_path / "cache") == []


def test_a_short_recording_is_held_in_memory_and_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    path = text_file(tmp_path / "a.csv", columns(50))
    with eb.open_recording(path, SENSOR, cache_dir=tmp_path) as recording:
        assert [len(events) for events in recording] == [50]
        assert repr(recording).startswith("Recording(a.csv: 50 events in ")
    assert kept(tmp_path) == []
    with pytest.raises(BadRecording, match=r"a\.csv: the recording was closed; open it again"):
        recording.window(0, 5)


def test_a_file_that_went_is_told(tmp_path: Path, everything_is_long: None) -> None:
    path = text_file(tmp_path / "a.csv", columns(50))
    recording = opened(path, None, "in pieces")
    path.unlink()
    with pytest.raises(
        BadRecording, match=r"a\.csv: the file was there when it was opened: No such file or directory$"
    ):
        recording.window(600, 800)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("cached", [True, False])
def test_another_process_opens_the_same_recording_or_is_told_that_it_changed(
    way: str, cached: bool, tmp_path: Path, everything_is_long: None
) -> None:
    path = text_file(tmp_path / "a.csv", columns(50))
    recording = opened(path, tmp_path if cached else None, way)
    sent = pickle.dumps([recording, recording.windows(events=10)])
    again, cut = pickle.loads(sent)
    assert again.window(600, 800) == recording.window(600, 800)
    assert list(cut) == list(recording.windows(events=10))
    os.utime(path, (1, 1))
    with pytest.raises(BadRecording, match="the file changed since it was opened"):
        pickle.loads(sent)


def test_a_recording_in_memory_is_sent_with_its_events() -> None:
    recording = Recording.of(eb.Events(t=[1, 2], x=[0, 0], y=[0, 0], p=[0, 1], sensor=(1, 1)))
    assert pickle.loads(pickle.dumps(recording)).window(2, 3) == recording.window(2, 3)


def test_consecutive_windows_decode_each_piece_once(
    tmp_path: Path, everything_is_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = text_file(tmp_path / "a.csv", columns(200))
    recording = opened(path, None, "in pieces", rows=20)
    decoded: list[int] = []
    decode = InPieces.decode_piece

    def counted(self: InPieces, path: Path, scan: Scan, piece: Piece) -> Columns:
        decoded.append(piece.start)
        return decode(self, path, scan, piece)

    monkeypatch.setattr(InPieces, "decode_piece", counted)
    assert sum(map(len, recording.windows(duration_us=13))) == 200
    assert decoded == list(range(0, 200, 20))


def test_threads_that_need_the_same_piece_decode_it_once(
    tmp_path: Path, everything_is_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = text_file(tmp_path / "a.csv", columns(100))
    recording = opened(path, None, "in pieces", rows=50)
    decoded: list[int] = []
    decode = InPieces.decode_piece

    def slow(self: InPieces, path: Path, scan: Scan, piece: Piece) -> Columns:
        decoded.append(piece.start)
        time.sleep(0.05)
        return decode(self, path, scan, piece)

    monkeypatch.setattr(InPieces, "decode_piece", slow)
    with ThreadPoolExecutor(8) as pool:
        windows = list(pool.map(lambda k: recording.events(10 * k, 10 * k + 10), range(10)))
    assert sorted(decoded) == [0, 50]
    assert [len(window) for window in windows] == [10] * 10


@pytest.mark.slow
def test_windows_are_a_dataset_that_workers_of_torch_read(tmp_path: Path) -> None:
    from torch.utils.data import DataLoader

    path = tmp_path / "a.bin"
    path.write_bytes(
        atis_bytes([(k, k % 8, 0, 1) for k in range(1_000)]) * 900
    )  # more than is held in memory
    recording = eb.open_recording(path, (8, 6), cache_dir=tmp_path, sort=True)
    cut: Any = recording.windows(events=100_000)
    first = cut[0]
    context = multiprocessing.get_context("fork")  # what is sent to another process is tried above
    loader: DataLoader[Any] = DataLoader(cut, batch_size=None, num_workers=2, multiprocessing_context=context)
    loaded = list(loader)
    assert loaded[0] == first
    assert sum(map(len, loaded)) == 900_000


def test_events_of_an_unordered_file_are_numbered_in_steps_of_time_however_few(
    tmp_path: Path, everything_is_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_scanned, "RANK_STEPS", 3)
    path = text_file(tmp_path / "a.csv", columns(90, steps_back=30))
    recording, whole = opened(path, None, "in pieces"), eb.read(path, SENSOR, sort=True)
    for first in range(0, 90, 7):
        assert recording.events(first, first + 11) == whole[first : first + 11]


def test_what_is_written_halfway_is_never_found(
    tmp_path: Path, everything_is_long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = text_file(tmp_path / "a.csv", columns(50))

    def broken(*_: object) -> Iterator[None]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index_files, "write", broken)
    with pytest.raises(BadStore, match="No space left on device"):
        opened(path, tmp_path, "in pieces")
    assert kept(tmp_path) == []
    assert UNFINISHED != ENDING
