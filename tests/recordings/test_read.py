"""Recordings read: the 40-bit format against a slow decoder and real files, NumPy's files, and files that are harmed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import eventbench as eb
from eventbench.errors import BadRecording, EventbenchError
from eventbench.events import Events
from eventbench.recordings.read import Reading, read_counted
from eventbench.sources.atis_bin import AtisBin
from eventbench.sources.numpy_columns import NumpyColumns
from tests.support.miniatures import Event, atis_bytes, npy_bytes, npz_bytes, sided_events, structured
from tests.support.recordings import recordings

MARK: Event = (0, 0, 240, 0)
within_a_test = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def oracle(data: bytes) -> list[Event]:
    """The definition, one event after the other."""
    found, added = [], 0
    for at in range(0, len(data), 5):
        x, y, high, middle, low = data[at : at + 5]
        if y == 240:
            added += 8192
        else:
            found.append(((high & 127) * 65536 + middle * 256 + low + added, x, y, high >> 7))
    return found


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Whole events whose times mostly rise, with markers anywhere, also side by side and at both ends."""
    gaps = draw(st.lists(st.integers(-1, 300_000), max_size=30))
    times = np.clip(np.cumsum(gaps), 0, (1 << 23) - 1) if gaps else []
    events = [
        (int(t), draw(st.integers(0, 255)), draw(st.integers(0, 255)), draw(st.integers(0, 1))) for t in times
    ]
    for _ in range(draw(st.integers(0, 4))):
        marks = [
            (draw(st.integers(0, (1 << 23) - 1)), draw(st.integers(0, 255)), 240, draw(st.integers(0, 1)))
        ]
        at = draw(st.one_of(st.just(0), st.just(len(events)), st.integers(0, len(events))))
        events[at:at] = marks * draw(st.integers(1, 3))
    return atis_bytes(events)


@settings(deadline=None)
@given(st.one_of(streams(), st.binary(max_size=60).map(lambda data: data[: len(data) // 5 * 5])))
def test_the_40_bit_decoder_agrees_with_its_definition(data: bytes) -> None:
    expected = oracle(data)
    times = [event[0] for event in expected]
    if times != sorted(times):
        with pytest.raises(BadRecording, match=r"^a\.bin: time runs backwards at event"):
            AtisBin().decode(data, "a.bin", (256, 256))
        return
    events = AtisBin().decode(data, "a.bin", (256, 256))
    assert [tuple(row) for row in events.to_structured().tolist()] == expected


@pytest.mark.parametrize(
    ("markers", "times"),
    [
        ([0], [8192 + 5, 8192 + 9]),
        ([1], [5, 8192 + 9]),
        ([2], [5, 9]),
        ([0, 0, 1], [16384 + 5, 24576 + 9]),
    ],
)
def test_a_marker_moves_what_comes_after_it_and_is_no_event(markers: list[int], times: list[int]) -> None:
    stream: list[Event] = [(5, 1, 2, 1), (9, 3, 4, 0)]
    for at in sorted(markers, reverse=True):
        stream.insert(at, MARK)
    assert AtisBin().decode(atis_bytes(stream), "a.bin", (34, 34)).t.tolist() == times


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_a_truncated_file_is_refused_with_its_size(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(atis_bytes([(1, 2, 3, 0), (2, 2, 3, 1)])[:-cut])
    line = (
        f"{path}: truncated: {10 - cut} bytes are 1 events and {5 - cut} bytes more; "
        "allowed: a multiple of 5 bytes; fetch the file again, or, to take what stands before the cut, "
        "set salvage = true in [source] of a card, --set salvage=true, or salvage=True in eb.read"
    )
    with pytest.raises(BadRecording, match=f"^{re.escape(line)}$"):
        eb.read(path)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "the file is empty (0 bytes); fetch the file again"),
        (None, "cannot be read: No such file or directory"),
        (
            atis_bytes([MARK, MARK]),
            "no event to tell the sensor size from; give sensor=(width, height), --sensor WxH, or sensor in the card",
        ),
        (
            atis_bytes([(9, 0, 0, 0), (5, 0, 0, 0)]),
            "time runs backwards at event 1 (9 then 5 us); if the file is sound, set sort = true in [source] of a card, "
            "--set sort=true, or sort=True in eb.read",
        ),
    ],
)
def test_a_file_without_events_is_refused_by_its_name(
    tmp_path: Path, content: bytes | None, line: str
) -> None:
    path = tmp_path / "a.bin"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadRecording, match=f"^{re.escape(f'{path}: {line}')}$"):
        eb.read(path)


def test_only_markers_on_a_known_sensor_is_a_recording_in_which_nothing_happened(tmp_path: Path) -> None:
    path = tmp_path / "a.BIN"
    path.write_bytes(atis_bytes([MARK]))
    assert eb.read(path, sensor=(34, 34)) == Events.empty((34, 34))


def test_a_folder_and_an_unknown_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match=r"cannot be read: Is a directory$"):
        eb.read(tmp_path)
    path = tmp_path / "a.xyz"
    path.write_bytes(b"hello world")
    with pytest.raises(
        BadRecording, match=r"no known format: first bytes b'hello wo', ending '\.xyz'; allowed: .*\.bin"
    ):
        eb.read(path)


def test_events_outside_the_given_sensor_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(atis_bytes([(0, 40, 3, 1)]))
    with pytest.raises(BadRecording, match="x is 40 at event 0"):
        eb.read(path, sensor=(34, 34))
    assert eb.read(path).sensor == (41, 4)


class TestRealFiles:
    def test_the_csv_of_a_recording_equals_it_event_for_event(self, shared_data: Path) -> None:
        text = np.loadtxt(
            shared_data / "recordings/nmnist_train00001_events.csv", np.int64, delimiter=",", skiprows=1
        )
        x, y, p, t = text.T
        expected = Events(t=t, x=x - 1, y=y - 1, p=p - 1, sensor=(34, 34))
        assert len(expected) > 1000
        assert eb.read(shared_data / "nmnist_small/Train/5/00001.bin", sensor=(34, 34)) == expected

    def test_the_first_clip_has_as_many_events_as_its_readme_says(self, shared_data: Path) -> None:
        events = eb.read(shared_data / "recordings/dvs128_clip1.bs2")
        assert len(events) == 63_471
        assert max(events.sensor) <= 128

    def test_tonic_reads_the_same(self, shared_data: Path) -> None:
        tonic_io = pytest.importorskip("tonic.io")
        files = sorted((shared_data / "nmnist_small").glob("*/[37]/*.bin"))[:6]
        assert len(files) == 6
        for path in [*files, shared_data / "recordings/dvs128_clip2.bs2"]:
            theirs = tonic_io.read_mnist_file(str(path), dtype=np.dtype([(n, int) for n in "xytp"]))
            assert Events.from_structured(theirs, sensor=(128, 128)) == eb.read(path, sensor=(128, 128)), path


@pytest.mark.slow
@given(recordings(), st.permutations("txyp"))
def test_numpy_files_keep_every_event_in_any_order_of_fields(events: Events, order: list[str]) -> None:
    columns = {name: getattr(events, name) for name in "txyp"}
    table = np.stack([columns[name].astype(np.int64) for name in order], axis=1)
    sensor = events.sensor
    for data, source in [
        (npz_bytes(**columns), NumpyColumns()),
        (npz_bytes(**columns, sensor=np.array(sensor), more="ignored"), NumpyColumns()),
        (npy_bytes(structured(columns, "".join(order))), NumpyColumns()),
        (npy_bytes(table), NumpyColumns(order="".join(order))),
    ]:
        assert source.decode(data, "a.npy", sensor) == events


def test_the_sensor_comes_from_the_npz_before_it_is_guessed() -> None:
    columns = {"t": [1, 2], "x": [0, 6], "y": [1, 0], "p": [0, 1]}
    assert NumpyColumns().decode(npz_bytes(**columns), "a.npz").sensor == (7, 2)
    assert NumpyColumns().decode(npz_bytes(**columns, sensor=[34, 20]), "a.npz").sensor == (34, 20)
    assert NumpyColumns().decode(npz_bytes(**columns, sensor=[34, 20]), "a.npz", (50, 50)).sensor == (50, 50)


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ({"t": [1], "x": [1], "y": [1]}, "no array 'p' among ['t', 'x', 'y']; allowed: arrays t, x, y and p"),
        ({"t": [1], "x": ["a"], "y": [1], "p": [0]}, "x is <U1; allowed: whole numbers"),
        (
            {"t": [1], "x": [np.nan], "y": [1], "p": [0]},
            "x is nan at event 0 (1 such); allowed: whole numbers",
        ),
        ({"t": [1], "x": [1], "y": [], "p": [0]}, "no event to tell the sensor size from"),
        ({"t": [1], "x": [1], "y": [1], "p": [0], "sensor": ["a", "b"]}, "sensor is ['a', 'b']"),
        ({"t": [1], "x": [1], "y": [1], "p": [0], "sensor": [np.nan, 3]}, "sensor is [nan, 3.0]"),
        ({"t": [1], "x": [1], "y": [1], "p": [0], "sensor": [3]}, "sensor is [3]"),
        ({"t": [1], "x": [1], "y": [1], "p": [3]}, "polarities are [3]"),
        ({"t": [[1]], "x": [1], "y": [1], "p": [1]}, "t has 2 dimensions"),
    ],
)
def test_npz_that_holds_no_events_is_refused(columns: dict[str, Any], line: str) -> None:
    with pytest.raises(BadRecording, match=f"^{re.escape(f'a.npz: {line}')}"):
        NumpyColumns().decode(npz_bytes(**columns), "a.npz")


@pytest.mark.parametrize(
    ("array", "line"),
    [
        (np.zeros((5, 4), int), "an array (5, 4) of int64 does not say which column is which"),
        (np.zeros(5, [("t", int), ("x", int)]), "no field 'y' among ['t', 'x']"),
        (np.zeros(()), "an array () of float64"),
    ],
)
def test_npy_that_does_not_name_its_columns_is_refused(array: np.ndarray, line: str) -> None:
    with pytest.raises(BadRecording, match=f"^{re.escape(f'a.npy: {line}')}"):
        NumpyColumns().decode(npy_bytes(array), "a.npy")


def test_pickles_are_never_loaded() -> None:
    evil = npy_bytes(np.array([{"t": 1}], object), allow_pickle=True)
    with pytest.raises(
        BadRecording, match=r"^a\.npy: the array holds Python objects \(pickled\), which are never loaded"
    ):
        NumpyColumns().decode(evil, "a.npy")


def sound_files() -> dict[str, bytes]:
    events = sided_events(0, 1)
    columns = {name: np.array(column) for name, column in zip("txyp", zip(*events, strict=True), strict=True)}
    return {
        "a.bin": atis_bytes(events),
        "a.npz": npz_bytes(**columns, sensor=[8, 6]),
        "a.npy": npy_bytes(structured(columns, "yxpt")),
    }


FILES = sound_files()


def harmed(data: bytes) -> st.SearchStrategy[bytes]:
    """A file with bytes changed, cut off, doubled or put in."""
    place = st.integers(0, len(data) - 1)

    def change(edits: list[tuple[str, int, bytes]]) -> bytes:
        now = bytearray(data)
        for kind, at, piece in edits:
            if kind == "set":
                now[at : at + len(piece)] = piece
            elif kind == "put":
                now[at:at] = piece
            else:
                del now[at : at + (len(now) if kind == "cut" else len(piece))]
        return bytes(now)

    edit = st.tuples(st.sampled_from(["set", "put", "cut", "drop"]), place, st.binary(min_size=1, max_size=8))
    return st.lists(edit, min_size=1, max_size=3).map(change)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::SyntaxWarning", "ignore::DeprecationWarning")
@within_a_test
@given(data=st.data())
def test_a_harmed_file_gives_events_or_one_refusal_that_names_it(
    tmp_path: Path, name: str, data: Any
) -> None:
    path = tmp_path / name
    path.write_bytes(data.draw(harmed(FILES[name])))
    refusal = ""
    try:
        events = eb.read(path)
    except EventbenchError as error:
        refusal = str(error)
    else:
        assert Events(t=events.t, x=events.x, y=events.y, p=events.p, sensor=events.sensor) == events
    if refusal:
        assert name in refusal
        assert "\n" not in refusal


def test_formats_are_told_by_content_before_the_name(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(FILES["a.npy"])
    assert eb.read(path, sensor=(8, 6)) == AtisBin().decode(FILES["a.bin"], "a", (8, 6))


def test_many_recordings_are_read_as_one_by_one(tmp_path: Path) -> None:
    paths = []
    for k in range(5):
        path = tmp_path / f"{k}.bin"
        path.write_bytes(atis_bytes([(t, t % 7, k, t % 2) for t in range(1, 3 + 10 * k)]))
        paths.append(path)
    batch = eb.read_batch(paths, sensor=(8, 6))
    assert list(batch) == [eb.read(path, sensor=(8, 6)) for path in paths]
    assert eb.read_batch(paths).sensor == (7, 5)
    paths[3].write_bytes(b"123")
    with pytest.raises(BadRecording, match=r"3\.bin: truncated: 3 bytes"):
        eb.read_batch(paths)
    with pytest.raises(BadRecording, match=r"no recording to read"):
        eb.read_batch([])


def test_parameters_of_a_source_are_given_in_the_words_of_a_card(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(atis_bytes([(5, 1, 1, 1), (3, 2, 2, 0), (9, 40, 0, 1)]) + b"xy")
    decoded = read_counted(path, Reading((34, 34), "", {"sort": "true", "outside": "drop", "salvage": "1"}))
    assert decoded.events == eb.read(
        path, (34, 34), source="atis_bin", sort=True, outside="drop", salvage=True
    )
    assert decoded.events.t.tolist() == [3, 5]
    assert decoded.lost == {"outside_sensor": 1, "cut_off": 1}
    assert {note.kind for note in decoded.notes} == {"outside_sensor", "cut_off", "steps_back"}


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        (
            {"srt": True},
            r"a\.bin: atis_bin has no parameter 'srt'; allowed: sort, outside, salvage; did you mean 'sort'\?$",
        ),
        ({"order": "xypt"}, r"atis_bin has no parameter 'order'; allowed: sort, .*eventbench show atis_bin"),
        ({"outside": "keep"}, r"\[source atis_bin\]: 'outside': Invalid enum value 'keep'; allowed: .*drop"),
        ({"source": "atis"}, r"no source named 'atis'; .*did you mean 'atis_bin'\?$"),
    ],
)
def test_a_parameter_that_a_source_does_not_have_is_refused_with_those_it_has(
    tmp_path: Path, parameters: dict[str, Any], line: str
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(atis_bytes(sided_events(0, 1)))
    with pytest.raises(EventbenchError, match=line) as refused:
        eb.read(path, **parameters)
    assert "\n" not in str(refused.value)
