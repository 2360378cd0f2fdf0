"""Columns as other programs write them: read as they mean them, or refused with advice that leads to the right events."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.io import savemat

import eventbench as eb
from eventbench.doctor import examine, verdict
from eventbench.errors import BadRecording, BadSpec
from eventbench.recordings.read import read_counted
from eventbench.sources.numpy_columns import NumpyColumns
from eventbench.sources.text_columns import TextColumns
from tests.support.advice import read_by_advice, reading_of, settings_in
from tests.support.miniatures import npz_bytes, structured

N = 200
RNG = np.random.default_rng(3)
T = np.cumsum(RNG.integers(1, 9_000, N)) + 1000
X, Y, P = RNG.integers(0, 346, N), RNG.integers(0, 260, N), RNG.integers(0, 2, N)
X[:2], Y[:2], P[:2] = [0, 345], [259, 0], [0, 1]
COLUMNS: dict[str, Any] = {"t": T, "x": X, "y": Y, "p": P}
WANTED = eb.Events(t=T, x=X, y=Y, p=P, sensor=(346, 260))


def rows(order: str = "txyp", separator: str = ",", **changed: Any) -> str:
    columns: dict[str, Any] = COLUMNS | changed
    lines = zip(*(np.asarray(columns[key]).tolist() for key in order), strict=True)
    return "".join(separator.join(map(str, line)) + "\n" for line in lines)


def written(tmp_path: Path, content: str | bytes, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def agrees(events: eb.Events) -> None:
    """The events are the right ones, whatever their times count from."""
    assert_array_equal(events.t - events.t[0], T - T[0])
    for key in "xyp":
        assert_array_equal(getattr(events, key), COLUMNS[key], err_msg=key)


SECONDS = [f"{t / 1e6:.6f}" for t in T.tolist()]
WORDS = np.where(P == 1, "ON", "OFF")
SOUND_TEXT = {
    "xypt": rows("xypt"),
    "xytp": rows("xytp", " "),
    "ptxy": rows("ptxy"),
    "unit in the header": "timestamp [ms],x,y,polarity\n" + rows(t=[f"{t / 1000:.3f}" for t in T.tolist()]),
    "unit after an underscore": "t_ns;x;y;p\n" + rows(separator=";", t=T * 1000),
    "unit with a blank": "time (us)\tx (px)\ty (px)\tpol\n" + rows(separator="\t"),
    "quoted": '"t","x","y","p"\n' + rows(),
    "all quoted": '"t","x","y","p"\n' + '"' + rows().replace(",", '","').replace("\n", '"\n"')[:-1],
    "an index": ",t,x,y,on\n" + "".join(f"{k},{line}\n" for k, line in enumerate(rows(p=P == 1).splitlines())),
    "True and False": rows(p=P == 1),
    "ON and OFF": "t,x,y,p\n" + rows(p=WORDS),
    "col and row": "timestamp,col,row,polarity\n" + rows(),
    "v2e": "#!events.txt\n# Format is time (float s), x, y, polarity (0=off, 1=on) as specified\n#\n" + rows(separator=" ", t=SECONDS),
    "a comment that names them": "// x y p t\n" + rows("xypt", " "),
    "words": rows(p=np.where(P == 1, "Positive", "neg")),
    "size line": "346 260\n" + rows(separator=" ", t=SECONDS),
    "decimal commas": "t;x;y;p\r\n" + rows(separator=";", t=[t.replace(".", ",") for t in SECONDS]).replace("\n", "\r\n"),
    "decimal commas and tabs": rows(separator="\t", t=[t.replace(".", ",") for t in SECONDS]),
    "blank lines": rows().replace("\n", "\n\n"),
    "whole numbers as floats": "t,x,y,p\n" + rows(t=T.astype(float), x=X.astype(float), y=Y.astype(float), p=P.astype(float)),
    "exponents": rows(t=[f"{t:.18e}" for t in T.tolist()], x=[f"{x:.18e}" for x in X.tolist()]),
    "padded": "".join(f"   {line}  \n" for line in rows(separator="   ").splitlines()),
    "a comma at the end": rows().replace("\n", ",\n"),
    "lines of old Macs": rows().replace("\n", "\r"),
    "epoch nanoseconds": "t,x,y,p\n" + rows(t=1_461_581_614_000_000_000 + T * 1000),
    "epoch seconds": rows(separator=" ", t=[f"{1_461_581_614 + t // 1_000_000}.{t % 1_000_000:06d}001" for t in T.tolist()]),
    "-1 and 1": rows(p=2 * P - 1),
    "-1 in 32 bits": rows(p=np.where(P == 1, 1, 2**32 - 1)),
}  # fmt: skip


@pytest.mark.parametrize("kind", SOUND_TEXT)
def test_text_of_other_programs_is_read_and_sound(kind: str, tmp_path: Path) -> None:
    path = written(tmp_path, SOUND_TEXT[kind])
    events = eb.read(path)
    agrees(events)
    assert events.sensor == (346, 260)
    assert verdict(examine(path).problems, []) == "healthy"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_text_of_spreadsheets_is_read_in_their_encodings(encoding: str, tmp_path: Path) -> None:
    agrees(eb.read(written(tmp_path, ("t,x,y,p\r\n" + rows().replace("\n", "\r\n")).encode(encoding))))


def test_the_order_of_columns_is_told_and_said(tmp_path: Path) -> None:
    path = written(tmp_path, rows("xypt"))
    assert "columns taken as x y p t" in read_counted(path).notes[0].what
    assert any("x y p t" in note for note in examine(path).notes)
    assert not read_counted(written(tmp_path, rows())).notes


def test_rows_sorted_by_x_are_never_a_sensor_thousands_of_pixels_high(tmp_path: Path) -> None:
    t = 2450 + np.arange(N) * 2  # as short as the real file
    columns: dict[str, Any] = {"x": X, "y": Y, "t": t, "p": P}
    in_order = written(tmp_path, rows("xytp", **columns), "sound.csv")
    assert eb.read(in_order).duration_us == 2 * (N - 1)
    by_x = np.argsort(X, kind="stable")
    sorted_by_x: dict[str, Any] = {key: column[by_x] for key, column in columns.items()}
    path = written(tmp_path, rows("xytp", **sorted_by_x))
    with pytest.raises(BadRecording, match=r"order of its columns is in doubt.*order = \"xytp\"") as refusal:
        eb.read(path)
    assert refusal.value.reason == "order_in_doubt"
    assert verdict(examine(path).problems, []) == "broken"
    events, followed = read_by_advice(path)
    assert followed == {"order": "xytp", "sort": "true"}
    assert_array_equal(events.t, t)
    assert events.sensor == (346, 260)


def test_what_is_in_order_as_t_x_y_p_stays_so(tmp_path: Path) -> None:
    few = rows(
        "txyp", t=np.arange(N), x=np.arange(N), y=np.full(N, 3)
    )  # a dot that moves one pixel a microsecond
    assert_array_equal(eb.read(written(tmp_path, few)).x, np.arange(N))
    coarse = rows("txyp", t=np.arange(N) // 40, x=np.arange(N), y=Y)  # and in milliseconds
    with pytest.warns(eb.EventbenchWarning, match="frames"):
        assert_array_equal(eb.read(written(tmp_path, coarse)).x, np.arange(N))
    order = RNG.permutation(N)
    shuffled: dict[str, Any] = {key: column[order] for key, column in COLUMNS.items()}
    path = written(tmp_path, rows(**shuffled))
    with pytest.raises(BadRecording, match="time runs backwards"):
        eb.read(path)
    agrees(read_by_advice(path)[0])


@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), st.integers(0, 10**18), st.integers(-22, 22)), min_size=1, max_size=20
    )
)
@settings(deadline=None, max_examples=60)
def test_numbers_are_read_as_python_reads_them(values: list[tuple[float, int, int]]) -> None:
    text = "".join(f"{t!r} {whole} {whole}e{power} -{t:.9f}\n" for t, whole, power in values).encode()
    from eventbench.sources._columns.text_head import head_of

    table, _ = TextColumns()._table(text, head_of(text, "", "a"), "a", 0)
    lines = [[float(word) for word in line.split()] for line in text.decode().splitlines()]
    for column, expected in zip(table, zip(*lines, strict=True), strict=True):
        assert column.astype(float).tolist() == list(expected)


def test_a_cut_line_is_refused_or_left_out_and_counted(tmp_path: Path) -> None:
    path = written(tmp_path, rows()[:-6].rsplit(",", 1)[0])
    with pytest.raises(BadRecording, match=r"truncated: .*salvage = true"):
        eb.read(path)
    events, followed = read_by_advice(path)
    assert followed == {"salvage": "true"}
    assert len(events) == N - 1
    assert read_counted(path, reading_of(followed)).lost == {"cut_off": 1}
    with pytest.raises(BadRecording, match="not rows of numbers"):
        eb.read(written(tmp_path, "1,2\n".join(rows().splitlines(keepends=True))), salvage=True)


def test_json_lines_and_headers_without_meaning_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match=": JSON; allowed: columns"):
        eb.read(written(tmp_path, '{"t": 1, "x": 2, "y": 3, "p": 1}\n' * 20, "a.txt"))
    path = written(tmp_path, "a,b,c,d\n" + rows("xypt"))
    with pytest.raises(BadRecording, match=r"line 1 is 'a,b,c,d'.*order = "):
        eb.read(path)
    agrees(eb.read(path, order="xypt"))
    path = written(tmp_path, "".join(f"{k},{line}\n" for k, line in enumerate(rows().splitlines())))
    agrees(read_by_advice(path)[0])


def test_polarities_that_are_none_known_come_with_advice(tmp_path: Path) -> None:
    for path in (
        written(tmp_path, npz_bytes(**COLUMNS | {"x": X + 1, "y": Y + 1, "p": P + 1}), "a.npz"),
        written(tmp_path, rows(x=X + 1, y=Y + 1, p=P + 1)),
    ):
        events, followed = read_by_advice(path)
        assert followed == {"first": "1"}
        assert events == WANTED
    with pytest.raises(BadRecording, match=r"polarities are \[0, 3\].*write them as 0 and 1"):
        eb.read(written(tmp_path, npz_bytes(**COLUMNS | {"p": P * 3}), "a.npz"))


def test_fixed_point_is_named_and_undone(tmp_path: Path) -> None:
    for path in (
        written(tmp_path, npz_bytes(**COLUMNS | {"x": X * 32, "y": Y * 32}), "a.npz"),
        written(tmp_path, rows(x=X * 32, y=Y * 32)),
    ):
        with pytest.raises(BadRecording, match="multiples of 32: fixed point"):
            eb.read(path)
        events, followed = read_by_advice(path)
        assert followed == {"subpixels": "32"}
        agrees(events)
        with pytest.raises(BadRecording, match="multiples of 32, fixed point"):
            eb.read(path, sensor=(346, 260))
    with pytest.raises(BadSpec, match="subpixels is 0"):
        eb.read(path, subpixels=0)


NUMPY = {
    "an (events, 4) array": np.stack([T, X, Y, P], 1),
    "in MVSEC's order": np.stack([X, Y, T, P], 1).astype(float),
    "a (4, events) array": np.stack([X, Y, P, T]).astype(np.int32),
    "unsigned": np.stack([T, X, Y, np.where(P == 1, 1, 2**32 - 1)], 1).astype(np.uint32),
    "seconds": np.stack([T / 1e6, X, Y, P], 1),
}


@pytest.mark.parametrize("kind", NUMPY)
@pytest.mark.parametrize("wrapped", ["npy", "npz", "h5"])
def test_arrays_of_four_columns_are_read_in_every_container(kind: str, wrapped: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{wrapped}"
    if wrapped == "npy":
        np.save(path, NUMPY[kind])
    elif wrapped == "npz":
        np.savez(path, events=NUMPY[kind], K=np.eye(3), index=np.arange(9))
    else:
        with h5py.File(path, "w") as file:
            file["events"] = NUMPY[kind]
    events, followed = read_by_advice(path)
    agrees(events)
    assert followed == ({"unit": "s"} if kind == "seconds" else {})


def test_npz_of_other_programs_is_read(tmp_path: Path) -> None:
    table = structured(COLUMNS, "xytp")
    for arrays in (
        {"events": table},
        {"timestamp": T, "x_pos": X, "y_pos": Y, "polarity": P},
        {"t_us": T, "x": X, "y": Y, "p": np.where(P == 1, 1, 255).astype(np.uint8)},
        {"t_ms": T / 1000, "x": X, "y": Y, "p": P},
        {**COLUMNS, "frames": np.zeros((3, 2, 4, 4))},
    ):
        np.savez(tmp_path / "a.npz", **arrays)
        agrees(eb.read(tmp_path / "a.npz"))
    np.savez(tmp_path / "a.npz", events_left=table, events_right=table[:50])
    events, followed = read_by_advice(tmp_path / "a.npz")
    assert followed == {"array": "events_left"}
    agrees(events)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"frames": np.zeros((16, 2, 34, 34))}, r"frames has the shape \(16, 2, 34, 34\): frames or a grid"),
        ({"a": np.array([{"t": 1}], object)}, r"Python objects \(pickled\), which are never loaded"),
        (COLUMNS | {"p": np.where(np.arange(N) == 7, np.nan, P)}, r"p is nan at event 7 \(1 such\)"),
        (COLUMNS | {"x": X + 0.25}, r"x is 0\.25 at event 0"),
    ],
)
def test_arrays_that_are_no_events_are_refused_for_what_they_are(
    arrays: dict[str, Any], message: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(BadRecording, match=message) as refusal:
        eb.read(tmp_path / "a.npz")
    assert refusal.value.fix
    assert "fetch" not in refusal.value.fix


def test_pickled_extras_do_not_matter(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **COLUMNS, meta=np.array({"who": "me"}, object))
    agrees(eb.read(tmp_path / "a.npz"))


def test_what_float32_loses_is_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **COLUMNS | {"t": (100 + T / 1e6).astype(np.float32)})
    with pytest.raises(BadRecording, match=r"unit = \"s\".*float32 keeps them to 7\.6 us only"):
        eb.read(tmp_path / "a.npz")
    events, followed = read_by_advice(tmp_path / "a.npz")
    assert np.abs((events.t - events.t[0]) - (T - T[0])).max() <= 8
    found = examine(tmp_path / "a.npz", reading_of(followed))
    assert [one.what for one in found.warnings if one.about == "precision"] == [
        "its times are float32 in s, which keeps them to 7.6 us only"
    ]


def test_a_size_of_height_and_width_is_told_with_the_right_one(tmp_path: Path) -> None:
    path = written(tmp_path, npz_bytes(**COLUMNS, sensor=[260, 346]), "a.npz")
    events, followed = read_by_advice(path)
    assert followed == {"sensor": (346, 260)}
    assert events == WANTED
    (problem,) = examine(path).problems
    assert settings_in(problem.fix) == followed


def stored(tmp_path: Path, groups: dict[str, Any], **attributes: Any) -> Path:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for name, values in groups.items():
            file[name] = values
        file.attrs.update(attributes)
    return path


def group(name: str, called: str = "txyp", **changed: Any) -> dict[str, Any]:
    columns = COLUMNS | changed
    return {f"{name}/{stored_as}": columns[key] for key, stored_as in zip("txyp", called.split() if " " in called else called, strict=True)}  # fmt: skip


def test_hdf5_finds_the_one_group_of_events(tmp_path: Path) -> None:
    for groups in (
        group("raw_events"),
        group("prophesee/left") | {"prophesee/left/calib/resolution": [346, 260]},
        group("events", "timestamps xs ys polarities"),
        group("a/b/c/data", "t_ns x y p", t=T * 1000),
    ):
        events = eb.read(stored(tmp_path, groups))
        agrees(events)


@pytest.mark.parametrize(
    "pair", [("davis/left/events", "davis/right/events"), ("events_left", "events_right")]
)
def test_hdf5_of_two_cameras_says_which_groups_there_are(pair: tuple[str, str], tmp_path: Path) -> None:
    table = np.stack([X, Y, 1_506_117_885 + T / 1e6, 2 * P - 1], 1)
    tables = {pair[0]: table, pair[1]: table[:50]} if "/" in pair[0] else group(pair[0]) | group(pair[1])
    path = stored(tmp_path, tables | {"davis/left/image_raw": np.zeros((2, 260, 346), np.uint8)})
    events, followed = read_by_advice(path)
    assert followed.pop("group") == pair[0]
    assert followed == ({"unit": "s"} if "/" in pair[0] else {})
    agrees(events)
    assert len(eb.read(path, group=pair[1], **followed)) == (50 if "/" in pair[0] else N)
    with pytest.raises(BadRecording, match=r"no group 'middle'"):
        eb.read(path, group="middle")


def test_hdf5_takes_the_sensor_from_wherever_it_stands(tmp_path: Path) -> None:
    sizes = {"events/width": 1280, "events/height": 720, "events/divider": 1}
    assert eb.read(stored(tmp_path, group("events") | sizes)).sensor == (1280, 720)
    assert eb.read(stored(tmp_path, group("events"), sensor_resolution=[480, 640])).sensor == (640, 480)
    assert eb.read(stored(tmp_path, group("events"), sensor_resolution=[346, 260])).sensor == (346, 260)
    both = group("left") | {"left/calib/resolution": [1280, 720]}
    assert eb.read(stored(tmp_path, both)).sensor == (1280, 720)


def test_hdf5_without_an_event_is_empty_once_its_sensor_is_given(tmp_path: Path) -> None:
    path = stored(tmp_path, {name: values[:0] for name, values in group("events").items()})
    with pytest.raises(BadRecording, match=r"no event to tell the sensor size from; give sensor="):
        eb.read(path)
    assert len(eb.read(path, sensor=(346, 260))) == 0


def mat_file(tmp_path: Path, variables: dict[str, Any]) -> Path:
    data = io.BytesIO()
    savemat(data, variables)
    return written(tmp_path, data.getvalue(), "a.mat")


def test_matlab_structs_are_read_as_their_writers_count(tmp_path: Path) -> None:
    from_1 = {"x": X + 1.0, "y": Y + 1.0, "p": 2.0 * P - 1, "ts": T.astype(float)}
    path = mat_file(tmp_path, {"TD": from_1})
    assert eb.read(path) == WANTED
    assert eb.read(path, first=0).sensor == (347, 261)
    assert "count from 1" in read_counted(path).notes[0].what
    polarity = {
        "timeStamp": T[:, None],
        "x": X[:, None],
        "y": Y[:, None],
        "polarity": P[:, None],
        "numEvents": N,
    }
    aedat = {"info": {"source": "Davis240C"}, "data": {"polarity": polarity}}
    assert eb.read(mat_file(tmp_path, {"aedat": aedat})) == WANTED
    assert eb.read(mat_file(tmp_path, {"events": np.stack([T, X, Y, P], 1)})) == WANTED
    two = mat_file(tmp_path, {"left": dict(COLUMNS), "right": dict(COLUMNS)})
    events, followed = read_by_advice(two)
    assert (events, followed) == (WANTED, {"group": "left"})


def test_matlab_structs_of_version_7_3_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        for key, values in {"x": X + 1, "y": Y + 1, "p": P, "ts": T}.items():
            file[f"TD/{key}"] = values[None].astype(float)
    data = bytearray(path.read_bytes())
    data[:19] = b"MATLAB 7.3 MAT-file"
    path.write_bytes(data)
    assert eb.read(path) == WANTED


@pytest.mark.parametrize(
    ("name", "first", "what"),
    [
        ("a.h5", b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS.*git lfs pull"),
        ("a.raw", b"<!DOCTYPE html><html>", "a web page"),
        ("a.csv.gz", b"\x1f\x8b\x08\0", "gzip archive.*unpack"),
        ("a.pkl", b"\x80\x04", "pickle, which is never loaded"),
        ("a.parquet", b"PAR1", "a Parquet table.*read_parquet"),
        ("a.mp4", b"\0\0\0\x18ftyp", "a video"),
    ],
)
def test_formats_that_are_not_read_are_named(name: str, first: bytes, what: str, tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match=what) as refusal:
        eb.read(written(tmp_path, first + bytes(200), name))
    assert refusal.value.reason == "foreign_format"


@pytest.mark.parametrize(
    ("read_as", "true", "unit"),
    [("us", "ns", "ns"), ("us", "ms", "ms"), ("s", "ms", "ms"), ("s", "us", "us")],
)
def test_doctor_names_the_unit_that_times_are_in(read_as: str, true: str, unit: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    cells, us = rng.integers(0, 400, 20_000), np.sort(rng.integers(0, 5_000_000, 20_000))
    t = {"ns": us * 1000, "us": us, "ms": us // 1000}[true]
    np.savez(tmp_path / "a.npz", t=t, x=cells % 20, y=cells // 20, p=cells % 2)
    (doubt,) = [one for one in examine(tmp_path / "a.npz", reading_of({"unit": read_as})).warnings if one.about == "time unit"]  # fmt: skip
    assert doubt.what.endswith("(likely)")
    assert settings_in(doubt.fix) == {"unit": unit}
    events = eb.read(tmp_path / "a.npz", **settings_in(doubt.fix))
    assert np.abs(events.t - us).max() < 1000
    assert not [one for one in examine(tmp_path / "a.npz", reading_of({"unit": unit})).warnings if one.about == "time unit"]  # fmt: skip


def test_doctor_doubts_coordinates_that_begin_at_one(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **COLUMNS | {"x": X + 1, "y": Y + 1})
    (doubt,) = [one for one in examine(tmp_path / "a.npz").warnings if one.about == "range"]
    assert "count from 1? (likely)" in doubt.what
    assert eb.read(tmp_path / "a.npz", **settings_in(doubt.fix)) == WANTED


def test_arrays_too_short_to_tell_ask_for_their_order() -> None:
    data = io.BytesIO()
    np.save(data, np.ones((5, 4), int))
    with pytest.raises(BadRecording, match=r"does not say which column is which; set order = "):
        NumpyColumns().decode(data.getvalue(), "a.npy")


def test_arrays_of_more_columns_are_read_with_their_order(tmp_path: Path) -> None:
    table = np.stack([X, Y, T, P, P], 1)
    np.save(tmp_path / "a.npy", table)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["events"] = table
    for name in ("a.npy", "a.h5"):
        with pytest.raises(BadRecording, match=r"does not say which column is which; set order = \"txyp-\""):
            eb.read(tmp_path / name)
        agrees(eb.read(tmp_path / name, order="xytp-"))
    np.save(tmp_path / "a.npy", table[:, :4])
    with pytest.raises(BadRecording, match="does not say which column is which"):
        eb.read(tmp_path / "a.npy", order="xytp-")


@pytest.mark.parametrize(
    ("member", "what"),
    [
        ("xl/workbook.xml", "an Excel workbook"),
        ("archive/data.pkl", "a file of PyTorch"),
        ("a.csv", "a zip archive"),
    ],
)
def test_zip_archives_of_others_are_named(member: str, what: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr(member, b"?" * 30)
    with pytest.raises(BadRecording, match=what):
        eb.read(tmp_path / "a.npz")
