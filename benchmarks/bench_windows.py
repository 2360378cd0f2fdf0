"""Windows of a long recording: one at a third of it, and many at random: `python benchmarks/bench_windows.py`.

The recording is EVT 3.0, made here: 10 M events in 3 s; `--events 100_000_000 --seconds 30` is the size that is promised for. Each
contender is checked to give the events of `eb.read` first. Our index is in the cache, as a second opening finds it; files are in the page
cache; one thread.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from paired import Claim, compare, in_one_thread, machine, summary
from peers import check_same_events

import eventbench as eb

SIZE = (1280, 720)
WINDOW_US = 10_000
BLOCK = 1 << 20  # events that are made at a time
EVUTILS = "evutils, seek"


def evt3_words(t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray, before: int) -> np.ndarray:
    """uint16: the words of events in order of time; `before` is the time of the last one before them, -1 for none."""
    high, low = t >> 12, t & 4095
    last = np.concatenate([[before], t[:-1]])
    rows = np.concatenate([[-1], y[:-1]])
    later = t != last
    words = np.stack([0x8000 | high & 4095, 0x6000 | low, y, 0x2000 | p << 11 | x], axis=1).astype(np.uint16)
    needed = np.stack([(last >> 12) != high, later, later | (y != rows), np.ones(len(t), np.bool_)], axis=1)
    return words[needed]


def write_recording(path: Path, events: int, seconds: float, seed: int = 7) -> None:
    """Random events at a steady rate, with every clock word that the gaps need none of."""
    rng, before, made = np.random.default_rng(seed), -1, 0
    with path.open("wb") as file:
        file.write(f"% evt 3.0\n% geometry {SIZE[0]}x{SIZE[1]}\n% end\n".encode())
        while made < events:
            count = min(BLOCK, events - made)
            start, stop = (int(place / events * seconds * 1e6) for place in (made, made + count))
            t = np.sort(rng.integers(start, max(stop, start + 1), count))
            x, y, p = (rng.integers(0, end, count) for end in (*SIZE, 2))
            evt3_words(t, x, y, p, before).tofile(file)
            before, made = int(t[-1]), made + count


def by_evutils(path: Path) -> Callable[[int], Any]:
    """One window after another of a reader that stays open; its index is in memory only and is made by the first."""
    from evutils.io import EventReader

    reader = EventReader(path, delta_t=WINDOW_US, mode="delta_t")

    def window(start_us: int) -> Any:
        reader.seek(t=start_us)
        return reader.read()

    return window


def whole_and_mask(path: Path, start_us: int) -> eb.Events:
    """What one does without windows."""
    events = eb.read(path)
    return events[slice(*np.searchsorted(events.t, [start_us, start_us + WINDOW_US]))]


def peak_megabytes(path: Path, cache: Path, start_us: int) -> tuple[float, float]:
    """(MB resident at most, of a process that opens the recording and reads a window; MB of one that only imports)."""
    code = (
        "import sys; from pathlib import Path; import eventbench as eb; eb.Events\n"
        "if len(sys.argv) > 1:\n"
        "    path, cache, start = sys.argv[1:]\n"
        f"    assert len(eb.open_recording(path, cache_dir=cache).window(int(start), int(start) + {WINDOW_US}))\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(int(status.partition('VmHWM:')[2].split()[0]) / 1024)\n"
    )
    peaks = [
        float(
            subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True).stdout
        )
        for arguments in ([str(path), str(cache), str(start_us)], [])
    ]
    return peaks[0], peaks[1]


def opened_anew(path: Path, cache: Path, start_us: int) -> eb.Events:
    """One window of a recording whose index is in the cache."""
    return eb.open_recording(path, cache_dir=cache).window(start_us, start_us + WINDOW_US)


def one_window(path: Path, cache: Path, start_us: int, rounds: int, what: str) -> list[Claim]:
    """Of a file that was not open before."""
    calls: dict[str, Callable[[], Any]] = {
        "eventbench": partial(opened_anew, path, cache, start_us),
        "eventbench, read whole and masked": partial(whole_and_mask, path, start_us),
        EVUTILS: lambda: by_evutils(path)(start_us),
    }
    expected = calls["eventbench"]()
    for name, call in calls.items():
        check_same_events(name, expected, call())
    return compare(f"{what}, the file opened anew", calls, 1.0, rounds=max(3, rounds // 3), clock="cpu")


def starting_place(recording: Any, start_us: int) -> int:
    """The time of an event, at or after a time: windows of evutils begin with one wherever it is told to seek."""
    return int(recording.window(start_us, start_us + WINDOW_US).t[0])


def many_windows(path: Path, cache: Path, seconds: float, rounds: int, what: str) -> list[Claim]:
    """At random places of a recording that stays open."""
    rng = np.random.default_rng(3)
    recording, theirs = eb.open_recording(path, cache_dir=cache), by_evutils(path)
    rough = (rng.integers(0, int(seconds * 1e6) // WINDOW_US - 1, 20) * WINDOW_US).tolist()
    places = [starting_place(recording, start) for start in rough]
    for start in places:
        check_same_events(EVUTILS, recording.window(start, start + WINDOW_US), theirs(start))
    calls: dict[str, Callable[[], Any]] = {
        "eventbench": lambda: [recording.window(start, start + WINDOW_US) for start in places],
        EVUTILS: lambda: [theirs(start) for start in places],
    }
    return compare(
        f"20 of {what} at random, the file kept open", calls, 1.0, rounds=max(3, rounds // 3), clock="cpu"
    )


def run(rounds: int, events: int = 10_000_000, seconds: float = 3.0) -> list[Claim]:
    """Print the tables; a minute for 9 rounds and 10 M events."""
    with tempfile.TemporaryDirectory(prefix="eventbench-") as name:
        path, cache = Path(name) / "long.raw", Path(name) / "cache"
        write_recording(path, events, seconds)
        start = time.perf_counter()
        recording = eb.open_recording(path, cache_dir=cache)
        indexed = time.perf_counter() - start
        kept = sum(file.stat().st_size for file in cache.rglob("*") if file.is_file())
        print(
            f"{len(recording):,} events, {path.stat().st_size / 1e6:,.0f} MB: "
            f"indexed in {indexed:.2f} s, {kept / 1e3:,.1f} kB kept\n"
        )
        at_us = starting_place(recording, int(seconds * 1e6 / 3))
        what = f"{WINDOW_US // 1000} ms of {events / 1e6:,.0f} M events"
        claims = one_window(path, cache, at_us, rounds, what)
        claims += many_windows(path, cache, seconds, rounds, what)
        peak, imported = peak_megabytes(path, cache, at_us)
        print(f"resident at most: {peak:,.0f} MB, of which {imported:,.0f} MB are there after the import\n")
        return claims


if __name__ == "__main__":
    in_one_thread()
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    print(f"{machine('evutils')}; one thread\n")
    summary(run(options.rounds, options.events, options.seconds))
