"""Text, HDF5, MATLAB and NumPy columns, and rows of spikes: the events that were written, and refusals in one line."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_array_equal
from scipy.io import savemat

import eventbench as eb
from eventbench.errors import BadRecording, BadSpec
from eventbench.sources.hdf5_columns import Hdf5Columns
from eventbench.sources.mat_columns import MatColumns
from eventbench.sources.numpy_columns import NumpyColumns
from eventbench.sources.spikes_hdf5 import SpikesHdf5
from eventbench.sources.text_columns import TextColumns
from tests.support.miniatures import npy_bytes, npz_bytes, structured
from tests.support.recordings import recordings

T, X, Y, P = [3, 5, 5, 900], [0, 7, 2, 3], [4, 0, 1, 5], [1, 0, 1, 1]
COLUMNS = {"t": np.array(T), "x": np.array(X), "y": np.array(Y), "p": np.array(P)}
WANTED = eb.Events(t=T, x=X, y=Y, p=P, sensor=(8, 6))


def text(order: str = "txyp", separator: str = " ", head: str = "", scale: float = 1) -> bytes:
    rows = zip(*(COLUMNS[column] * (scale if column == "t" else 1) for column in order), strict=True)
    return (head + "".join(separator.join(map(str, row)) + "\n" for row in rows)).encode()


@pytest.mark.parametrize("separator", [" ", ",", ";", "\t", " , "])
@pytest.mark.parametrize(
    "head", ["", "# a comment\n", "t x y p\n", "% t,x,y,p\n", "8 6\n", "Timestamp;X;Y;Polarity\n"]
)
def test_text_gives_what_was_written_whatever_stands_between_the_numbers(separator, head):
    assert TextColumns().decode(text(separator=separator, head=head), "a.txt", (8, 6)) == WANTED


def test_text_takes_the_order_from_the_header_or_the_card():
    assert TextColumns().decode(text("xytp", ",", "x,y,ts,pol\n"), "a.csv") == WANTED
    assert TextColumns(order="xytp").decode(text("xytp", ","), "a.csv") == WANTED
    extra = b"t,x,y,p,q\n1,2,3,1,9\n"
    assert len(TextColumns().decode(extra, "a.csv")) == 1


def test_text_times_with_a_fraction_are_seconds_and_units_can_be_said():
    seconds = b"0.000003 0 4 1\n0.000005 7 0 0\n0.000005 2 1 1\n0.0009 3 5 1\n"
    assert TextColumns().decode(seconds, "a.txt") == WANTED
    assert_array_equal(TextColumns(unit="ms").decode(text(), "a.txt").t, np.array(T) * 1000)
    assert_array_equal(TextColumns(unit="ns").decode(text(scale=1000), "a.txt").t, T)


def test_text_that_counts_from_one_is_read_so_when_it_is_said():
    ones = b"3,1,5,2\n5,8,1,1\n5,3,2,2\n900,4,6,2\n"
    assert TextColumns(first=1).decode(ones, "a.csv") == WANTED
    with pytest.raises(BadRecording, match=r"polarities are \[1, 2\].*first = 1"):
        TextColumns().decode(ones, "a.csv")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello there\n", "line 1 is 'hello there'"),
        (b"1 2 3 1\n1 2 x 1\n", "not rows of numbers"),
        (b"1 2 3 1\n1 2 3\n", "not rows of numbers"),
        (b"1 2 3 1 5\n", r"5 columns; allowed: 4, 'txyp'"),
        (b"# nothing\n", "no line of four numbers"),
        (b"1 2 3.5 1\n", r"y is 3\.5 at event 0"),
        (b"9 2 3 1\n5 2 3 1\n", "time runs backwards"),
        (b"nan 2 3 1\n", "line 1 is"),
        (b"1e300 2 3 1\n", "t reaches"),
    ],
)
def test_text_that_holds_no_events_is_refused(data, message):
    with pytest.raises(BadRecording, match=rf"^a\.txt: .*{message}"):
        TextColumns().decode(data, "a.txt")


def test_text_is_recognised_by_its_content(tmp_path: Path):
    path = tmp_path / "a.bin"
    path.write_bytes(text(head="# x\n"))
    assert eb.read(path) == WANTED


def hdf5(layout: str, **attrs: Any) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as out:
        out.attrs.update(attrs)
        if layout == "prophesee":
            kinds = {"x": "<u2", "y": "<u2", "p": "<i2", "t": "<i8"}
            out["CD/events"] = structured(COLUMNS, "xypt", kinds)
            return file.getvalue() if out.flush() else _closed(out, file)
        group = out if layout == "root" else out.create_group("events")
        names = (
            {"t": "ts", "x": "xs", "y": "ys", "p": "pol"}
            if layout == "aliases"
            else dict(zip("txyp", "txyp", strict=True))
        )
        for column, called in names.items():
            values = COLUMNS[column] - (1000 if column == "t" and layout == "dsec" else 0)
            group.create_dataset(called, data=values, compression="gzip", shuffle=True, chunks=(2,))
        if layout == "dsec":
            out["t_offset"] = 1000
        return _closed(out, file)


def _closed(out: h5py.File, file: io.BytesIO) -> bytes:
    out.close()
    return file.getvalue()


@pytest.mark.parametrize("layout", ["prophesee", "dsec", "root", "events", "aliases"])
def test_hdf5_of_every_layout_gives_what_was_written(layout, tmp_path: Path):
    path = tmp_path / "a.bin"
    path.write_bytes(hdf5(layout))
    assert eb.read(path) == WANTED
    assert eb.read(path, sensor=(640, 480)).sensor == (640, 480)


def test_hdf5_takes_the_sensor_from_its_attributes():
    assert Hdf5Columns().decode(hdf5("root", width=100, height=90), "a").sensor == (100, 90)
    assert Hdf5Columns().decode(hdf5("prophesee", geometry="640x480"), "a").sensor == (640, 480)


def test_hdf5_packed_with_blosc_is_read():
    hdf5plugin = pytest.importorskip("hdf5plugin")
    file = io.BytesIO()
    with h5py.File(file, "w") as out:
        for column, values in COLUMNS.items():
            out.create_dataset(f"events/{column}", data=values, **hdf5plugin.Blosc())
    assert Hdf5Columns().decode(file.getvalue(), "a.h5") == WANTED


def test_hdf5_without_events_or_of_a_store_is_refused():
    file = io.BytesIO()
    with h5py.File(file, "w") as out:
        out["images"] = np.zeros(3)
    with pytest.raises(BadRecording, match=r"^a\.h5: no columns of events; it has \['images'\]"):
        Hdf5Columns().decode(file.getvalue(), "a.h5")
    with pytest.raises(BadRecording, match=r"an eventbench store, not a recording.*eb.open_store"):
        Hdf5Columns().decode(hdf5("root", format="eventbench"), "a.h5")
    with pytest.raises(BadRecording, match="not a readable HDF5 file"):
        Hdf5Columns().decode(hdf5("root")[:600], "a.h5")


def mat(**columns: Any) -> bytes:
    file = io.BytesIO()
    savemat(file, {name: np.asarray(values)[:, None] for name, values in columns.items()})
    return file.getvalue()


def test_mat_files_of_asl_dvs_give_what_was_written(tmp_path: Path):
    data = mat(
        ts=np.array(T, np.int32), x=np.array(X, np.uint8), y=np.array(Y, np.uint8), pol=np.array(P, np.uint8)
    )
    (tmp_path / "a.bin").write_bytes(data)
    assert eb.read(tmp_path / "a.bin", sensor=(8, 6)) == WANTED
    assert (
        MatColumns(first=1).decode(mat(ts=T, x=np.array(X) + 1.0, y=np.array(Y) + 1.0, pol=P), "a.mat")
        == WANTED
    )


def test_mat_files_of_version_7_3_are_read(tmp_path: Path):
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as out:
        for name, values in zip(("ts", "x", "y", "pol"), (T, X, Y, P), strict=True):
            out[name] = np.array([values], np.float64)
    data = bytearray(path.read_bytes())
    data[:19] = b"MATLAB 7.3 MAT-file"
    path.write_bytes(data)
    assert eb.read(path) == WANTED


def test_mat_files_without_events_are_refused():
    with pytest.raises(BadRecording, match=r"^a\.mat: no variable 'p' among \['ts', 'x', 'y'\]"):
        MatColumns().decode(mat(ts=T, x=X, y=Y), "a.mat")
    with pytest.raises(BadRecording, match=r"not a readable MATLAB file|no variable"):
        MatColumns().decode(mat(ts=T, x=X, y=Y, pol=P)[:200], "a.mat")


@given(recordings(most=20, least=1))
@settings(deadline=None, max_examples=30)
def test_numpy_arrays_of_other_names_and_units_are_read(events):
    renamed = npz_bytes(ts=events.t, xs=events.x, ys=events.y, on=events.p.astype(bool), sensor=events.sensor)
    assert NumpyColumns().decode(renamed, "a.npz") == events


def test_tonics_gesture_arrays_of_floats_in_milliseconds_are_read():
    table = np.array([X, Y, P, T], np.float64).T
    found = NumpyColumns(order="xypt", unit="ms").decode(npy_bytes(table), "a.npy", (8, 6))
    assert_array_equal(found.t, np.array(T) * 1000)
    with pytest.raises(BadRecording, match=r"x is 0\.5 at event 0"):
        NumpyColumns(order="xypt").decode(npy_bytes(np.add(table, [0.5, 0, 0, 0])), "a.npy")


def test_an_npz_that_says_it_unpacks_to_far_more_than_it_can_is_refused():
    data = bytearray(npz_bytes(t=T, x=X, y=Y, p=P))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (2**31).to_bytes(4, "little")
    with pytest.raises(BadRecording, match=r"unpack|not a readable"):
        NumpyColumns().decode(bytes(data), "a.npz")


def spikes(path: Path, rows: int = 3) -> Path:
    with h5py.File(path, "w") as out:
        times = out.create_dataset("spikes/times", rows, h5py.vlen_dtype(np.float16))
        units = out.create_dataset("spikes/units", rows, h5py.vlen_dtype(np.uint16))
        for row in range(rows):
            times[row], units[row] = np.array([0.25, 0.125, 0.5], np.float16), [row, 699, 5]
        out["labels"] = np.arange(rows, dtype=np.uint16)
        out["extra/speaker"] = np.arange(rows) + 10
    return path


def test_rows_of_spikes_become_events_of_a_sensor_one_pixel_high(tmp_path: Path):
    path = spikes(tmp_path / "shd_train.h5")
    found = SpikesHdf5().decode_row(path, 2, (700, 1))
    assert found == eb.Events(
        t=[125_000, 250_000, 500_000], x=[699, 2, 5], y=[0] * 3, p=[1] * 3, sensor=(700, 1)
    )
    assert SpikesHdf5().labels_in(path).tolist() == [0, 1, 2]
    assert SpikesHdf5().subjects_in(path).tolist() == [10, 11, 12]
    with pytest.raises(BadRecording, match="no recording 3 among 3"):
        SpikesHdf5().decode_row(path, 3)
    with pytest.raises(BadRecording, match="holds 3 recordings; allowed: one"):
        eb.read(path)
    assert len(eb.read(spikes(tmp_path / "one.h5", 1), sensor=(700, 1))) == 3


@pytest.mark.parametrize(
    "build",
    [lambda: TextColumns(order="xyt"), lambda: TextColumns(unit="h"), lambda: TextColumns(first=2),
     lambda: Hdf5Columns(unit="min"), lambda: MatColumns(first=3), lambda: NumpyColumns(unit="d")],
)  # fmt: skip
def test_parameters_that_make_no_sense_are_refused(build):
    with pytest.raises(BadSpec, match="allowed: "):
        build()


def test_real_text_recordings_are_what_is_known_of_them(shared_data: Path):
    first = TextColumns(first=1).read(shared_data / "recordings" / "nmnist_train00001_events.csv", (34, 34))
    assert first == eb.read(shared_data / "nmnist_small/Train/5/00001.bin", sensor=(34, 34))
    assert len(eb.read(shared_data / "recordings" / "seventeen_events.txt")) == 17


@pytest.mark.parametrize("head", ["", "t,x,y,p\n", '"t","x","y","p"\n'])
def test_text_as_spreadsheets_write_it_is_read(head, tmp_path: Path):
    path = tmp_path / "a.log"
    path.write_bytes(b"\xef\xbb\xbf" + text(separator=",", head=head))
    assert eb.read(path, sensor=(8, 6)) == WANTED


def test_a_word_among_numbers_is_refused_with_its_line():
    with pytest.raises(BadRecording, match="line 6, column 3"):
        TextColumns().decode(text(head="t x y p\n") + b"999 1 x 1\n", "a.txt")


def test_seconds_in_hdf5_matlab_and_numpy_files_are_not_taken_for_microseconds(tmp_path: Path):
    seconds = COLUMNS | {"t": np.array(T) / 1e6}
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as out:
        for name, values in seconds.items():
            out[f"events/{name}s"] = values
    message = r"a fraction of a microsecond; allowed: whole microseconds; set unit"
    for source, data in (
        (Hdf5Columns, path.read_bytes()),
        (MatColumns, mat(ts=seconds["t"], x=seconds["x"], y=seconds["y"], pol=seconds["p"])),
        (NumpyColumns, npz_bytes(**seconds)),
    ):
        with pytest.raises(BadRecording, match=message):
            source().decode(data, "a")
        assert source(unit="s").decode(data, "a", (8, 6)) == WANTED


def test_whole_numbers_are_read_also_where_a_file_keeps_them_as_floats(tmp_path: Path):
    floats = {name: values.astype(np.float64) for name, values in COLUMNS.items()}
    assert NumpyColumns().decode(npz_bytes(**floats), "a.npz", (8, 6)) == WANTED
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as out:
        for name, values in floats.items():
            out[f"events/{name}"] = values
    assert eb.read(path, sensor=(8, 6)) == WANTED
    with pytest.raises(BadRecording, match=r"x is 0\.5 at event 0"):
        NumpyColumns().decode(npz_bytes(**floats | {"x": floats["x"] + 0.5}), "a.npz")


@pytest.mark.parametrize("geometry", ["8x6", np.bytes_("8x6"), np.array([b"8x6"])])
def test_hdf5_says_its_geometry_as_any_kind_of_string(geometry):
    assert Hdf5Columns().decode(hdf5("dsec", geometry=geometry), "a.h5").sensor == (8, 6)


def test_hdf5_with_a_geometry_that_is_none_is_refused_in_one_line():
    with pytest.raises(BadRecording, match=r"^a\.h5: its geometry is 'large'; allowed: as '640x480'$"):
        Hdf5Columns().decode(hdf5("dsec", geometry="large"), "a.h5")
