"""Stores against tonic's disk cache and SpikingJelly's files: `python benchmarks/bench_store.py`.

Making them from raw files, reading random samples, binning anew, and the memory that preprocessing takes. Files are in the
page cache; one process, one thread unless a row says otherwise.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bench_decoders import KINDS, n_mnist
from paired import Claim, compare, machine, summary
from peers import spikingjelly_datasets
from recordings import atis_rows
from tonic import DiskCachedDataset
from tonic.io import read_mnist_file
from tonic.transforms import ToFrame

from eventbench.preprocess.events_store import events_store
from eventbench.preprocess.frames_store import frames_store
from eventbench.representations.frames import Frames
from eventbench.specs import catalog
from eventbench.store.read import EventStore, FrameStore

TONIC, JELLY = "tonic DiskCachedDataset, lzf", "SpikingJelly, npz compressed"
CARD = """
sensor = [{side}, {side}]
classes = ["all"]
[source]
name = "atis_bin"
[layout]
name = "class_folders"
folders = {{ all = "x" }}
suffix = ".bin"
[splits.all]
samples = {samples}
[obtain]
how = "it is made by the benchmark"
"""
# VmHWM and not getrusage, whose peak a process inherits from the one that started it.
PREPROCESS_AND_PRINT_PEAK = """
import pathlib, sys
from eventbench.preprocess.events_store import events_store
from eventbench.preprocess.frames_store import frames_store
from eventbench.specs import catalog
card, pipeline, folder = catalog.card(sys.argv[1]), catalog.pipeline(sys.argv[2]), pathlib.Path(sys.argv[3])
events_store(card, folder / "raw", folder / "cache")
frames_store(card, pipeline, folder / "cache")
status = pathlib.Path("/proc/self/status").read_text()
print(int(status.split("VmHWM:")[1].split()[0]) / 1e3)
"""
PIPELINE = 'representation = { name = "frames", bins = 16, split_by = "tonic_time" }\n'


class Raw:
    """tonic's dataset: files read by its own reader."""

    def __init__(self, files: list[Path], sensor: tuple[int, int]) -> None:
        self.files, self.to_frame = files, ToFrame((*sensor, 2), n_time_bins=16)

    def __getitem__(self, i: int) -> tuple[np.ndarray, int]:
        return self.to_frame(read_mnist_file(str(self.files[i]), dtype=KINDS)), 0

    def __len__(self) -> int:
        return len(self.files)


class Data:
    """Files of one class below `folder`/raw, described by a card and as a list."""

    def __init__(self, folder: Path, files: Sequence[bytes | Path], side: int) -> None:
        self.folder, self.side = folder, side
        class_folder = folder / "raw" / "x" / "all"
        class_folder.mkdir(parents=True)
        self.files = [class_folder / f"{k:05d}.bin" for k in range(len(files))]
        for path, data in zip(self.files, files, strict=True):
            path.write_bytes(data if isinstance(data, bytes) else data.read_bytes())
        card, pipeline = folder / "bench.toml", folder / "bench-v1.toml"
        card.write_text(CARD.format(side=side, samples=len(files)))
        pipeline.write_text(PIPELINE)
        self.card, self.pipeline = catalog.card(str(card)), catalog.pipeline(str(pipeline))

    def preprocess(self, cache: Path) -> tuple[Path, Path]:
        """Make the stores of events and of frames; returns their paths."""
        events = events_store(self.card, self.folder / "raw", cache).store
        return events, frames_store(self.card, self.pipeline, cache).store

    def ours(self, cache: Path) -> tuple[EventStore, FrameStore]:
        events, frames = self.preprocess(cache)
        return EventStore(events), FrameStore(frames)

    def tonics(self, cache: Path) -> DiskCachedDataset:
        return DiskCachedDataset(Raw(self.files, (self.side, self.side)), cache_path=str(cache))


def in_new_folder(folder: Path, call: Callable[[Path], Any]) -> Callable[[], Any]:
    """The call with a new folder below `folder` each time; the folders are removed together with `folder`."""

    def call_in_new_folder() -> Any:
        folder.mkdir(parents=True, exist_ok=True)
        return call(Path(tempfile.mkdtemp(dir=folder)))

    return call_in_new_folder


def by_spikingjelly(data: Data, folder: Path) -> None:
    """SpikingJelly's two stages: events to npz files, then frames to npz files."""
    utils = spikingjelly_datasets().utils
    for stage in ("events", "frames"):
        (folder / stage).mkdir()
    for path in data.files:
        events = folder / "events" / f"{path.stem}.npz"
        utils.np_savez(events, **utils.load_ATIS_bin(path))
        utils.integrate_events_file_to_frames_file_by_fixed_frames_number(
            np.load, str(events), str(folder / "frames"), "number", 16, data.side, data.side
        )


def making(folder: Path, rounds: int) -> list[Claim]:
    """nmnist_small, or similar files, from raw files to frames on disk."""
    data = Data(folder, n_mnist(folder / "similar"), 34)
    expected = [frames for frames, _ in data.tonics(folder / "check")]
    _, ours = data.ours(folder / "check")
    assert all(np.array_equal(ours[i], frames) for i, frames in enumerate(expected)), "not tonic's frames"
    calls = {
        "eventbench, events and frames": in_new_folder(folder / "ours", data.preprocess),
        TONIC: in_new_folder(folder / "tonic", lambda cache: [len(item) for item in data.tonics(cache)]),
        JELLY: in_new_folder(folder / "jelly", lambda cache: by_spikingjelly(data, cache)),
    }
    what = f"preprocess {len(data.files):,} N-MNIST files, one worker"
    required = {TONIC: 15, JELLY: 5}
    return compare(what, calls, required, rounds=rounds, items=len(data.files), unit="samples/s")


def clustered(seed: int, n: int = 67_000) -> bytes:
    """An ATIS file of events around a few moving points, like edges in real recordings: about 8 % of the cells are filled."""
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, 1_500_000, n))
    point = rng.integers(0, 9, n)
    angle = t / 1_500_000 * 6.28 + point
    x = np.clip(64 + 40 * np.cos(angle + point) + rng.normal(0, 9, n), 0, 127).astype(np.uint32)
    y = np.clip(64 + 40 * np.sin(angle * (1 + point % 3)) + rng.normal(0, 9, n), 0, 127).astype(np.uint32)
    p = rng.integers(0, 2, n).astype(np.uint32)
    return atis_rows(t, x, y, p).tobytes()


def read_each(dataset: Any, order: np.ndarray) -> None:
    """Read samples one by one and drop them."""
    for i in order:
        dataset[i]


def reading(folder: Path, rounds: int) -> list[Claim]:
    """Random samples of (16, 2, 128, 128)."""
    data = Data(folder, [clustered(k) for k in range(200)], 128)
    events, ours = data.ours(folder / "ours")
    tonics = data.tonics(folder / "tonic")
    for i in range(len(data.files)):
        assert np.array_equal(tonics[i][0], ours[i]), "not tonic's frames"
    order = np.random.default_rng(1).permutation(len(ours))[:64]
    batch = np.empty((64, *ours.shape), ours.dtype)
    calls: dict[str, Callable[[], Any]] = {
        "eventbench, one by one": lambda: read_each(ours, order),
        "eventbench, a batch into out": lambda: ours.gather(order, batch),
        TONIC: lambda: read_each(tonics, order),
    }
    claims = compare(
        "64 random samples (16, 2, 128, 128)", calls, {TONIC: 40}, rounds=rounds, items=64, unit="samples/s"
    )
    filled = np.mean([np.count_nonzero(ours[i]) / ours[i].size for i in range(20)])
    sizes = {
        "eventbench": ours.path.stat().st_size,
        TONIC: sum(f.stat().st_size for f in (folder / "tonic").rglob("*.hdf5")),
    }
    for name, size in sizes.items():
        print(
            f"  {name:38}{size / len(ours) / 1024:10.1f} KiB a sample ({100 * filled:.1f} % of the cells are not zero)"
        )
    print()
    claims.append(Claim("bytes of these", TONIC, 1, sizes[TONIC] / sizes["eventbench"]))

    twenty = Frames(bins=20)
    out = np.empty(twenty.shape(events.sensor), np.uint8)
    raw = Raw(data.files, (128, 128))
    raw.to_frame = ToFrame((128, 128, 2), n_time_bins=20)
    calls = {
        "eventbench, from stored columns": lambda: [
            twenty.apply_packed(events.columns(i), out) for i in order
        ],
        "tonic, from raw files": lambda: [raw[i] for i in order],
    }
    compare(
        "T = 20 instead of 16, no raw file read (required: 5,000 samples/s)",
        calls,
        {},
        rounds=rounds,
        items=64,
        unit="samples/s",
    )
    return claims


def memory(folder: Path) -> None:
    """Print the peak of resident memory of processes that preprocess n and 10 n recordings."""
    print("peak memory of preprocess, MB")
    recording = clustered(0)
    for samples in (300, 3_000):
        data_folder = folder / str(samples)
        data = Data(data_folder, [recording] * samples, 128)
        paths = [str(data.card.path), str(data.pipeline.path), str(data_folder)]
        process = subprocess.run(
            [sys.executable, "-c", PREPROCESS_AND_PRINT_PEAK, *paths],
            capture_output=True,
            text=True,
            check=True,
        )
        print(f"  {samples:6,} recordings of 67,000 events{float(process.stdout):10.0f}")
        shutil.rmtree(data_folder)
    print()


def run(rounds: int) -> list[Claim]:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        claims = making(folder / "making", max(3, rounds // 3)) + reading(folder / "reading", rounds)
        memory(folder / "memory")
    return claims


if __name__ == "__main__":
    print(machine("tonic", "spikingjelly", "h5py") + "\n")
    summary(run(9))
