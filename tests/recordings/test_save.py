"""`eb.save` and `Events.save`: whole, equal when read back, under its name only then, and never over another file unasked."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

import eventbench as eb
from eventbench import registry
from eventbench.errors import BadEvents, BadRecording, BadSpec
from eventbench.events import Events
from eventbench.recordings.windows import open_recording
from eventbench.sources.base import PIECE_EVENTS
from eventbench.writers.evt2 import Evt2
from eventbench.writers.evt3 import Evt3
from eventbench.writers.text import Text

EVENTS = Events(t=[100, 200, 300], x=[1, 2, 3], y=[0, 1, 1], p=[1, 0, 1], sensor=(10, 5))


def test_the_method_and_the_function_do_the_same(tmp_path: Path) -> None:
    by_method = EVENTS.save(tmp_path / "a.npz")
    by_function = eb.save(EVENTS, str(tmp_path / "b.npz"))
    assert by_method._replace(path=tmp_path / "b.npz") == by_function
    assert eb.read(tmp_path / "a.npz") == eb.read(tmp_path / "b.npz") == EVENTS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_a_file_that_is_there_is_replaced_only_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(b"precious")
    with pytest.raises(
        BadSpec, match=r"a\.raw: exists already; choose another name, or replace it with --overwrite"
    ):
        EVENTS.save(tmp_path / "a.raw")
    assert (tmp_path / "a.raw").read_bytes() == b"precious"
    EVENTS.save(tmp_path / "a.raw", overwrite=True)
    assert eb.read(tmp_path / "a.raw") == EVENTS


def test_a_path_that_cannot_be_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match="there is no such folder; create it first"):
        EVENTS.save(tmp_path / "gone" / "a.raw")
    with pytest.raises(BadSpec, match="a folder; allowed: the name of a file"):
        EVENTS.save(tmp_path)
    with pytest.raises(
        BadSpec, match=r"a\.xyz: its ending is '\.xyz'; allowed: .*\.raw.*; name the format: --to NAME"
    ):
        EVENTS.save(tmp_path / "a.xyz")
    with pytest.raises(BadSpec, match="/dev/null: no ordinary file; allowed: the name of a file"):
        EVENTS.save("/dev/null", "evt3", overwrite=True)
    with pytest.raises(
        BadEvents, match="got a ndarray; allowed: Events, or an open recording; make them of an array"
    ):
        eb.save(EVENTS.to_structured(), tmp_path / "a.raw")  # type: ignore[arg-type]
    with pytest.raises(BadSpec, match="it has no ending"):
        EVENTS.save(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", registry.writers.names())
def test_any_name_will_do_where_the_writer_is_named(name: str, tmp_path: Path) -> None:
    saved = EVENTS.save(tmp_path / "recording.anything", name)
    writer = registry.writers.get(name)
    sensor = None if writer().states_sensor(saved.path) else EVENTS.sensor
    assert eb.read(saved.path, sensor, source=writer.source) == EVENTS


def test_times_from_zero_are_counted(tmp_path: Path) -> None:
    saved = EVENTS.save(tmp_path / "a.raw", from_zero=True)
    assert saved.from_zero_us == 100
    assert eb.read(saved.path).t.tolist() == [0, 100, 200]
    assert EVENTS.save(tmp_path / "b.raw").from_zero_us == 0


def test_a_file_that_does_not_read_back_equal_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lossy(self: Text, parts: Iterable[Events], sensor: tuple[int, int], path: Path) -> None:
        sound(self, (part[1:] for part in parts), sensor, path)

    def wrong(self: Text, parts: Iterable[Events], sensor: tuple[int, int], path: Path) -> None:
        path.write_text(
            "".join(f"{t},{x},{y},{1 - p}\n" for part in parts for t, x, y, p in part.to_structured())
        )

    def broken(self: Text, parts: Iterable[Events], sensor: tuple[int, int], path: Path) -> None:
        list(parts)
        path.write_text("t,x,y,p\nnonsense\n")

    sound = Text.write
    expected = [
        (lossy, "2 events instead of 3; nothing was kept"),
        (wrong, "other values of p"),
        (broken, "it is refused"),
    ]
    for write_text, message in expected:
        monkeypatch.setattr(Text, "write", write_text)
        with pytest.raises(BadRecording, match=message) as error:
            EVENTS.save(tmp_path / "a.csv")
        assert (error.value.reason, list(tmp_path.iterdir())) == ("not_equal", [])
    monkeypatch.setattr(Text, "write", sound)
    monkeypatch.setattr(Text, "states_sensor", lambda self, path: True)
    with pytest.raises(BadRecording, match="the sensor 4x2 instead of 10x5"):
        EVENTS.save(tmp_path / "a.csv", header="none")


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_is_interrupted_leaves_nothing_and_the_file_that_was_there(
    failure: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(self: Evt3, parts: Iterable[Events], sensor: tuple[int, int], path: Path) -> None:
        path.write_bytes(b"half")
        raise failure

    monkeypatch.setattr(Evt3, "write", stopped)
    (tmp_path / "a.raw").write_bytes(b"precious")
    with pytest.raises((KeyboardInterrupt, BadSpec)):
        EVENTS.save(tmp_path / "a.raw", overwrite=True)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.raw"]
    assert (tmp_path / "a.raw").read_bytes() == b"precious"


def test_an_open_recording_is_written_in_stretches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    n = 2_500_000
    columns = {"x": rng.integers(0, 10, n), "y": rng.integers(0, 5, n), "p": rng.integers(0, 2, n)}
    events = Events(t=np.sort(rng.integers(0, 10_000_000, n)), **columns, sensor=(10, 5))
    events.save(tmp_path / "a.raw")
    lengths: list[int] = []

    def noted(self: Evt2, parts: Iterable[Events], sensor: tuple[int, int], path: Path) -> None:
        kept = list(parts)
        lengths.extend(map(len, kept))
        sound(self, kept, sensor, path)

    sound = Evt2.write
    monkeypatch.setattr(Evt2, "write", noted)
    with open_recording(tmp_path / "a.raw") as recording:
        assert eb.save(recording, tmp_path / "b.raw", "evt2", from_zero=True).events == n
    assert sum(lengths) == n
    assert max(lengths) == PIECE_EVENTS < n / 2
    assert np.array_equal(eb.read(tmp_path / "b.raw").t, events.t - events.t[0])


def test_save_takes_what_its_docstring_says() -> None:
    documented = inspect.getdoc(eb.save) or ""
    for name in inspect.signature(eb.save).parameters:
        assert f"\n{name} :" in documented


ON_A_FULL_DISK = """
import resource, sys
import numpy as np
import eventbench as eb

rng = np.random.default_rng(0)
events = eb.Events(
    t=np.cumsum(rng.integers(0, 9, 300_000)), x=rng.integers(0, 64, 300_000), y=rng.integers(0, 64, 300_000),
    p=rng.integers(0, 2, 300_000), sensor=(64, 64),
)
few = eb.Events(t=[1], x=[1], y=[1], p=[1], sensor=(64, 64))
for name in sys.argv[2:]:
    few.save(f"{sys.argv[1]}/few.file", name, overwrite=True)  # what is imported and compiled is, while there is room
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
for name in sys.argv[2:]:
    try:
        events.save(f"{sys.argv[1]}/{name}.file", name)
    except eb.errors.EventbenchError as error:
        print(name, error.what)
"""


@pytest.mark.slow  # it imports the package in another process, since HDF5 used to end that
def test_a_full_disk_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    names = [
        name for name in registry.writers.names() if name != "aedat4"
    ]  # of another library, in its own words
    ran = subprocess.run(
        [sys.executable, "-c", ON_A_FULL_DISK, tmp_path, *names], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [f"{name} cannot be written: File too large" for name in names]
    assert [path.name for path in tmp_path.iterdir()] == ["few.file"]
