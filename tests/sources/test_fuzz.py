"""Every decoder under thousands of harmed files: events or one refusal; no crash, no hang, no more memory than a bound.

`EVENTBENCH_FUZZ=20000 pytest tests/test_fuzz.py` tries 20,000 files a decoder, a process each. The processes that try
them run this file as a script; the file under trial is kept beside them, so that what ended one can be looked at.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from eventbench import registry
from eventbench.errors import BadRecording, EventbenchError
from eventbench.events import Events
from tests.support.fuzz_corpus import format_of, harmed, seeds

FILES = int(os.environ.get("EVENTBENCH_FUZZ", "150"))
# Without rosbags, which is an extra, no bag of ROS can be written or read.
DECODERS = [
    name
    for name in registry.sources.names()
    if registry.sources.get(name).suffixes and (name != "ros_bag" or importlib.util.find_spec("rosbags"))
]
SECONDS = (
    60.0  # for one file, on a busy machine; what is read in an isolated process may take 10 s to be given up
)
ADDRESSES = 1 << 29  # bytes that may be asked of the system beside what a process has after its first files
RESIDENT = (
    1 << 26
)  # bytes that may be used for one file: files are of up to 90 kB, and deflate packs 1032 to 1
GROUPS = [[name] for name in DECODERS] if FILES > 1000 else [DECODERS]


@pytest.mark.slow
@pytest.mark.parametrize("names", GROUPS, ids=lambda names: names[0] if len(names) == 1 else "all")
def test_harmed_files_give_events_or_one_refusal(
    names: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shared = Path(__file__).resolve().parents[3] / "shared" / "data"
    recordings = Path(os.environ.get("EVENTBENCH_TEST_DATA", shared)).resolve() / "recordings"
    where = str(recordings) if recordings.is_dir() else ""
    command = [sys.executable, __file__, str(tmp_path), str(FILES), where, *names]
    paths = str(Path(__file__).parents[2])
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        timeout=600 + FILES * len(names) / 10,
        check=False,
    )
    last = (tmp_path / "trial").read_bytes() if (tmp_path / "trial").exists() else b""
    assert done.returncode == 0, f"{done.returncode} {done.stdout} {done.stderr[-3000:]} {last[:64]!r}"
    assert done.stderr == ""
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert [report["name"] for report in reports] == names
    for report in reports:
        with capfd.disabled():
            if len(GROUPS) > 1:
                print(f"\n{report}")
        assert report["failures"] == []
        assert report["refused"] > 0


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.filterwarnings("ignore")
def test_every_decoder_has_seeds_and_reads_them(name: str) -> None:
    assert seeds(name, None)
    assert any(trial(name, data, None) == "" for data in seeds(name, None))


def test_a_decoder_without_seeds_is_named() -> None:
    with pytest.raises(
        LookupError, match=r"source 'aedat9': write tests/support/formats/aedat9\.py with seeds"
    ):
        seeds("aedat9", None)


def test_heads_of_real_recordings_are_among_what_is_harmed(shared_data: Path) -> None:
    names = {name for name in DECODERS if hasattr(format_of(name), "heads")}
    assert names >= {"atis_bin", "aedat2", "aedat4", "dat", "evt", "event_stream", "text_columns"}
    for name in sorted(names):
        generated, real = seeds(name, None), seeds(name, shared_data / "recordings")
        assert len(real) > len(generated)
        assert any(trial(name, data, None) == "" for data in real[len(generated) :]), name


def trial(name: str, data: bytes, sensor: tuple[int, int] | None) -> str:
    """What is wrong with how a source meets these bytes; "" where nothing is, "refused" for a proper refusal."""
    from eventbench.recordings.read import recognise

    with contextlib.suppress(EventbenchError):
        recognise(data, Path("a.file"))
    try:
        events = registry.sources.get(name)().decode(data, "a.file", sensor)
    except EventbenchError as error:
        line = str(error)
        if not isinstance(error, BadRecording) or "a.file" not in line or "\n" in line:
            return f"{type(error).__name__}: {line}"
        return f"memory: {line}" if re.search(r"memory|allocate", line) else "refused"
    again = Events(t=events.t, x=events.x, y=events.y, p=events.p, sensor=events.sensor)
    return "" if again == events and sensor in (None, events.sensor) else "events that are none"


def main(folder: Path, files: int, recordings: str, names: list[str]) -> None:
    """Try `files` harmed files of each source; a line of JSON each."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sound = {name: seeds(name, Path(recordings) if recordings else None) for name in names}
    for name in names:
        for data in sound[name]:
            trial(name, data, None)  # what is imported and compiled is not the file's
        trial(name, bytes(100), None)  # nor what recognising loads for bytes of no format
    limit = _status("VmSize") + ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    everything = [data for group in sound.values() for data in group]
    for name in names:
        counts = {"files": 0, "refused": 0, "read": 0}
        slowest_s, most_mib = 0.0, 0.0
        failures: list[str] = []
        rng = np.random.default_rng([1, DECODERS.index(name)])
        for number in range(files):
            data = sound[name][int(rng.integers(len(sound[name])))]
            data = harmed(data, everything if rng.random() < 0.2 else sound[name], rng)
            (folder / "trial").write_bytes(data)
            before, start = _peak(), time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            try:
                outcome = trial(name, data, None if number % 2 else (346, 260))
            except BaseException as error:  # noqa: BLE001  # whatever comes out is what the trial is about
                outcome = f"{type(error).__name__}: {error}"
            signal.setitimer(signal.ITIMER_REAL, 0)
            used = max(0, _status("VmHWM") - before)
            slowest_s = round(max(slowest_s, time.monotonic() - start), 3)
            most_mib = round(max(most_mib, used / 2**20), 1)
            counts["files"] += 1
            counts["refused" if outcome == "refused" else "read"] += 1
            if used > RESIDENT:
                outcome = f"{used:,} bytes used for {len(data):,}; {outcome}"
            if outcome not in ("", "refused"):
                copy = folder / f"{name}-{number}"
                copy.write_bytes(data)
                failures.append(f"{copy}: {outcome[:300]}")
        extremes = {"slowest_s": slowest_s, "most_MiB": most_mib}
        outcomes = {"failures": failures[:10], "failed": len(failures)}
        print(json.dumps({"name": name, **counts, **extremes, **outcomes}), flush=True)


def _peak() -> int:
    """Bytes resident now, from which the peak is counted anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(field: str) -> int:
    match = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    return int(match[1]) * 1024 if match else 0


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
