"""eventbench doctor: sound recordings are left in peace, planted faults are found and told."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from miniatures import Event, atis_bytes, miniature, npz_bytes
from recordings import recordings

from eventbench.cli.doctor import command
from eventbench.doctor import examine
from eventbench.errors import BadDataset, BadRecording, BadSpec
from eventbench.events import Events
from eventbench.vital_signs import hot_pixels, measure


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def busy(n: int = 4000, side: int = 34) -> list[Event]:
    """Events all over a sensor, 50 us apart, so that none repeats and none stands out."""
    rng = np.random.default_rng(7)
    where = rng.integers(0, side * side, n)
    return [(50 * i, int(cell % side), int(cell // side), i % 2) for i, cell in enumerate(where)]


def planted(tmp_path: Path, events: list[Event], name: str = "a.bin") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(atis_bytes(sorted(events)))
    return path


def test_a_sound_recording_is_told_in_full(tmp_path: Path) -> None:
    path = planted(tmp_path, [(10, 0, 0, 1), (1010, 3, 2, 0), (1510, 3, 2, 0), (1510, 3, 2, 0)])
    result = run(path)
    sha256 = examine(path).sha256
    assert result.exit_code == 0
    assert result.stdout == (
        f"{path}: 20 bytes, sha256 {sha256}\n"
        "  format      atis_bin\n"
        "  sensor      4x3, every event inside\n"
        "  events      4\n"
        "  time        10 to 1,510 us (0.002 s, 2,667 events/s), never backwards\n"
        "  longest gap 1,000 us\n"
        "  polarity    1 ON (25.0%), 3 OFF\n"
        "  pixels      2 of 12 have events\n"
        "  hot pixels  none\n"
        "  repeated    1 events are the same as another one\n"
        "  warning:    nothing happens for 1,000 us, 67% of its time\n"
        "verdict: sound, 1 warning\n"
    )
    facts = json.loads(run(path, "--json").stdout)
    assert (facts["events"], facts["on"], facts["off"], facts["sensor"]) == (4, 1, 3, [4, 3])
    assert (facts["duration_us"], facts["unit"], facts["verdict"]) == (1500, "us", "sound, 1 warning")


def test_a_planted_hot_pixel_is_found_where_it_is(tmp_path: Path) -> None:
    path = planted(tmp_path, busy() + [(50 * i + 1, 20, 11, 1) for i in range(400)])
    facts = json.loads(run(path, "--json").stdout)
    (pixel,) = facts["hot_pixels"]
    assert (pixel["x"], pixel["y"]) == (20, 11)
    assert pixel["events"] >= 400
    result = run(path)
    assert result.exit_code == 1
    share = f"{pixel['events'] / 4400:.1%}"
    assert (
        f"  problem:    hot pixels hold {share} of all events: (20, 11) with {pixel['events']:,}\n"
        in result.stdout
    )
    assert result.stdout.endswith("verdict: 1 problem\n")
    assert run(planted(tmp_path, busy(), "fine.bin")).exit_code == 0


def test_two_hot_neighbours_are_found_and_a_blinking_patch_is_not(tmp_path: Path) -> None:
    def with_pixels(pixels: list[tuple[int, int]]) -> list[tuple[int, int]]:
        more = [(50 * i + k, x, y, 1) for i in range(400) for k, (x, y) in enumerate(pixels, start=1)]
        found = examine(planted(tmp_path, busy() + more)).figures
        assert found is not None
        return sorted((pixel.x, pixel.y) for pixel in found.hot_pixels)

    assert with_pixels([(0, 0), (1, 0)]) == [(0, 0), (1, 0)]
    assert with_pixels([(33, 33)]) == [(33, 33)]
    assert with_pixels([(8, 8), (9, 8), (8, 9), (9, 9)]) == []


@given(recordings(), st.integers(1, 9))
def test_figures_agree_with_counting_one_by_one(events: Events, scale: int) -> None:
    found = measure(events)
    rows = list(zip(events.t.tolist(), events.x.tolist(), events.y.tolist(), events.p.tolist(), strict=True))
    assert found.events == len(rows)
    assert found.on == sum(row[3] for row in rows)
    assert found.repeated == len(rows) - len(set(rows))
    assert found.active_pixels == len({row[1:3] for row in rows})
    assert found.longest_gap_us == max((b[0] - a[0] for a, b in pairwise(rows)), default=0)
    grid = np.zeros((events.sensor[1] + 2, events.sensor[0] + 2), np.int64)
    for _, x, y, _ in rows:
        grid[y + 1, x + 1] += scale
    counted = sorted(grid[grid > 0].tolist())
    slow = []
    for y, x in np.argwhere(grid > 0):
        near = sorted(grid[y - 1 : y + 2, x - 1 : x + 2].ravel().tolist())
        near.remove(grid[y, x])
        usual = counted[int(0.95 * (len(counted) - 1))]
        if grid[y, x] >= max(50, 10 * usual, 10 * near[-2]):
            slow.append((x - 1, y - 1))
    ys, xs = np.nonzero(grid[1:-1, 1:-1])
    quick = hot_pixels(ys * events.sensor[0] + xs, grid[1:-1, 1:-1][ys, xs], events.sensor[0])
    assert sorted((pixel.x, pixel.y) for pixel in quick) == sorted(slow)


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([(1000 * i, i % 5, i % 3, 1) for i in range(30)], "only ON events: is the polarity lost?"),
        ([(1000 * i, i % 5, i % 3, 0) for i in range(30)], "only OFF events: is the polarity lost?"),
        (
            [(i, i % 5, i % 3, i % 2) for i in range(30)],
            "30 events in 29 us: are its times in milliseconds or seconds?",
        ),
    ],
)
def test_a_doubtful_recording_is_sound_with_a_warning(tmp_path: Path, events: list[Event], told: str) -> None:
    result = run(planted(tmp_path, events))
    assert result.exit_code == 0
    assert f"  warning:    {told}\nverdict: sound, 1 warning\n" in result.stdout


def test_times_that_look_like_nanoseconds_are_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "long.npz"
    t = np.arange(10) * 10**9
    path.write_bytes(npz_bytes(t=t, x=t * 0, y=t * 0, p=t % 2 == 0))
    assert "it lasts 9,000 s: are its times in nanoseconds?" in run(path).stdout


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (
            b"\x00" * 7,
            "truncated: 7 bytes are 1 events and 2 bytes more; allowed: a multiple of 5 bytes; fetch the file again",
        ),
        (b"", "the file is empty (0 bytes)"),
        (
            atis_bytes([(9, 0, 0, 1), (5, 0, 0, 1)]),
            "time runs backwards at event 1 (9 then 5 us); sort the events by time (stable) before building Events",
        ),
    ],
)
def test_a_recording_that_cannot_be_decoded_is_a_problem(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "bad.bin"
    path.write_bytes(data)
    result = run(path)
    assert result.exit_code == 1
    assert result.stdout.endswith(f"  problem:    {told}\nverdict: 1 problem\n")
    assert json.loads(run(path, "--json").stdout)["problems"] == [told]


def test_events_outside_the_sensor_given_are_a_problem(tmp_path: Path) -> None:
    path = planted(tmp_path, [(0, 7, 0, 1), (2000, 1, 1, 0)])
    result = run(path, "--sensor", "4x4")
    assert result.exit_code == 1
    assert "  problem:    x is 7 at event 0 (1 such); allowed: 0 to 3 (width 4)" in result.stdout
    assert run(path, "--sensor", "8x8").exit_code == 0
    error = run(path, "--sensor", "8").exception
    assert isinstance(error, BadSpec)
    assert str(error) == "--sensor is '8'; allowed: width x height in pixels, as in 128x128"


def test_what_cannot_be_examined_is_refused(tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("nothing here")
    for path, told in (
        (tmp_path / "gone.bin", f"{tmp_path / 'gone.bin'}: cannot be read: No such file or directory"),
        (notes, f"{notes}: no known format: first bytes b'nothing ', ending '.md'; allowed: "),
    ):
        error = run(path).exception
        assert isinstance(error, BadRecording)
        assert str(error).startswith(told)
    error = run(tmp_path).exception
    assert isinstance(error, BadDataset)
    assert str(error).startswith(
        f"{tmp_path}: no recording below it (1 other files); allowed: files that end in "
    )


def folder_facts(folder: Path) -> dict[str, Any]:
    result = run(folder, "--json")
    facts = json.loads(result.stdout)
    assert result.exit_code == (1 if facts["problems"] else 0)
    return facts


def test_a_sound_dataset_folder_is_summed_up(tmp_path: Path) -> None:
    mini = miniature(tmp_path, train=4, test=2, events=60)
    (mini.raw / "about.md").write_text("notes")
    facts = folder_facts(mini.raw)
    assert (facts["recordings"], facts["readable"], facts["events"]) == (6, 6, 360)
    assert (facts["formats"], facts["other_files"], facts["problems"]) == ({"atis_bin": 6}, 1, [])
    assert run(mini.raw).stdout.startswith(f"{mini.raw}: 6 recordings (6 atis_bin), 1,800 bytes\n")


def test_a_test_recording_that_lies_in_train_is_found(tmp_path: Path) -> None:
    same = busy(200)
    planted(tmp_path, same, "Train/3/00007.bin")
    planted(tmp_path, same, "Test/3/00001.bin")
    planted(tmp_path, busy(100), "Train/3/00001.bin")
    planted(tmp_path, busy(100), "Train/4/00002.bin")
    facts = folder_facts(tmp_path)
    assert facts["problems"] == [
        "the same recording in test and train: Test/3/00001.bin, Train/3/00007.bin",
        "the same bytes 2 times: Train/3/00001.bin, Train/4/00002.bin",
    ]
    assert "  duplicates  2 files have the bytes of another\n" in run(tmp_path).stdout


def test_an_unreadable_recording_of_a_folder_is_a_problem_with_its_reason(tmp_path: Path) -> None:
    planted(tmp_path, busy(200), "Train/0/1.bin")
    (tmp_path / "Train" / "0" / "2.bin").write_bytes(b"\x00" * 7)
    (tmp_path / "Train" / "0" / "3.bin").symlink_to(tmp_path / "gone")
    facts = folder_facts(tmp_path)
    assert (facts["recordings"], facts["readable"]) == (3, 1)
    first, second = facts["problems"]
    assert first.startswith("Train/0/2.bin: truncated: 7 bytes")
    assert second == "Train/0/3.bin: cannot be read: No such file or directory"
    assert run(tmp_path).stdout.endswith("verdict: 2 problems\n")


def test_no_pixel_of_the_real_recordings_is_a_problem(shared_data: Path) -> None:
    paths = sorted((shared_data / "nmnist_small" / "Test").rglob("*.bin"))
    for path in [*paths, *sorted((shared_data / "recordings").glob("*.bs2"))]:
        examined = examine(path)
        assert examined.problems == [], path
        assert examined.figures is not None
        assert examined.figures.hot_pixels == [], path
