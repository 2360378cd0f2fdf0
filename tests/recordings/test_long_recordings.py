"""Samples that are windows or parts of long recordings: each recording is gone through once, and what it lost is counted once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eventbench import digest, registry
from eventbench.errors import BadRecording
from eventbench.recordings import long_recordings, windows
from eventbench.recordings.long_recordings import LongRecordings
from eventbench.sources.base import Source
from eventbench.specs.sample import Extent, Sample
from tests.support.miniatures import run_cli, write_toml

SENSOR = (8, 6)
OUTSIDE_AT = (5, 105, 115, 205)  # times of events off the sensor


def recording(path: Path) -> Path:
    """Text: an event each 10 us from 0 to 290, and four off the sensor in between."""
    on = [(t, t // 10 % 8, t // 10 % 6, 1) for t in range(0, 300, 10)]
    rows = sorted([*on, *((t, 9, 0, 0) for t in OUTSIDE_AT)])
    np.savetxt(path, rows, fmt="%d", delimiter=",", header="t,x,y,p", comments="")
    return path


def long_recordings_of(cache: Path | None = None, **parameters: Any) -> LongRecordings:
    source: Source = registry.sources.build({"name": "text_columns", **parameters}, where="[source]")
    return LongRecordings(source, SENSOR, digest.of_file, cache)


def window(path: Path, start: int, stop: int) -> Sample:
    return Sample(f"a/{start}", "train", 0, "", path, window=(start, stop))


@pytest.mark.parametrize("small_bytes", [1 << 22, -1])
def test_events_off_the_sensor_are_counted_with_the_window_that_they_lie_in(
    small_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "SMALL_BYTES", small_bytes)
    path = recording(tmp_path / "a.csv")
    opened = long_recordings_of(tmp_path, outside="drop")
    lost = [
        dict(opened.read(window(path, start, start + 100), first=not start)[0].lost)
        for start in range(0, 300, 100)
    ]
    assert lost == [{"outside_sensor": 1}, {"outside_sensor": 2}, {"outside_sensor": 1}]


def test_what_nobody_knows_the_time_of_is_counted_once_with_the_first_sample(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.csv")
    with path.open("ab") as file:
        file.write(b"300,1")  # the end of the file cuts a row
    opened = long_recordings_of(outside="drop", salvage=True)
    first, second = (opened.read(window(path, start, start + 100), first=not start)[0] for start in (0, 100))
    assert first.lost == {"outside_sensor": 1, "cut_off": 1}
    assert second.lost == {"outside_sensor": 2}
    parts = [Sample("a", "train", 0, "", path, part=part) for part in ((0, 10), (10, 20))]
    assert opened.read(parts[0], first=True)[0].lost == {"outside_sensor": 4, "cut_off": 1}
    assert opened.read(parts[1], first=False)[0].lost == {}


def test_a_recording_is_read_once_however_many_windows_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: Counter[str] = Counter()
    kind = registry.sources.get("text_columns")
    read_counted = kind.read_counted

    def counted(self: Source, path: Path, sensor: tuple[int, int] | None = None) -> object:
        reads[path.name] += 1
        return read_counted(self, path, sensor)

    monkeypatch.setattr(kind, "read_counted", counted)
    opened = long_recordings_of(outside="drop")
    for name in ("a.csv", "b.csv"):
        path = recording(tmp_path / name)
        for start in range(0, 300, 20):
            assert len(opened.read(window(path, start, start + 20), first=not start)[0].events) == 2
    # Once, and once with the events off the sensor.
    assert reads == {"a.csv": 2, "b.csv": 2}
    reads.clear()
    opened = long_recordings_of()
    for start in range(0, 300, 20):
        opened.read(window(_sound(tmp_path / "c.csv"), start, start + 20), first=not start)
    assert reads == {"c.csv": 1}


def _sound(path: Path) -> Path:
    if not path.exists():
        np.savetxt(path, [(t, 1, 1, 1) for t in range(300)], fmt="%d", delimiter=",")
    return path


def test_a_sample_beyond_its_recording_is_refused_with_what_there_is(tmp_path: Path) -> None:
    path, opened = _sound(tmp_path / "a.csv"), long_recordings_of()
    with pytest.raises(
        BadRecording, match=r"sample a/300 is its us \(300, 310\).*; allowed: what lies in its 0 to 299 us$"
    ):
        opened.read(window(path, 300, 310), first=True)
    with pytest.raises(BadRecording, match=r"events \(290, 301\).*; allowed: what lies in its 300 events$"):
        opened.read(Sample("a", "train", 0, "", path, part=(290, 301)), first=True)
    assert opened.extent(path) == Extent(300, 0, 299)


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = iter([(1, 1), (1, 2)])
    path = _sound(tmp_path / "a.csv")
    monkeypatch.setattr(long_recordings, "file_state", lambda _: next(states))
    with pytest.raises(
        BadRecording, match=r"the file changed while it was read; run the same command again$"
    ):
        long_recordings_of().read(window(path, 0, 10), first=True)


def test_the_account_of_a_store_of_windows_has_every_lost_event_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What preprocess says of windows is what doctor would say of the recordings."""
    for name in ("a", "b"):
        (tmp_path / "raw" / name).mkdir(parents=True)
        recording(tmp_path / "raw" / name / "1.csv")
    card = {
        "sensor": list(SENSOR),
        "classes": ["a", "b"],
        "source": {"name": "text_columns", "outside": "drop"},
        "layout": {
            "name": "fixed_windows",
            "duration_us": 50,
            "last": "keep",
            "recordings": {
                "name": "path_pattern",
                "patterns": {"train": "{class}/{n}.csv"},
                "id": "{class}/{n}",
            },
        },
        "splits": {"train": {}},
        "obtain": {"how": "ask for it"},
    }
    write_toml(tmp_path / "own.toml", card)
    flags = ["--data-dir", str(tmp_path / "raw"), "--cache-dir", str(tmp_path / "cache")]
    status, out, err = run_cli(capsys, "preprocess", str(tmp_path / "own.toml"), *flags)
    assert status == 0, err
    assert "12 recordings" in out
    assert "8 outside_sensor" in out
