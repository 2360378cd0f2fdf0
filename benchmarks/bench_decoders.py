"""Decoders of .bin and AEDAT 3.1 against those of others, to events and to frames: `python benchmarks/bench_decoders.py`.

evio (NumPy) reads .bin, evutils AEDAT 3.1; tonic and SpikingJelly are what most people have.

Every contender is checked to give the same events, or frames, before it is timed. Files are in the page cache; one thread.
N-MNIST is `nmnist_small` where it exists (EVENTBENCH_TEST_DATA, or ../shared/data), else similar files are made.
"""

from __future__ import annotations

import os
import struct
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from evio.io import read as evio
from evutils.io import EventReader
from paired import Claim, compare, in_one_thread, machine, summary
from peers import check_same_events, spikingjelly_datasets
from recordings import atis_rows
from tonic.io import read_mnist_file
from tonic.transforms import ToFrame

import eventbench as eb

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
PER_FILE = 4_000
KINDS = np.dtype([(name, int) for name in "xytp"])  # as tonic's N-MNIST has them
TONIC, JELLY, EVIO, EVUTILS = "tonic", "SpikingJelly", "evio", "evutils"


def by_tonic(path: Path) -> np.ndarray:
    return read_mnist_file(str(path), dtype=KINDS)


def atis_bytes(n: int, side: int, markers: int = 0, seed: int = 7) -> bytes:
    """n random events on side x side pixels, and overflow markers evenly between them."""
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, 1 << 23, n)).astype(np.uint32)
    x, y, p = (rng.integers(0, end, n).astype(np.uint32) for end in (side, side, 2))
    positions = np.linspace(0, n, markers + 2).astype(int)[1:-1]
    return np.insert(atis_rows(t, x, y, p), positions, [0, 240, 0, 0, 0], axis=0).tobytes()


def aedat31_bytes(n: int, per_packet: int = 4_096) -> bytes:
    """n random polarity events of a DVS128 in packets, as cAER writes them."""
    rng = np.random.default_rng(7)
    t = np.sort(rng.integers(0, 10_000_000, n)).astype(np.uint32)
    x, y, p = (rng.integers(0, end, n).astype(np.uint32) for end in (128, 128, 2))
    records = np.stack([x << 17 | y << 2 | p << 1 | 1, t], axis=1).astype("<u4")
    parts = [b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n"]
    for start in range(0, n, per_packet):
        body = records[start : start + per_packet]
        parts += [struct.pack("<hhiiiiii", 1, 1, 8, 4, 0, *[len(body)] * 3), body.tobytes()]
    return b"".join(parts)


def n_mnist(folder: Path) -> list[Path]:
    """1,100 files: real ones where they exist, else random ones in `folder`."""
    real = Path(os.environ.get("EVENTBENCH_TEST_DATA", SHARED)) / "nmnist_small"
    if files := sorted(real.glob("T*/*/*.bin")):
        return files[:1_100]
    print("nmnist_small is not here: similar files are made\n")
    paths = [folder / f"{k:05d}.bin" for k in range(1_100)]
    for k, path in enumerate(paths):
        path.write_bytes(atis_bytes(PER_FILE, 34, seed=k))
    return paths


def one_file(folder: Path, rounds: int) -> list[Claim]:
    """1 M events in one file, without overflow markers and (without a requirement) with some."""
    claims = []
    for markers in (0, 20):
        path = folder / f"{markers}.bin"
        path.write_bytes(atis_bytes(1_000_000, 128, markers))
        size = (128, 128)
        expected = eb.Events.from_structured(by_tonic(path), sensor=size)
        assert eb.read(path, size) == expected, "our events are not tonic's"
        by_evio = {} if markers else {EVIO: partial(evio, path)}  # it takes markers for events
        for call in by_evio.values():
            check_same_events(EVIO, expected, call())
        calls: dict[str, Callable[[], Any]] = {
            "eventbench": partial(eb.read, path, size),
            TONIC: partial(by_tonic, path),
            **by_evio,
        }
        what = f".bin, one file of 1 M events, {markers} markers"
        claims += compare(
            what,
            calls,
            {} if markers else {TONIC: 10, EVIO: 1.5},
            rounds=rounds,
            items=1_000_000,
            clock="cpu",
        )
    return claims


def many_files(files: list[Path], rounds: int) -> list[Claim]:
    """All to events; the first 200 to one batch of frames."""
    size, to_frame = (34, 34), ToFrame((34, 34, 2), n_time_bins=16)
    for path, events in zip(files, eb.read_batch(files, size), strict=True):
        assert events == eb.Events.from_structured(by_tonic(path), sensor=size), path
        check_same_events(f"{path}: {EVIO}", events, evio(path))
    total = int(eb.read_batch(files, size).offsets[-1])
    calls: dict[str, Callable[[], Any]] = {
        "eventbench, read_batch": lambda: list(eb.read_batch(files, size)),
        "eventbench, one read a file": lambda: [eb.read(path, size) for path in files],
        TONIC: lambda: [by_tonic(path) for path in files],
        EVIO: lambda: [evio(path) for path in files],
    }
    what = f".bin, {len(files):,} N-MNIST files to events"
    claims = compare(what, calls, {TONIC: 4, EVIO: 1.5}, rounds=max(3, rounds // 3), items=total, clock="cpu")

    subset, dense = files[:: len(files) // 200][:200], f"{TONIC} per sample, stacked"
    out = np.empty((200, 16, 2, 34, 34), np.uint8)
    calls = {
        "eventbench": lambda: eb.frames(eb.read_batch(subset, size), 16, "tonic_time"),
        "eventbench, out=": lambda: eb.frames(eb.read_batch(subset, size), 16, "tonic_time", out=out),
        dense: lambda: np.stack([to_frame(by_tonic(path)) for path in subset]),
    }
    expected = np.minimum(calls[dense](), 255)
    for name, call in calls.items():
        assert np.array_equal(np.minimum(call(), 255), expected), name
    what = "200 N-MNIST files to a batch of frames"
    return claims + compare(what, calls, {dense: 19}, rounds=rounds, items=200, unit="samples/s", clock="cpu")


def by_evutils(path: Path) -> Any:
    with EventReader(path) as reader:
        return reader.read_all()


def aedat31(folder: Path, rounds: int) -> list[Claim]:
    """SpikingJelly unpacks event after event in Python."""
    path = folder / "a.aedat"
    path.write_bytes(aedat31_bytes(400_000))
    load = spikingjelly_datasets().utils.load_aedat_v3
    calls: dict[str, Callable[[], Any]] = {
        "eventbench": lambda: eb.read(path),
        JELLY: lambda: load(path),
        EVUTILS: lambda: by_evutils(path),
    }
    ours, by_name = eb.read(path), load(path)
    assert all(np.array_equal(getattr(ours, name), by_name[name]) for name in "txyp"), JELLY
    check_same_events(EVUTILS, ours, by_evutils(path))
    what, required = "AEDAT 3.1, 400,000 events", {JELLY: 150, EVUTILS: 3}
    return compare(what, calls, required, rounds=max(3, rounds // 3), items=400_000, clock="cpu")


def run(rounds: int) -> list[Claim]:
    """Print the tables; about half a minute for 9 rounds."""
    with tempfile.TemporaryDirectory(prefix="eventbench-") as name:
        folder = Path(name)
        claims = one_file(folder, rounds)
        claims += many_files(n_mnist(folder), rounds)
        return claims + aedat31(folder, rounds)


if __name__ == "__main__":
    in_one_thread()
    print(f"{machine('tonic', 'spikingjelly', 'evio', 'evutils')}; one thread\n")
    summary(run(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
