"""eventbench convert: what is read is written, said in one line, and refused in one where that cannot be."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import eventbench as eb
from eventbench import home
from eventbench.recordings.convert import convert
from eventbench.recordings.read import Reading
from tests.support.formats import evt as evt_format
from tests.support.miniatures import Event, atis_bytes, refused, run_cli

EVENTS: list[Event] = [(10 * k, k % 34, k * 7 % 34, k % 2) for k in range(1000)]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "in.bin"
    path.write_bytes(atis_bytes(EVENTS))
    return path


def test_one_line_says_what_became_of_a_recording(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.raw"
    status, said, err = run_cli(capsys, "convert", recording, out)
    assert (status, err) == (0, "")
    assert said == (
        f"{recording} (atis_bin, 5,000 bytes) to {out} (evt3, {out.stat().st_size:,} bytes): "
        "1,000 events on 34x34, read back equal; the sensor is as small as the events allow: if the camera's is larger, "
        "give --sensor WxH\n"
    )
    assert eb.read(out) == eb.read(recording)


def test_the_json_tells_both_files(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.npy"
    status, said, _ = run_cli(
        capsys, "convert", recording, out, "--sensor", "40x50", "--from-zero", "--start-us", 50, "--json"
    )
    document = json.loads(said)
    assert status == 0
    assert document["in"] == {
        "path": str(recording), "source": "atis_bin", "bytes": 5000, "events": 1000, "lost": {}, "notes": [],
        "sensor_is_least": False,
    }  # fmt: skip
    assert document["out"] == {
        "path": str(out), "writer": "npy", "events": 995, "sensor": [40, 50], "bytes": out.stat().st_size, "from_zero_us": 50,
        "notes": ["the file does not say all of it; to read it: --sensor 40x50"],
    }  # fmt: skip


def test_a_part_of_the_times_is_taken_and_counted(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    times = ("--start-us", 100, "--stop-us", 200)
    _, said, _ = run_cli(
        capsys, "convert", recording, out, *times, "--write", "order=xypt", "--write", "unit=ms"
    )
    assert ": 10 of 1,000 events on 34x34, read back equal" in said
    events = eb.read(out)
    assert events.t.tolist() == list(range(100, 200, 10))
    assert out.read_text().splitlines()[:3] == ["# geometry 34x34", "x,y,p,t_ms", "10,2,0,0.100"]


def test_how_it_is_read_is_said_as_for_doctor_and_what_is_left_out_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.csv").write_text("".join(f"{x},{y},{p},{t}\n" for t, x, y, p in EVENTS))
    reading = (
        "--source",
        "text_columns",
        "--set",
        "order=xypt",
        "--set",
        "outside=drop",
        "--sensor",
        "20x34",
    )
    _, said, _ = run_cli(capsys, "convert", tmp_path / "in.csv", tmp_path / "out.es", *reading)
    kept = [event for event in EVENTS if event[1] < 20]
    lines = said.splitlines()
    assert lines[-1].endswith(
        f": {len(kept):,} of 1,000 events on 20x34, read back equal; left out of in.csv: {1000 - len(kept):,} outside_sensor"
    ) or lines[-1].endswith(
        f": {len(kept):,} events on 20x34, read back equal; left out of in.csv: {1000 - len(kept):,} outside_sensor"
    )
    assert eb.read(tmp_path / "out.es").t.tolist() == [event[0] for event in kept]


def test_what_was_met_while_reading_is_told_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(t, x, y, p) for t, x, y, p in EVENTS]
    data = evt_format.evt2(rows, (34, 34))
    (tmp_path / "in.raw").write_bytes(data + b"\1")
    status, said, _ = run_cli(
        capsys, "convert", tmp_path / "in.raw", tmp_path / "o.dat", "--set", "salvage=true"
    )
    assert status == 0
    assert said.splitlines()[0].startswith(
        f"{tmp_path / 'in.raw'}: cut off: 1 bytes after the last whole word"
    )
    assert "left out of in.raw: 1 cut_off" in said.splitlines()[-1]


def test_advice_leads_to_a_file(recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out.dat").write_bytes(b"precious")
    line = refused(capsys, "convert", recording, tmp_path / "out.dat")
    assert line.endswith(
        "exists already; choose another name, or replace it with --overwrite, or overwrite=True in save"
    )
    assert (tmp_path / "out.dat").read_bytes() == b"precious"
    assert run_cli(capsys, "convert", recording, tmp_path / "out.dat", "--overwrite")[0] == 0
    late = eb.Events(t=[2**40, 2**40 + 5], x=[1, 2], y=[0, 0], p=[0, 1], sensor=(34, 34))
    late.save(tmp_path / "late.npz")
    line = refused(capsys, "convert", tmp_path / "late.npz", tmp_path / "late.dat")
    assert (
        "times reach 1,099,511,627,781 us; allowed: up to 4,294,967,295 us in this format; write times from"
        in line
    )
    _, said, _ = run_cli(capsys, "convert", tmp_path / "late.npz", tmp_path / "late.dat", "--from-zero")
    assert "; 1,099,511,627,776 us taken off every time" in said
    assert eb.read(tmp_path / "late.dat").t.tolist() == [0, 5]


@pytest.mark.slow
def test_a_folder_is_refused_with_a_loop_that_works(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    recording.rename(folder / "in.bin")
    line = refused(capsys, "convert", folder, tmp_path / "out.npz")
    assert "a folder; a recording is converted at a time; go through it: for f in " in line
    loop = line.partition("go through it: ")[2].replace(
        "eventbench convert", f"{shlex.quote(sys.executable)} -m eventbench convert"
    )
    subprocess.run(
        ["bash", "-c", loop], check=True, env={"PYTHONPATH": str(home.CHECKOUT), "PATH": "/usr/bin:/bin"}
    )
    assert len(eb.read(folder / "in.bin.npz")) == 1000


def test_bad_arguments_are_refused_before_anything_is_read(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone.bin"
    for arguments, message in [
        ((gone, tmp_path / "a.xyz"), "its ending is '.xyz'; allowed: .aedat4, .csv"),
        ((gone, tmp_path), "a folder; allowed: the name of a file"),
        ((gone, tmp_path / "no" / "a.npz"), "there is no such folder; create it first"),
        ((gone, tmp_path / "a.npz", "--to", "nzp"), "no writer named 'nzp'; allowed: aedat4, dat"),
        ((gone, tmp_path / "a.npz", "--write", "compressed"), "--write is 'compressed'; allowed: KEY=VALUE"),
        ((gone, tmp_path / "a.npz", "--write", "compresed=1"), "npz has no parameter 'compresed'"),
        ((gone, tmp_path / "a.npz"), "cannot be read: No such file or directory"),
        ((recording, tmp_path / "a.npz", "--start-us", 9, "--stop-us", 3), "the times from 9 to 3 us"),
    ]:
        assert message in refused(capsys, "convert", *arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.bin"]


def test_a_file_of_many_recordings_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with h5py.File(tmp_path / "in.h5", "w") as file:
        for name, dtype in (("times", np.float16), ("units", np.uint16)):
            file.create_dataset(f"spikes/{name}", 3, h5py.vlen_dtype(dtype))
    assert "3 recordings" in refused(capsys, "convert", tmp_path / "in.h5", tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()


def test_a_recording_may_replace_itself(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = eb.read(recording)
    assert run_cli(capsys, "convert", recording, recording, "--to", "dat", "--overwrite")[0] == 0
    assert eb.read(recording) == events


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    n = 12_000_000
    t = np.arange(n, dtype=np.int64) * 2
    x = (np.arange(n) % 640).astype(np.uint16)
    eb.Events.trusted(t, x, x // 2, (x & 1).astype(np.uint8), (640, 480)).save(tmp_path / "in.npz")
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from eventbench.recordings.convert import convert\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "plain = {'compression': 'none'}\n"
        "convert(Path(sys.argv[2]), Path(sys.argv[3]), parameters=plain)\n"
        "before = peak()\n"
        "convert(Path(sys.argv[1]), Path(sys.argv[4]), parameters=plain)\n"
        "print(peak() - before)\n"
    )
    eb.read(tmp_path / "in.npz")[:1000].save(tmp_path / "small.npz")
    names = [str(tmp_path / name) for name in ("in.npz", "small.npz", "a.h5", "b.h5")]
    run = subprocess.run(
        [sys.executable, "-c", program, *names], capture_output=True, text=True, check=True, cwd=home.CHECKOUT
    )
    assert float(run.stdout) < 110  # MiB; the columns alone have 149


def test_convert_in_python_gives_the_same_account(recording: Path, tmp_path: Path) -> None:
    converted = convert(recording, tmp_path / "a.npz", Reading((34, 34)))
    assert (converted.source, converted.events, converted.saved.events) == ("atis_bin", 1000, 1000)
