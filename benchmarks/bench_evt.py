"""EVT and DAT files to events, against the decoders in C of evutils and expelliarmus: `python benchmarks/bench_evt.py`.

Every contender is checked to give the same events before it is timed. Files are in the page cache; one thread. The small EVT
2.0 recording is `gen3_evt2.raw` where it exists (EVENTBENCH_TEST_DATA, or ../shared/data).
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from paired import Claim, compare, in_one_thread, machine, summary
from peers import check_same_events
from recordings import random_events

import eventbench as eb
from eventbench.events import Events

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
N, SMALL = 1 << 22, 4_000
WIDTH, HEIGHT = 1280, 720
REQUIRED = 1.5
CLAIMED = "eventbench"


def by_evutils(path: Path) -> Any:
    """Whole file, in one call."""
    from evutils.io import EventReader

    with EventReader(path) as reader:
        return reader.read_all()


def by_expelliarmus(path: Path, encoding: str) -> Any:
    """Whole file, in one call."""
    from expelliarmus import Wizard

    wizard = Wizard(encoding=encoding)
    wizard.set_file(path)
    return wizard.read()


def with_clock(events: Events, words: np.ndarray, clock: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The words of events, and before each whose time begins another 64 us the word of the clock."""
    high = (events.t >> 6).astype(np.uint64)
    changes = np.flatnonzero(np.diff(high, prepend=np.uint64(2**63)) != 0)
    return np.insert(words, changes, clock(high[changes]))


def evt21(events: Events) -> bytes:
    """A word an event, in the order of halves that evutils reads."""
    t, x, y, p = (getattr(events, name).astype(np.uint64) for name in "txyp")
    top = (
        p << np.uint64(28) | (t & np.uint64(63)) << np.uint64(22) | (x & ~np.uint64(31)) << np.uint64(11) | y
    )
    words = np.uint64(1) << (x & np.uint64(31) | np.uint64(32)) | top
    header = f"% endianness legacy\n% evt 2.1\n% format EVT21;height={HEIGHT};width={WIDTH}\n% end\n"
    return (
        header.encode()
        + with_clock(events, words, lambda high: np.uint64(8 << 28) | high).astype("<u8").tobytes()
    )


def evt4(events: Events) -> bytes:
    """A word an event."""
    t, x, y, p = (getattr(events, name).astype(np.uint64) for name in "txyp")
    words = (
        (p + np.uint64(10)) << np.uint64(28) | (t & np.uint64(63)) << np.uint64(22) | x << np.uint64(11) | y
    )
    header = f"% evt 4.0\n% format EVT4;height={HEIGHT};width={WIDTH}\n% end\n"
    return (
        header.encode()
        + with_clock(events, words, lambda high: np.uint64(14 << 28) | high).astype("<u4").tobytes()
    )


def n_cars(folder: Path) -> Path:
    """A file as those of N-CARS: 100 ms, version 2 of DAT, no size in the header."""
    events = random_events(SMALL, 100, 100, duration_us=100_000)
    x, y, p = (getattr(events, name).astype(np.uint32) for name in "xyp")
    records = np.stack([events.t.astype(np.uint32), x | y << 14 | p << 28], axis=1).astype("<u4")
    path = folder / "n_cars_td.dat"
    header = b"% Data file containing Event2D events.\n% Version 2\n% Date 2016-11-29 15:51:20\n\x00\x08"
    path.write_bytes(header + records.tobytes())
    return path


def files(folder: Path) -> dict[str, tuple[Path, str]]:
    """By what they are: the file, and its encoding as expelliarmus names it, "" where its events are not the same."""
    events = random_events(N, WIDTH, HEIGHT)
    made = {"evt2.raw": "evt2", "evt21.raw": "evt2.1", "evt3.raw": "evt3", "evt4.raw": "evt4", "a.dat": "dat"}
    (folder / "evt21.raw").write_bytes(evt21(events))
    (folder / "evt4.raw").write_bytes(evt4(events))
    eb.save(events, folder / "evt2.raw", writer="evt2")
    eb.save(events, folder / "evt3.raw", writer="evt3")
    eb.save(events, folder / "a.dat")
    peers = {"evt2.raw": "evt2", "a.dat": "dat"}
    rows = {f"{made[name]}, {N:,} events": (folder / name, peers.get(name, "")) for name in made}
    real = Path(os.environ.get("EVENTBENCH_TEST_DATA", SHARED)) / "recordings" / "gen3_evt2.raw"
    if real.is_file():
        rows["evt2, a real recording of 539,481 events"] = (real, "evt2")
    rows[f"dat, as of N-CARS, {SMALL:,} events"] = (n_cars(folder), "dat")
    return rows


def run(rounds: int) -> list[Claim]:
    """Print the tables; about half a minute for 9 rounds."""
    claims = []
    with tempfile.TemporaryDirectory(prefix="eventbench-") as name:
        for what, (path, encoding) in files(Path(name)).items():
            ours = eb.read(path)
            calls: dict[str, Callable[[], Any]] = {
                CLAIMED: partial(eb.read, path),
                "evutils": partial(by_evutils, path),
            }
            if encoding:
                calls["expelliarmus"] = partial(by_expelliarmus, path, encoding)
            for peer, call in calls.items():
                if peer != CLAIMED:
                    check_same_events(f"{what}, {peer}", ours, call())
            if len(ours) < N // 100:  # one call is too short for the clock
                calls = {peer: partial(repeated, call) for peer, call in calls.items()}
                what = f"{what}, 200 times"
            claims += compare(what, calls, REQUIRED, rounds=rounds, items=len(ours), clock="cpu")
    return claims


def repeated(call: Callable[[], Any]) -> None:
    """200 calls."""
    for _ in range(200):
        call()


if __name__ == "__main__":
    in_one_thread()
    print(f"{machine('evutils', 'expelliarmus')}; one thread\n")
    summary(run(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
