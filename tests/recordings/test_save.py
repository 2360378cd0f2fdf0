"""`eb.save` and `Events.save`: whole, equal when read back, under its name only then, and never over another file unasked."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

import eventbench as eb
from eventbench import registry
from eventbench.errors import BadRecording, BadSpec
from eventbench.events import Events
from eventbench.recordings import parts as parts_module
from eventbench.recordings.read import Reading
from eventbench.recordings.save import Target, write
from eventbench.sources.base import Piece, Scan
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
    with pytest.raises((KeyboardInterrupt, OSError)):
        EVENTS.save(tmp_path / "a.raw", overwrite=True)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.raw"]
    assert (tmp_path / "a.raw").read_bytes() == b"precious"


def test_a_long_file_is_written_and_compared_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that can be cut is never asked for all events at once, neither of what is read nor of what was written."""
    events = Events(
        t=np.arange(0, 5000, 5),
        x=np.arange(1000) % 10,
        y=np.arange(1000) % 5,
        p=np.arange(1000) % 2,
        sensor=(10, 5),
    )
    events.save(tmp_path / "a.raw")
    source = registry.sources.get("evt")
    pieces = [Piece(k, k + 250, 250, int(events.t[k]), int(events.t[k + 249])) for k in range(0, 1000, 250)]
    monkeypatch.setattr(source, "scan", lambda *arguments: Scan((10, 5), pieces))
    monkeypatch.setattr(
        source,
        "decode_piece",
        lambda self, path, scan, piece: [getattr(events, name)[piece.start : piece.stop] for name in "txyp"],
    )
    monkeypatch.setattr(source, "read_counted", lambda *arguments: pytest.fail("read whole"))
    monkeypatch.setattr(parts_module, "IN_PARTS_FROM", 0)
    parts = parts_module.parts_of(tmp_path / "a.raw", Reading())
    assert [len(part) for part in parts.events()] == [250] * 4
    target = Target.of(tmp_path / "b.raw", "", {}, overwrite=False)
    assert write(parts.events, parts.sensor, target).events == 1000
    assert (tmp_path / "a.raw").read_bytes() == (tmp_path / "b.raw").read_bytes()


def test_save_takes_what_its_docstring_says() -> None:
    documented = inspect.getdoc(eb.save) or ""
    for name in inspect.signature(eb.save).parameters:
        assert f"\n{name} :" in documented
