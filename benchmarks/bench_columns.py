"""Columns in HDF5, NumPy files and text, and Event Stream, beside the libraries that read them: `python benchmarks/bench_columns.py`.

The columns are checked to be equal before anything is timed. Files are in the page cache; one thread. h5py and NumPy alone give
columns that nobody has looked at; ours are proven to be in order, on the sensor, and of 0 and 1. evutils, Polars and faery
are timed where they are installed.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from paired import Claim, compare, machine, summary
from recordings import random_events

import eventbench as eb

EVENTS, ROWS = 4_000_000, 1_000_000
Columns = dict[str, np.ndarray]


def by_h5py(path: Path) -> Columns:
    with h5py.File(path) as file:
        return {name: file["events"][name][()] for name in "txyp"}


def table_by_h5py(path: Path) -> Columns:
    with h5py.File(path) as file:
        table = file["CD/events"][()]
    return {name: np.ascontiguousarray(table[name]) for name in "txyp"}


def npz_by_numpy(path: Path) -> Columns:
    with np.load(path) as file:
        return {name: file[name] for name in "txyp"}


def npy_by_numpy(path: Path) -> Columns:
    table = np.load(path)
    return {name: np.ascontiguousarray(table[name]) for name in "txyp"}


def csv_by_evutils(path: Path) -> Columns:
    from evutils.io import EventReader

    with EventReader(str(path), mode="all") as reader:
        events = reader.read_all()
    return {name: events[name] for name in "txyp"}


def csv_by_polars(path: Path) -> Columns:
    os.environ["POLARS_MAX_THREADS"] = "1"  # which it asks for when it is loaded
    import polars

    table = polars.read_csv(path)
    return {name: table[name].to_numpy() for name in "txyp"}


def es_by_faery(path: Path) -> Columns:
    import faery

    events = faery.events_stream_from_file(str(path)).to_array()
    names = {"t": "t", "x": "x", "y": "y", "p": "on"}
    return {name: np.ascontiguousarray(events[field]) for name, field in names.items()}


def write_files(folder: Path) -> dict[str, Path]:
    """The same events in every format; in text the first ROWS of them."""
    events = random_events(EVENTS, 1280, 720)
    columns = {name: getattr(events, name) for name in "txyp"}
    blosc = hdf5plugin.Blosc(cname="zstd", clevel=1, shuffle=hdf5plugin.Blosc.SHUFFLE)
    packings: dict[str, dict[str, Any]] = {
        "plain": {},
        "gzip": {"compression": "gzip", "chunks": (1 << 16,)},
        "blosc": {"chunks": (1 << 16,), **blosc},
    }
    for name, packing in packings.items():
        with h5py.File(folder / f"{name}.h5", "w") as file:
            for column, values in columns.items():
                file.create_dataset(f"events/{column}", data=values, **packing)
    table = np.empty(EVENTS, [("x", "u2"), ("y", "u2"), ("p", "i2"), ("t", "i8")])
    for column, values in columns.items():
        table[column] = values
    with h5py.File(folder / "table.h5", "w") as file:
        file["CD/events"] = table
    np.savez(folder / "plain.npz", **columns)
    np.savez_compressed(folder / "packed.npz", **columns)
    np.save(folder / "table.npy", table)
    rows = zip(*(columns[name][:ROWS].tolist() for name in "txyp"), strict=True)
    (folder / "rows.csv").write_text("t,x,y,p\n" + "".join(f"{t},{x},{y},{p}\n" for t, x, y, p in rows))
    eb.read(folder / "plain.npz", (1280, 720)).save(folder / "stream.es")
    return {path.name: path for path in sorted(folder.iterdir())}


def run(rounds: int) -> list[Claim]:
    """Print the tables; about a minute for 9 rounds."""
    cases: list[tuple[str, str, str, Callable[[Path], Columns], float, str]] = [
        ("HDF5, columns", "plain.h5", "h5py", by_h5py, 0.7, "h5py"),
        ("HDF5, a table", "table.h5", "h5py", table_by_h5py, 0.7, "h5py"),
        ("HDF5, blosc", "blosc.h5", "h5py", by_h5py, 0.7, "h5py"),
        ("HDF5, gzip", "gzip.h5", "h5py", by_h5py, 0.7, "h5py"),
        ("npz", "plain.npz", "np.load", npz_by_numpy, 0.9, "numpy"),
        ("npz, compressed", "packed.npz", "np.load", npz_by_numpy, 0.9, "numpy"),
        ("npy, a table", "table.npy", "np.load", npy_by_numpy, 0.9, "numpy"),
        ("CSV", "rows.csv", "evutils", csv_by_evutils, 1, "evutils"),
        ("CSV", "rows.csv", "Polars", csv_by_polars, 1, "polars"),
        ("Event Stream", "stream.es", "faery", es_by_faery, 0.9, "faery"),
    ]
    claims = []
    with tempfile.TemporaryDirectory(prefix="eventbench-") as name:
        files = write_files(Path(name))
        for what, file, peer, read, required, package in cases:
            if importlib.util.find_spec(package) is None:
                print(f"{what}: {package} is not installed\n")
                continue
            path = files[file]
            ours, theirs = eb.read(path), read(path)
            for column in "txyp":
                assert np.array_equal(getattr(ours, column), theirs[column]), f"{what}: not {peer}'s {column}"
            calls: dict[str, Callable[[], Any]] = {
                "eventbench": partial(eb.read, path),
                peer: partial(read, path),
            }
            title = f"{what}, {len(ours):,} events"
            del ours, theirs
            claims += compare(
                title, calls, {peer: required}, rounds=rounds, items=ROWS if "csv" in file else EVENTS
            )
    return claims


if __name__ == "__main__":
    print(f"{machine('h5py', 'evutils', 'polars', 'faery')}; one thread\n")
    summary(run(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
