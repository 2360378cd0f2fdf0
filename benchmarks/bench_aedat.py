"""AEDAT 4 and AEDAT 2.0 against eventcv (Rust) and evutils, from file to events: `python benchmarks/bench_aedat.py`.

Generated recordings of a million events, as DV packs them (LZ4, Zstandard, none), and real ones where they are at hand
(EVENTBENCH_TEST_DATA, or ../shared/data). Every peer is checked to give the same events before it is timed; one that gives
others is named and left out, but for eventcv's AEDAT 2.0, which mirrors x and is compared with that undone.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from paired import Claim, compare, in_one_thread, machine, summary
from peers import columns_of

import eventbench as eb

SHARED = Path(os.environ.get("EVENTBENCH_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
EVENTCV, ARRAY, EVUTILS = "eventcv, load", "eventcv, load to an array", "evutils"
REQUIRED_4, REQUIRED_2 = 1.2, 1.5
EVENTS = 1_000_000


def moving_edge(n: int) -> eb.Events:
    """n events near an edge that moves over 640x480 pixels, a microsecond apart at most, since 1970 as DV has it."""
    rng = np.random.default_rng(1)
    t = 1_600_000_000_000_000 + np.cumsum(rng.integers(0, 2, n))
    x = (np.cumsum(rng.integers(-1, 2, n)) // 8 + rng.integers(0, 40, n)) % 640
    return eb.Events(t=t, x=x, y=rng.integers(0, 480, n), p=rng.integers(0, 2, n), sensor=(640, 480))


def davis_bytes(events: eb.Events, every: int = 6) -> bytes:
    """AEDAT 2.0 of a DAVIS640, of which each so many words are of frames."""
    x, y, p = (column.astype(np.uint32) for column in (events.x, events.y, events.p))
    clock = (events.t - events.t[0]).astype(np.uint32)
    address = (479 - y) << 22 | (639 - x) << 12 | p << 11
    words = np.stack([address, clock], axis=1)
    frames = np.stack([np.full(len(clock[::every]), 1 << 31, np.uint32), clock[::every]], axis=1)
    words = np.insert(words, np.arange(0, len(words), every), frames, axis=0)
    return (
        b"#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.DAVIS640\r\n" + words.astype(">u4").tobytes()
    )


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """What is read: a name and a path each."""
    events = moving_edge(EVENTS)
    for compression in ("lz4", "zstd", "none"):
        path = folder / f"{compression}.aedat4"
        events.save(path, compression=compression)
        yield f"AEDAT 4, {compression}, {EVENTS:,} events", path
    path = folder / "davis.aedat"
    path.write_bytes(davis_bytes(events))
    yield f"AEDAT 2, DAVIS640, {EVENTS:,} events", path
    for name in ("dvxplorer_lite.aedat4", "davis240c_mixed.aedat", "dvs128_walking.aedat"):
        if (path := SHARED / "recordings" / name).exists():
            yield f"{name}, {len(eb.read(path)):,} events", path
    for compression in ("LZ4", "ZSTD", "NONE"):
        if (path := SHARED.parent / "cases" / f"40_dvproc_{compression}.aedat4").exists():
            yield f"{path.name}, {len(eb.read(path)):,} events", path


def by_evutils(path: Path) -> Any:
    from evutils.io import EventReader

    with EventReader(path) as reader:
        return reader.read_all()


def peers_of(path: Path) -> dict[str, Callable[[], Any]]:
    import eventcv

    return {
        EVENTCV: lambda: eventcv.load(str(path)),
        ARRAY: lambda: eventcv.load(str(path)).numpy(),
        EVUTILS: lambda: by_evutils(path),
    }


def differs(ours: eb.Events, theirs: Any, mirrored: bool) -> str:
    """How a peer's events differ from ours, "" where they do not; `mirrored` undoes that x counts from the other side."""
    if isinstance(theirs, np.ndarray) and theirs.ndim == 2:
        found = dict(zip("xytp", theirs.T, strict=True))
    else:
        found = columns_of(theirs)
    if len(found["t"]) != len(ours):
        return f"{len(found['t']):,} of {len(ours):,} events"
    if mirrored:
        found["x"] = ours.sensor[0] - 1 - found["x"].astype(np.int64)
    found["p"] = found["p"] > 0
    return ", ".join(name for name in "txyp" if not np.array_equal(getattr(ours, name), found[name]))


def one_file(what: str, path: Path, rounds: int) -> list[Claim]:
    ours = eb.read(path)
    calls: dict[str, Callable[[], Any]] = {"eventbench": lambda: eb.read(path)}
    for name, call in peers_of(path).items():
        try:
            different = differs(ours, call(), mirrored=path.suffix == ".aedat" and name != EVUTILS)
        except Exception as error:  # noqa: BLE001  # whatever a peer raises, it does not read the file
            different = f"{type(error).__name__}: {str(error)[:100]}"
        if different:
            print(f"{what}: {name} is left out: it gives other events ({different})")
        else:
            calls[name] = call
    if EVENTCV not in calls:
        print()
        return []
    required = {EVENTCV: REQUIRED_2 if path.suffix == ".aedat" else REQUIRED_4}
    return compare(what, calls, required, rounds=rounds, items=len(ours), clock="cpu")


def run(rounds: int) -> list[Claim]:
    """Print a table a file; a few seconds for 9 rounds."""
    with tempfile.TemporaryDirectory(prefix="eventbench-") as name:
        return [claim for what, path in files(Path(name)) for claim in one_file(what, path, rounds)]


if __name__ == "__main__":
    in_one_thread()
    print(f"{machine('eventcv', 'evutils')}; one thread\n")
    summary(run(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
