"""Times in another unit than they are read in: told where the events contradict it, and nowhere else."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventbench as eb
from eventbench import registry
from eventbench.doctor import examine
from eventbench.events.measure import Measure
from eventbench.events.units import Evidence, different_times, pixels_up_to, suspicion
from eventbench.recordings.read import read_counted
from eventbench.recordings.windows import open_with
from eventbench.sources.base import Note
from tests.support.advice import reading_of, settings_in
from tests.support.miniatures import Miniature, miniature, run_cli, write_toml
from tests.support.pieces import pieces_of

N, SENSOR = 2000, (346, 260)
RNG = np.random.default_rng(11)
T = np.sort(RNG.integers(1_000, 1_000_000, N))  # a second of a camera, in us
X, Y, P = RNG.integers(0, SENSOR[0], N), RNG.integers(0, SENSOR[1], N), RNG.integers(0, 2, N)
X[:2], Y[:2] = [0, 345], [259, 0]
Written = Callable[[Path, Any], Path]


def text(folder: Path, t: Any, head: str = "") -> Path:
    path = folder / "a.txt"
    lines = zip(np.asarray(t).tolist(), X.tolist(), Y.tolist(), P.tolist(), strict=True)
    path.write_text(head + "".join(f"{t} {x} {y} {p}\n" for t, x, y, p in lines))
    return path


def table(folder: Path, t: Any) -> Path:
    """An (events, 4) array, which takes more than a look."""
    np.save(folder / "a.npy", np.stack([np.asarray(t), X, Y, P], axis=1))
    return folder / "a.npy"


def arrays(folder: Path, t: Any) -> Path:
    np.savez(folder / "a.npz", t=np.asarray(t), x=X, y=Y, p=P)
    return folder / "a.npz"


def hdf5(folder: Path, t: Any) -> Path:
    with h5py.File(folder / "a.h5", "w") as file:
        for key, column in zip("txyp", (np.asarray(t), X, Y, P), strict=True):
            file[f"events/{key}"] = column
    return folder / "a.h5"


# How the file is written, its times, the unit that they are in, and by how much that is coarser than microseconds.
WRONG: dict[str, tuple[Written, Any, str, int]] = {
    "nanoseconds in NumPy": (arrays, T * 1000, "ns", 0),
    "nanoseconds in a table": (table, T * 1000, "ns", 0),
    "nanoseconds in text": (text, T * 1000, "ns", 0),
    "nanoseconds in HDF5": (hdf5, T * 1000, "ns", 0),
    "milliseconds with fractions": (text, [f"{t / 1000:.3f}" for t in T.tolist()], "ms", 0),
    "whole milliseconds": (text, T // 1000, "ms", 999),
    "whole milliseconds in NumPy": (arrays, T // 1000, "ms", 999),
    "a date in nanoseconds": (arrays, T * 1000 + 1_461_581_614_000_000_000, "ns", 0),
}
RIGHT: dict[str, tuple[Written, Any]] = {
    "microseconds in NumPy": (arrays, T),
    "microseconds in text": (text, T),
    "seconds in text": (text, [f"{t / 1e6:.6f}" for t in T.tolist()]),
    "microseconds in HDF5": (hdf5, T),
    "a cut of a millisecond, of a longer recording": (arrays, T // 1000 + 5_000_000),
}


def unit_notes(path: Path, **parameters: Any) -> list[Note]:
    return [note for note in read_counted(path, reading_of(parameters)).notes if note.kind == "unit"]


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_unit_is_told_by_every_way_of_reading_and_the_advice_leads_to_the_events(
    kind: str, tmp_path: Path
) -> None:
    write, t, unit, within = WRONG[kind]
    path = write(tmp_path, t)
    (note,) = unit_notes(path)
    line = f"{path}: {note.what}; {note.fix}"
    calls: list[Callable[[], object]] = [
        lambda: eb.read(path),
        lambda: eb.read(path, SENSOR),
        lambda: eb.read_batch([path]),
        lambda: eb.open_recording(path, cache_dir=tmp_path / "cache"),
    ]
    for call in calls:
        with pytest.warns(eb.EventbenchWarning) as warned:
            call()
        assert [(str(one.message), one.filename) for one in warned] == [(line, __file__)]
    doubts = [finding for finding in examine(path).warnings if finding.what == note.what]
    assert [finding.about for finding in doubts] == ["time unit"]
    assert settings_in(doubts[0].fix) == settings_in(note.fix) == {"unit": unit}
    events = eb.read(path, **settings_in(note.fix))  # and no warning, which would be an error here
    shift = int(events.t[0] - T[0]) if "date" in kind else 0
    assert np.abs(events.t - T - shift).max() <= within
    np.testing.assert_array_equal(events.x, X)
    read_as = "s" if "fractions" in kind else "us"
    assert note.fix.endswith(f"; if not, unit={read_as} says so")
    eb.read(path, unit=read_as)


@pytest.mark.parametrize("kind", RIGHT)
def test_nobody_doubts_a_right_unit(kind: str, tmp_path: Path) -> None:
    write, t = RIGHT[kind]
    path = write(tmp_path, t)
    assert not unit_notes(path)
    eb.read(path)


def test_what_a_file_says_of_its_unit_is_doubted_only_where_no_camera_can_be_so(tmp_path: Path) -> None:
    slow, fast = T * 1000, [f"{t / 1e6:.6f}" for t in T.tolist()]
    assert not unit_notes(text(tmp_path, slow, "t_us x y p\n"))  # 999 s, in which little happened
    assert not unit_notes(text(tmp_path, T // 1000, "t_us x y p\n"))  # a millisecond, in which much did
    assert not unit_notes(text(tmp_path, fast, "t_s x y p\n"))
    often = np.sort(RNG.integers(0, 300_000, N))
    np.savez(tmp_path / "b.npz", t_us=often // 10, x=X % 2, y=Y % 2, p=P)
    (note,) = unit_notes(tmp_path / "b.npz")
    assert "events a second: are its times in milliseconds? (likely)" in note.what


def test_a_few_events_are_no_evidence(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("".join(f"{t * 100_000_000} {t} 0 1\n" for t in range(50)))
    assert not unit_notes(path)
    eb.read(path)


@pytest.mark.parametrize("kind", [*WRONG, *RIGHT])
def test_a_file_in_pieces_has_the_same_doubt(kind: str, tmp_path: Path) -> None:
    write, t, *_ = (WRONG | RIGHT)[kind]  # type: ignore[operator]
    path = write(tmp_path, t)
    source = registry.sources.build({"name": {".txt": "text_columns", ".h5": "hdf5_columns"}.get(path.suffix, "numpy_columns")}, where="a test")  # fmt: skip
    with pieces_of(700):
        scan, whole = source.scan(path), source.read_counted(path)
        if scan is not None:
            assert len(scan.pieces) > 1
            assert scan.notes == whole.notes
        assert open_with(source, path).notes == whole.notes


def test_preprocess_tells_it_and_a_card_that_says_the_unit_is_believed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mini = miniature(tmp_path, train=2, test=2)
    for number, path in enumerate(sorted(mini.raw.rglob("*.bin"))):
        text(path.parent, T * 1000 + number).rename(path.with_suffix(".txt"))
        path.unlink()
    card(mini, {})
    status, out, err = run_cli(capsys, "preprocess", mini.card, *mini.flags)
    assert (status, err) == (0, "")
    (line,) = [line for line in out.splitlines() if line.startswith("  note: ")]
    assert line.startswith("  note: unit: 4 files, as ")
    assert "are its times in nanoseconds? (likely); if so, set unit" in line
    card(mini, {"unit": "ns"})
    assert "note" not in run_cli(capsys, "preprocess", mini.card, *mini.flags)[1]


def card(mini: Miniature, said: dict[str, str]) -> None:
    folders = {"train": "train", "test": "test"}
    write_toml(
        mini.card,
        {
            "sensor": list(SENSOR),
            "classes": ["left", "right"],
            "source": {"name": "text_columns", **said},
            "layout": {"name": "class_folders", "folders": folders, "suffix": ".txt"},
            "splits": {"train": {}, "test": {}},
            "obtain": {"how": "ask for it"},
        },
    )


def test_show_convert_and_doctor_print_a_line_and_no_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = arrays(tmp_path, T * 1000)
    (note,) = unit_notes(path)
    line = f"{path}: {note.what}; {note.fix}"
    for verb in (("convert", path, tmp_path / "out.es"), ("show", path, "--out", tmp_path / "out.png")):
        status, out, err = run_cli(capsys, *verb)
        assert (status, err) == (0, "")
        assert line in out.splitlines()
    status, out, err = run_cli(capsys, "doctor", path)
    assert (status, err) == (0, "")
    assert out.count(note.what) == 1


def test_the_warning_is_of_a_class_of_its_own_once_a_file(tmp_path: Path) -> None:
    assert issubclass(eb.EventbenchWarning, UserWarning)
    paths = [arrays(tmp_path, T * 1000).rename(tmp_path / f"{number}.npz") for number in range(3)]
    with pytest.warns(eb.EventbenchWarning) as warned:
        eb.read_batch(paths)
    assert [str(one.message).partition(": ")[0] for one in warned] == list(map(str, paths))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", eb.EventbenchWarning)
        opened = eb.open_recording(paths[0], cache_dir=tmp_path / "cache")
        assert pickle.loads(pickle.dumps(opened)).notes == opened.notes


@st.composite
def recordings(draw: st.DrawFn) -> eb.Events:
    """Of all lengths and rates, on few and on many pixels."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.sampled_from([1, 2, 3, 20, 150, 1200, 9000]))
    sensor = draw(st.sampled_from([(1, 1), (2, 3), (34, 34), (346, 260), (60_000, 60_000)]))
    longest = draw(st.sampled_from([3, 900, 50_000, 10**6, 10**8, 10**10, 10**13]))
    start = draw(st.sampled_from([0, 5, 10**7, 1_461_581_614 * 10**9]))
    t = np.sort(generator.integers(0, longest, count)) + start
    columns = [generator.integers(0, side, count) for side in (*sensor, 2)]
    return eb.Events(t=t, x=columns[0], y=columns[1], p=columns[2], sensor=sensor)


@settings(deadline=None, max_examples=200)
@given(
    events=recordings(),
    size=st.integers(1, 5000),
    read_as=st.sampled_from(["ns", "us", "ms", "s"]),
    assumed=st.booleans(),
)
def test_a_recording_in_parts_is_judged_as_one_that_was_measured(
    events: eb.Events, size: int, read_as: str, assumed: bool
) -> None:
    measure = Measure(events.sensor, len(events))
    measure.update(events)

    def parts() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        stretches = [events[first : first + size] for first in range(0, len(events), size)]
        return [(part.t, part.x, part.y) for part in stretches]

    assert different_times(parts) == measure.moments == len(np.unique(events.t))
    active = len(set(zip(events.x.tolist(), events.y.tolist(), strict=True)))
    assert pixels_up_to(np.inf, parts, events.sensor) == active == measure.summary().active_pixels
    for most in (0, active - 1):
        assert most < pixels_up_to(most, parts, events.sensor) <= active
    ends = int(events.t[0]), int(events.t[-1])
    seen = Evidence.of_parts(len(events), *ends, events.sensor, parts)
    measured = Evidence.of_summary(measure.summary(), measure.moments)
    assert suspicion(seen, read_as, assumed=assumed) == suspicion(measured, read_as, assumed=assumed)
