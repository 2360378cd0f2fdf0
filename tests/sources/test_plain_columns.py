"""Columns that need no more than a look are read in one pass: the events, and the refusals, are those of the long way."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench.errors import BadRecording
from eventbench.sources._columns import hdf5_plain, stored
from eventbench.sources._columns.hdf5_plain import Layout, layout_here
from eventbench.sources.hdf5_columns import Hdf5Columns
from eventbench.sources.numpy_columns import NumpyColumns
from eventbench.sources.text_columns import TextColumns

TIMES, PIXELS = ("i8", "i4", "u4", "u8", ">i4", "f8"), ("u2", "i2", "u1", "i4", ">u2")
POLARITIES = ("u1", "i1", "?", "i2", "u4")
LAYOUTS = ("columns", "columns in chunks", "packed columns", "table", "table in chunks", "user block")


@st.composite
def columns(draw: st.DrawFn, rows: int = 40) -> dict[str, np.ndarray]:
    """Mostly sound columns of many types; sometimes one value is odd."""
    count = draw(st.integers(0, rows))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    made = {
        "t": np.sort(rng.integers(0, 1000, count)).astype(draw(st.sampled_from(TIMES))),
        "x": rng.integers(0, 100, count).astype(draw(st.sampled_from(PIXELS))),
        "y": rng.integers(0, 90, count).astype(draw(st.sampled_from(PIXELS))),
        "p": rng.integers(0, 2, count).astype(draw(st.sampled_from(POLARITIES))),
    }
    if count and (key := draw(st.sampled_from(["", "", "t", "x", "y", "p"]))):
        low, high = (0, 1) if made[key].dtype.kind == "b" else (0, 100)
        if made[key].dtype.kind in "iu":
            limits = np.iinfo(made[key].dtype)
            low, high = int(limits.min), int(limits.max)
        made[key][int(rng.integers(count))] = draw(
            st.sampled_from([low, high, min(high, 4096), min(high, 2)])
        )
    return made


def write(path: Path, layout: str, made: dict[str, np.ndarray], extras: dict[str, Any]) -> None:
    rows = len(made["t"])
    options: dict[str, Any] = {"chunks": (5,), "maxshape": (None,)} if "chunks" in layout and rows else {}
    if layout == "packed columns" and rows:
        options = {"chunks": (7,), "maxshape": (None,), "compression": "gzip", "shuffle": True}
    with h5py.File(path, "w", userblock_size=512 if layout == "user block" else 0) as file:
        if layout.startswith("table"):
            table = np.zeros(rows, [(key, values.dtype) for key, values in made.items()])
            for key, values in made.items():
                table[key] = values
            file.create_dataset("CD/events", data=table, **options)
        else:
            for key, values in made.items():
                file.create_dataset(f"events/{key}", data=values, **options)
        for key, value in extras.items():
            file[key] = value


def outcome(call: Any) -> Any:
    try:
        return call()
    except BadRecording as error:
        return re.sub(r" at 0x\w+", "", str(error))  # the address of a stream


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(deadline=None, max_examples=40)
@given(
    made=columns(),
    extras=st.sampled_from(
        [{}, {"t_offset": 1000}, {"sensor_resolution": [90, 100]}, {"resolution": [90, 100]}]
    ),
    sensor=st.sampled_from([None, None, (100, 90), (50, 50)]),
)
def test_hdf5_is_read_the_short_way_as_the_long_way(layout, made, extras, sensor):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for module in (stored, hdf5_plain):
            patch.setattr(module, "BLOCK_ROWS", 7)
        patch.setattr(hdf5_plain, "SLICE_ROWS", 11)
        path = Path(folder, "a.h5")
        write(path, layout, made, extras)
        source, name = Hdf5Columns(), str(path)
        assert outcome(lambda: source.read_counted(path, sensor)) == outcome(
            lambda: source.read_here(path, name, sensor)
        )


def numpy_bytes(kind: str, made: dict[str, np.ndarray], size: list[int] | None) -> bytes:
    table = np.zeros(len(made["t"]), [(key, values.dtype) for key, values in made.items()])
    for key, values in made.items():
        table[key] = values
    out = io.BytesIO()
    if kind == "npy":
        np.save(out, table)
    else:
        write = np.savez if "npz" in kind else np.savez_compressed
        arrays: dict[str, Any] = {"events": table} if "table" in kind else dict(made)
        if size:
            arrays["sensor"] = size
        write(out, **arrays)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["npy", "npz", "packed", "npz of a table", "packed table"])
@settings(deadline=None, max_examples=40)
@given(
    made=columns(),
    size=st.sampled_from([None, None, [100, 90], [50, 50], [7], [100, -3]]),
    sensor=st.sampled_from([None, None, (100, 90), (50, 50)]),
    harm=st.sampled_from([0.0, 0.0, 0.0, 0.3, 0.6, 0.9]),
)
def test_numpy_files_are_read_the_short_way_as_the_long_way(kind, made, size, sensor, harm):
    data = bytearray(numpy_bytes(kind, made, size))
    if harm:
        data[int(harm * len(data))] ^= 0x55
    source = NumpyColumns()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "BLOCK_ROWS", 7)
        path = Path(folder, "a.npz")
        path.write_bytes(data)
        long_way = outcome(lambda: source._decoded(bytes(data), str(path), sensor))
        assert outcome(lambda: source.read_counted(path, sensor)) == long_way
        assert outcome(lambda: source.decode_counted(bytes(data), str(path), sensor)) == long_way


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Rows of a text, most of them simple; times in microseconds, seconds or as dates; now and then something else."""
    count, rng = draw(st.integers(1, 60)), np.random.default_rng(draw(st.integers(0, 2**32)))
    order = draw(st.sampled_from(["txyp", "txyp", "xypt", "xytp", "ptxy", "txyp-"]))
    separator = draw(st.sampled_from([",", " ", "\t", ";", ", "]))
    start = draw(st.sampled_from([0, 5, 1_468_939_800_000_000, 1_468_939_800_000_000_000]))
    t = start + np.sort(rng.integers(0, draw(st.sampled_from([50, 10**6, 10**9])), count))
    wide = draw(st.sampled_from([30, 300, 5000]))
    places = draw(st.sampled_from([0, 0, 0, 3, 6, 7]))
    written = [f"{value / 10**places:.{places}f}" if places else str(value) for value in t.tolist()]
    columns = {"t": written, "p": rng.integers(0, 2, count).astype(str).tolist()}
    columns |= {key: rng.integers(0, wide, count).astype(str).tolist() for key in "xy-"}
    rows = [separator.join(columns[key][row] for key in order) for row in range(count)]
    if odd := draw(
        st.sampled_from(["", "", "", "# note", "", "-1", "1,2", "a,b,c,d", "% x", "5 5 5 5.0", "5,5,5,5 # c"])
    ):
        rows.insert(int(rng.integers(count + 1)), odd)
    head = draw(st.sampled_from([[], [], [separator.join(order)], ["# 640x480"], ["40 30"], ["t [s],x,y,p"]]))
    ending = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return (ending.join([*head, *rows]) + draw(st.sampled_from([ending, ending, ""]))).encode()


@settings(deadline=None, max_examples=400)
@given(
    data=texts(),
    sensor=st.sampled_from([None, None, (5000, 5000), (50, 50)]),
    options=st.sampled_from(
        [{}, {}, {"unit": "s"}, {"unit": "us"}, {"order": "txyp"}, {"order": "xypt"}, {"sort": True}]
    ),
)
def test_text_is_read_the_short_way_as_the_long_way(data, sensor, options):
    source = TextColumns(**options)
    long_way = outcome(lambda: source._decoded(data, "a.txt", sensor))
    assert outcome(lambda: source.decode_counted(data, "a.txt", sensor)) == long_way


@pytest.mark.parametrize("head", ["", "t,x,y,p\n", "# by hand\n"])
def test_text_of_whole_numbers_goes_the_short_way_from_a_file_with_and_without_its_last_line_feed(
    head, tmp_path
):
    t = np.arange(20_000) * 7
    rows = "\n".join(f"{at},{at % 346},{at % 260},{at % 2}" for at in t.tolist())
    for end in ("", "\n"):
        path = tmp_path / "a.csv"
        path.write_text(head + rows + end)
        source = TextColumns()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TextColumns, "_decoded", None)
            read = source.read_counted(path)
        assert read == source._decoded(path.read_bytes(), str(path), None)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_hdf5_of_whole_numbers_goes_the_short_way_and_only_what_is_packed_through_the_helper(
    layout, tmp_path
):
    made = {key: np.arange(30, dtype=kind) for key, kind in zip("txy", ("i8", "u2", "u2"), strict=True)}
    path = tmp_path / "a.h5"
    write(path, layout, {**made, "p": np.ones(30, bool)}, {})
    found = layout_here(path, "a.h5", "")
    assert isinstance(found, Layout)
    in_one_piece = "chunks" not in layout and "packed" not in layout
    assert all((column.start > 0) is in_one_piece for column in found.columns.values())


def test_hdf5_whose_bytes_are_no_truth_values_is_refused_as_the_long_way_has_it(tmp_path):
    path = tmp_path / "a.h5"
    made = {key: np.arange(30, dtype="u2") for key in "txy"}
    write(path, "columns", {**made, "p": np.tile([True, False], 15)}, {})
    before = path.read_bytes()
    written = np.tile([True, False], 15).tobytes()
    path.write_bytes(before.replace(written, b"\x07" + written[1:]))
    source = Hdf5Columns()
    assert outcome(lambda: source.read_counted(path)) == outcome(
        lambda: source.read_here(path, str(path), None)
    )


def test_columns_of_which_some_are_packed_are_read(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["events/t"], file["events/x"] = np.arange(30), np.arange(30, dtype="u2")
        file.create_dataset("events/y", data=np.arange(30, dtype="u1"), chunks=(4,), compression="gzip")
        file["events/p"] = np.ones(30, "i1")
    read = Hdf5Columns().read(path)
    assert read == Hdf5Columns().read_here(path, "a", None).events
    assert len(read) == 30
