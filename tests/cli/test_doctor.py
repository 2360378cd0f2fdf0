"""eventbench doctor: sound recordings are left in peace, planted faults are found and told."""

from __future__ import annotations

import json
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from eventbench.cli.doctor import command
from eventbench.doctor import examine, examine_folder
from eventbench.doctor.folder import splits_of
from eventbench.doctor.signs import signs_of
from eventbench.errors import BadDataset, BadRecording, BadSpec
from eventbench.events import Events
from eventbench.events.measure import summarize
from eventbench.events.summary import hot_pixels
from eventbench.sources.base import RawColumns, how_to_set
from tests.support.miniatures import Event, atis_bytes, miniature, npz_bytes, structured
from tests.support.recordings import recordings


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
        "  format      atis_bin, by its ending .bin alone\n"
        "  sensor      4x3, the smallest that holds every event; every event inside\n"
        "  events      4\n"
        "  time        10 to 1,510 us (0.002 s, 2,667 events/s), never backwards\n"
        "  time unit   read as us, nothing speaks against it; steps of 500 us\n"
        "  longest gap 1,000 us\n"
        "  polarity    1 ON (25.0%), 3 OFF; one bit, 1 is ON\n"
        "  pixels      2 of 12 have events\n"
        "  hot pixels  none\n"
        "  repeated    1 events are the same as another one\n"
        "  warning:    nothing happens for 1,000 us, 67% of its time\n"
        '    do:       cut the part that matters (step crop_time), or make frames with split_by = "count"\n'
        "verdict: usable with care: 1 warning\n"
    )
    facts = json.loads(run(path, "--json").stdout)
    assert (facts["events"], facts["on"], facts["off"], facts["sensor"]) == (4, 1, 3, [4, 3])
    assert (facts["duration_us"], facts["unit"], facts["verdict"]) == (1500, "us", "usable with care")


def test_the_keys_of_the_json_are_a_promise(tmp_path: Path) -> None:
    facts = json.loads(run(saved(tmp_path / "a.npz", busy(60)), "--json").stdout)
    assert " ".join(sorted(facts)) == (
        "active_pixels bytes duration_us events events_sha256 first_us format hot_pixels last_us longest_gap_us lost notes off on "
        "ordered path polarity_convention problems raw recognised_by repeated sensor sensor_from sha256 suspected_unit "
        "tick_us time_unit unit usual verdict warnings"
    )
    assert " ".join(sorted(facts["raw"])) == (
        "clock_us first_back furthest_back_us other_words outside overflow_markers polarities polarity_type rows "
        "stated_size steps_back t_us unit wraps x y"
    )


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
    assert result.stdout.endswith(
        "    do:       drop them: the step drop_hot_pixels finds the same ones\n"
        "verdict: usable with care: 1 problem\n"
    )
    assert run(planted(tmp_path, busy(), "fine.bin")).exit_code == 0


def test_two_hot_neighbours_are_found_and_a_blinking_patch_is_not(tmp_path: Path) -> None:
    def with_pixels(pixels: list[tuple[int, int]]) -> list[tuple[int, int]]:
        more = [(50 * i + k, x, y, 1) for i in range(400) for k, (x, y) in enumerate(pixels, start=1)]
        found = examine(planted(tmp_path, busy() + more)).summary
        assert found is not None
        return sorted((pixel.x, pixel.y) for pixel in found.hot_pixels)

    assert with_pixels([(0, 0), (1, 0)]) == [(0, 0), (1, 0)]
    assert with_pixels([(33, 33)]) == [(33, 33)]
    assert with_pixels([(8, 8), (9, 8), (8, 9), (9, 9)]) == []


@settings(deadline=None)  # the first example loads kernels
@given(recordings(), st.integers(1, 9))
def test_figures_agree_with_counting_one_by_one(events: Events, scale: int) -> None:
    found = summarize(events)
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
    ("events", "message"),
    [
        ([(1000 * i, i % 5, i % 3, 1) for i in range(30)], "only ON events: is the polarity lost?"),
        ([(1000 * i, i % 5, i % 3, 0) for i in range(30)], "only OFF events: is the polarity lost?"),
        (
            [(i, i % 5, i % 3, i % 2) for i in range(30)],
            "30 events in 29 us: are its times in milliseconds? (possible)",
        ),
    ],
)
def test_a_doubtful_recording_is_sound_with_a_warning(
    tmp_path: Path, events: list[Event], message: str
) -> None:
    result = run(planted(tmp_path, events))
    assert result.exit_code == 0
    assert f"  warning:    {message}\n    do:       " in result.stdout
    assert result.stdout.endswith("verdict: usable with care: 1 warning\n")


def test_times_that_look_like_nanoseconds_are_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "long.npz"
    t = np.arange(10) * 10**9
    path.write_bytes(npz_bytes(t=t, x=t * 0, y=t * 0, p=t % 2 == 0))
    assert (
        "it lasts 9,000 s, and an active pixel has 0.0011 events a second: are its times in nanoseconds?"
        in run(path).stdout
    )


@pytest.mark.parametrize(
    ("data", "what", "fix"),
    [
        (
            b"\x00" * 7,
            "truncated: 7 bytes are 1 events and 2 bytes more; allowed: a multiple of 5 bytes",
            "fetch the file again, or, to take what stands before the cut, set salvage = true in [source] of a card, "
            "--set salvage=true, or salvage=True in eb.read",
        ),
        (b"", "the file is empty (0 bytes)", "fetch the file again"),
        (
            atis_bytes([(9, 0, 0, 1), (5, 0, 0, 1), (7, 0, 0, 1), (6, 0, 0, 1)]),
            "time steps back at 2 of 4 events, first at event 1, by 4 us at most",
            "if the file is sound, set sort = true in [source] of a card, --set sort=true, or sort=True in eb.read",
        ),
    ],
)
def test_a_recording_that_cannot_be_decoded_is_a_problem(
    tmp_path: Path, data: bytes, what: str, fix: str
) -> None:
    path = tmp_path / "bad.bin"
    path.write_bytes(data)
    result = run(path)
    assert result.exit_code == 1
    assert result.stdout.endswith(f"  problem:    {what}\n    do:       {fix}\nverdict: broken: 1 problem\n")
    (problem,) = json.loads(run(path, "--json").stdout)["problems"]
    assert (problem["what"], problem["fix"], problem["breaks"]) == (what, fix, True)


def test_events_outside_the_sensor_given_are_a_problem(tmp_path: Path) -> None:
    path = planted(tmp_path, [(0, 7, 0, 1), (2000, 1, 1, 0)])
    result = run(path, "--sensor", "4x4")
    assert result.exit_code == 1
    message = "  problem:    1 of 2 events lie outside the sensor: x is 1 to 7, y 0 to 1\n"
    assert message in result.stdout
    assert run(path, "--sensor", "8x8").exit_code == 0
    error = run(path, "--sensor", "8").exception
    assert isinstance(error, BadSpec)
    assert str(error) == "--sensor is '8'; allowed: width x height in pixels, as in 128x128"


def test_what_cannot_be_examined_is_refused(tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("nothing here")
    for path, message in (
        (tmp_path / "gone.bin", f"{tmp_path / 'gone.bin'}: cannot be read: No such file or directory"),
        (notes, f"{notes}: no known format: first bytes b'nothing ', ending '.md'; allowed: "),
    ):
        error = run(path).exception
        assert isinstance(error, BadRecording)
        assert str(error).startswith(message)
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
    assert [(one["about"], one["what"], one["breaks"]) for one in facts["problems"]] == [
        ("leak", "the same recording in test and train: Test/3/00001.bin, Train/3/00007.bin", True),
        ("duplicate", "the same events 2 times in 2 folders: Train/3/00001.bin, Train/4/00002.bin", False),
    ]
    assert facts["verdict"] == "broken"
    assert "  duplicates  2 recordings have the events of another\n" in run(tmp_path).stdout


def test_an_unreadable_recording_of_a_folder_is_a_problem_with_its_reason(tmp_path: Path) -> None:
    planted(tmp_path, busy(200), "Train/0/1.bin")
    (tmp_path / "Train" / "0" / "2.bin").write_bytes(b"\x00" * 7)
    (tmp_path / "Train" / "0" / "3.bin").symlink_to(tmp_path / "gone")
    facts = folder_facts(tmp_path)
    assert (facts["recordings"], facts["readable"]) == (3, 1)
    first, second = facts["problems"]
    assert (first["path"], second["path"]) == ("Train/0/2.bin", "Train/0/3.bin")
    assert first["what"].startswith("truncated: 7 bytes")
    assert second["what"] == "cannot be read: No such file or directory"
    assert run(tmp_path).stdout.endswith("verdict: broken: 2 problems\n")


def test_no_pixel_of_the_real_recordings_is_a_problem(shared_data: Path) -> None:
    paths = sorted((shared_data / "nmnist_small" / "Test").rglob("*.bin"))
    for path in [*paths, *sorted((shared_data / "recordings").glob("*.bs2"))]:
        examined = examine(path)
        assert examined.problems == [], path
        assert examined.summary is not None
        assert examined.summary.hot_pixels == [], path


def problems_of(path: Path, *arguments: object) -> list[dict[str, Any]]:
    return json.loads(run(path, "--json", *arguments).stdout)["problems"]


def warnings_of(path: Path) -> list[dict[str, Any]]:
    return json.loads(run(path, "--json").stdout)["warnings"]


def saved(path: Path, events: list[Event] | np.ndarray, **changes: Any) -> Path:
    t, x, y, p = np.array(events).T
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(npz_bytes(**({"t": t, "x": x, "y": y, "p": p} | changes)))
    return path


def test_text_out_of_order_is_a_finding_and_notes_are_passed_over(tmp_path: Path) -> None:
    rows = [f"{t} {i % 5} {i % 3} {i % 2}" for i, t in enumerate([10, 900, 300, 1200, 1100, 1300, 1400])]
    (tmp_path / "events.txt").write_text("\n".join(rows))
    (tmp_path / "readme.txt").write_text("These are recordings.\n")
    (problem,) = problems_of(tmp_path / "events.txt")
    assert (problem["about"], problem["breaks"]) == ("order", True)
    assert problem["what"] == "time steps back at 2 of 7 events, first at event 2, by 600 us at most"
    assert problem["fix"].startswith("if the file is sound, set sort = true")
    facts = folder_facts(tmp_path)
    assert facts["passed_over"] == ["readme.txt"]
    assert [(one["path"], one["about"]) for one in facts["problems"]] == [("events.txt", "order")]
    assert "  events      7 as the file has them\n" in run(tmp_path / "events.txt").stdout


@pytest.mark.slow
@given(recordings(least=2), st.randoms(use_true_random=False))
def test_signs_agree_with_counting_one_by_one(events: Events, random: Any) -> None:
    order = list(range(len(events)))
    random.shuffle(order)
    t, x, y, p = (column[order] for column in (events.t, events.x, events.y, events.p))
    size = (max(1, events.sensor[0] // 2), events.sensor[1])
    found = signs_of([RawColumns(t, x, y, p)], size)
    back = [(i, int(a) - int(b)) for i, (a, b) in enumerate(pairwise(t), start=1) if b < a]
    assert found.steps_back == len(back)
    assert found.first_back == (back[0][0] if back else None)
    assert found.furthest_back_us == max((by for _, by in back), default=0)
    assert found.outside == sum(int(a) >= size[0] for a in x)
    assert found.polarities == sorted({int(value) for value in p})


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (np.array([0, 1, 1], np.int8), "0 and 1 (int8)"),
        (np.array([-1, 1, 1], np.int64), "-1 and +1 (int64)"),
        (np.array([False, True, True]), "bool, true is ON"),
        (np.array([1, 1, 1], np.int64), "only 1 (int64), of 0 and 1 or -1 and +1 or 1 and 2"),
        (np.array([1, 2, 2], np.int64), "1 and 2, counted from 1 (int64)"),
        (np.array([0, 3, 7], np.int64), "0, 3, 7 (int64), which is none known"),
    ],
)
def test_the_convention_of_polarity_is_told_as_the_file_has_it(
    tmp_path: Path, p: np.ndarray, message: str
) -> None:
    path = saved(tmp_path / "a.npz", [(0, 0, 0, 0), (500, 1, 1, 0), (9000, 2, 2, 0)], p=p)
    result = run(path, "--json")
    facts = json.loads(result.stdout)
    assert facts["polarity_convention"] == message
    refused = int(p.max() > 1)
    assert [one["about"] for one in facts["problems"]] == ["polarity"] * refused
    assert result.exit_code == refused
    assert message in run(path).stdout


def test_columns_of_every_format_that_has_some_are_looked_at(tmp_path: Path) -> None:
    events = busy(40)
    columns = dict(zip("txyp", np.array(events).T, strict=True))
    savemat(tmp_path / "a.mat", columns)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, column in columns.items():
            file[f"events/{name}"] = column
        file["t_offset"] = 7
    np.save(tmp_path / "a.npy", structured(columns, "xytp"))
    lines = [",".join(map(str, event)) for event in events]
    (tmp_path / "a.csv").write_text("t,x,y,p\n" + "\n".join(lines))
    (tmp_path / "a.bin").write_bytes(atis_bytes(events))
    words = b"".join(struct.pack("<II", t, p << 28 | y << 14 | x) for t, x, y, p in events)
    (tmp_path / "a.dat").write_bytes(b"% Version 2\n% Width 40\n% Height 40\n\x0c\x08" + words)
    for path in sorted(tmp_path.iterdir()):
        found = examine(path)
        assert found.raw is not None, path
        assert found.summary is not None, path
        offset = 7 if path.suffix == ".h5" else 0
        assert (found.raw.rows, found.raw.t_us) == (40, (offset, offset + 39 * 50)), path
        assert found.raw.polarities == [0, 1], path
        assert found.raw.x == (min(columns["x"]), max(columns["x"])), path


def test_coordinates_that_count_from_one_are_told_apart_from_others(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("4 3\n" + "\n".join(f"{100 * i} {i % 4 + 1} {i % 3 + 1} {i % 2}" for i in range(24)))
    (problem,) = problems_of(path)
    assert problem["what"] == "12 of 24 events lie outside the sensor: x is 1 to 4, y 1 to 3"
    assert problem["fix"] == f"x and y seem to count from 1: {how_to_set('first', 1)}"
    path.write_text("4 3\n" + "\n".join(f"{100 * i} {i % 6} {i % 3} {i % 2}" for i in range(24)))
    assert problems_of(path)[0]["fix"].startswith(
        "give the true sensor size, or, to leave these events out, set outside = "
    )


def test_overflow_markers_and_a_clock_that_began_anew_are_counted(tmp_path: Path) -> None:
    events = [(100 * i, i % 9, i % 7, i % 2) for i in range(40)]
    path = tmp_path / "marked.bin"
    path.write_bytes(atis_bytes([*events[:20], (0, 0, 240, 0), (0, 0, 240, 0), *events[20:]]))
    assert "  left out    2 overflow markers (y = 240)\n" in run(path).stdout
    wrapped = tmp_path / "wrapped.aedat"
    times = [2**32 - 300, 2**32 - 200, 2**32 - 100, 50, 5000, 9000]
    words = [(k << 8 | k << 1 | k % 2, t) for k, t in enumerate(times)]
    header = b"#!AER-DAT2.0\r\n# AEChip: ch.unizh.ini.caviar.chips.DVS128\r\n"
    data = header + b"".join(struct.pack(">II", *word) for word in [*words, (0x8000, 9001)])
    wrapped.write_bytes(data)
    output = run(wrapped).stdout
    assert "  clock       began anew 1 times, which is undone\n" in output
    assert "  left out    1 words that are no events\n" in output
    wrapped.write_bytes(data + struct.pack(">II", 2, 100))
    (problem,) = problems_of(wrapped)
    assert (problem["about"], "set sort = true in [source]" in problem["fix"]) == ("order", True)


def test_a_clock_of_23_bits_that_began_anew_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(
        atis_bytes([(2**23 - 100 + t if t < 100 else t - 100, 1, 1, 1) for t in range(0, 200, 10)])
    )
    (problem,) = problems_of(path)
    assert "the clock of 8,388,608 us began anew" in problem["fix"]


def test_the_same_events_in_two_formats_and_two_splits_are_found(tmp_path: Path) -> None:
    planted(tmp_path, busy(300), "a_train.bin")
    saved(tmp_path / "b-test.npz", busy(300))
    planted(tmp_path, busy(200), "test_pattern.bin")
    facts = folder_facts(tmp_path)
    assert facts["duplicates"] == [["a_train.bin", "b-test.npz"]]
    (leak,) = facts["problems"]
    assert leak["what"] == "the same recording in test and train: a_train.bin, b-test.npz"
    assert leak["breaks"]
    assert list(splits_of("train/1/test_2.bin")) == ["train"]
    assert list(splits_of("Validation/testing/1.bin")) == ["validation", "test"]
    assert list(splits_of("latest/pretrain.bin")) == []


def test_times_in_other_units_are_suspected_with_what_to_set(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    cells = rng.integers(0, 400, 20_000)

    def suspected(t: np.ndarray) -> tuple[str | None, str]:
        events = np.stack([np.sort(t), cells % 20, cells // 20, cells % 2], 1)
        facts = json.loads(run(saved(tmp_path / "a.npz", events), "--json").stdout)
        fixes = [one["fix"] for one in facts["warnings"] if one["about"] == "time unit"]
        return facts["suspected_unit"], fixes[0] if fixes else ""

    us = rng.integers(0, 5_000_000, 20_000)
    assert suspected(us) == (None, "")
    assert suspected(us // 1000) == ("ms", f"if so, {how_to_set('unit', 'ms')}")
    assert suspected(us * 1000) == ("ns", f"if so, {how_to_set('unit', 'ns')}")
    assert suspected(us * 1000 + 1_600_000_000 * 10**9)[0] == "ns"
    assert suspected(us + 1_600_000_000 * 10**6)[0] is None
    assert suspected(us // 50_000)[0] == "frame index"
    binary = planted(tmp_path, [(k, k % 9, k % 7, k % 2) for k in range(30)])
    assert warnings_of(binary)[0]["fix"] == (
        "nothing if it is so short a cut; if not, scale them: the step scale_time, least = most = 1000"
    )


def test_rounded_times_and_an_event_far_out_are_warned_of(tmp_path: Path) -> None:
    events = [(t // 2000 * 2000, x, y, p) for t, x, y, p in busy(4000)]
    assert [one["what"] for one in warnings_of(planted(tmp_path, events))] == [
        "its times come in steps of 2,000 us: they were rounded"
    ]
    (far,) = warnings_of(planted(tmp_path, [*busy(4000), (9, 250, 3, 0)]))
    assert (far["about"], far["what"]) == ("range", "x reaches 250, but 99.9% of events lie below 34")
    assert run(planted(tmp_path, [*busy(4000), (9, 250, 3, 0)]), "--sensor", "34x34").exit_code == 1


def test_a_recording_without_events_is_broken_in_every_format(tmp_path: Path) -> None:
    markers = tmp_path / "a.bin"
    markers.write_bytes(atis_bytes([(0, 0, 240, 0)] * 12))
    none = np.empty(0, np.int64)
    columns = tmp_path / "a.npz"
    columns.write_bytes(npz_bytes(t=none, x=none, y=none, p=none))
    for path in (markers, columns):
        for arguments in ((), ("--sensor", "8x8")):
            (problem,) = problems_of(path, *arguments)
            assert (problem["about"], problem["what"], problem["breaks"]) == ("empty", "no event in it", True)
    assert folder_facts(tmp_path)["duplicates"] == []


def test_a_file_of_many_recordings_is_examined_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "spikes_train.h5"
    rows = [np.sort(np.random.default_rng(k % 3).random(50)) for k in range(4)]
    with h5py.File(path, "w") as file:
        floats, whole = h5py.vlen_dtype(np.float64), h5py.vlen_dtype(np.int64)
        times = file.create_dataset("spikes/times", (4,), floats)
        units = file.create_dataset("spikes/units", (4,), whole)
        for k, row in enumerate(rows):
            times[k], units[k] = row, np.arange(50) * 13
    facts = folder_facts(path)
    assert (facts["recordings"], facts["formats"], facts["events"]) == (4, {"spikes_hdf5": 4}, 200)
    assert facts["duplicates"] == [["spikes_train.h5#0", "spikes_train.h5#3"]]
    assert facts["warnings"] == []


def test_a_store_of_ours_is_no_recording_of_a_folder(tmp_path: Path) -> None:
    planted(tmp_path, busy(200))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["format"] = "eventbench"
    facts = folder_facts(tmp_path)
    assert (facts["recordings"], facts["passed_over"]) == (1, ["a.h5"])


def test_a_recording_in_another_unit_than_its_neighbours_is_named(tmp_path: Path) -> None:
    for k in range(4):
        saved(tmp_path / f"{k}.npz", [(t + k, x, y, p) for t, x, y, p in busy(300)])
    saved(tmp_path / "odd.npz", [(t * 1000, x, y, p) for t, x, y, p in busy(310)])
    message = [one["what"] for one in folder_facts(tmp_path)["warnings"] if not one["path"]]
    assert message == ["1 last 100 times longer or shorter than most (14,950 us): odd.npz"]


def test_a_finding_of_many_recordings_is_told_a_few_times(tmp_path: Path) -> None:
    for k in range(9):
        planted(tmp_path, [(1000 * i + k, i % 5, i % 3, 1) for i in range(30)], f"{k}.bin")
    output = run(tmp_path).stdout
    assert output.count("only ON events") == 5
    assert output.count("    do:       ") == 1
    assert "  warning:    polarity, the same with 4 recordings more; --json tells all\n" in output
    assert output.endswith("verdict: usable with care: 9 warnings\n")
    assert len(folder_facts(tmp_path)["warnings"]) == 9


def test_every_real_recording_gets_a_verdict_and_every_finding_a_remedy(shared_data: Path) -> None:
    folder = examine_folder(shared_data / "recordings")
    assert {one.path for one in folder.problems if one.breaks} == {
        "cochlea_not_a_camera.aedat",
        "nmnist_train00001_events.csv",
    }
    for finding in [*folder.problems, *folder.warnings]:
        assert finding.about
        assert finding.what
        assert finding.fix
    for one in folder.recordings:
        assert one.suspected_unit is None, one.path
    rare = {one.path: one for one in folder.recordings}
    assert rare["davis240c_mixed.aedat"].raw is not None
    assert rare["davis240c_mixed.aedat"].raw.other_words == 33_837
    assert rare["evk3_evt3.raw"].sensor_from == "stated by the file"
    assert rare["dvs128_walking.aedat"].polarity_convention == "one bit, 0 is ON"


def test_values_that_are_no_numbers_are_refused_and_never_printed_as_json(tmp_path: Path) -> None:
    def no_json(word: str) -> None:
        raise AssertionError(word)

    events = [(0, 0, 0, 0), (500, 1, 1, 0), (9000, 2, 2, 1)]
    for changes in (
        {"t": np.array([0.0, np.nan, 2.0])},
        {"t": np.array([np.inf, 0.0, 2.0])},
        {"x": np.array([np.nan] * 3)},
        {"p": np.array([0.0, np.inf, 1.0])},
    ):
        result = run(saved(tmp_path / "a.npz", events, **changes), "--json", "--sensor", "4x4")
        assert json.loads(result.stdout, parse_constant=no_json)["verdict"] == "broken"
        assert result.exit_code == 1
        run(tmp_path / "a.npz")


def test_how_a_recording_is_read_can_be_set(tmp_path: Path) -> None:
    path = tmp_path / "cut.bin"
    path.write_bytes(atis_bytes([(9, 0, 0, 1), (5, 0, 0, 1), (7, 40, 0, 1)]) + b"xy")
    options = [f"--set={setting}" for setting in ("sort=true", "outside=drop", "salvage=true")]
    facts = json.loads(run(path, "--sensor", "34x34", "--source", "atis_bin", *options, "--json").stdout)
    assert facts["events"] == 2
    assert facts["lost"] == {"outside_sensor": 1, "cut_off": 1}
    assert len(facts["notes"]) == 3
    with pytest.raises(
        BadSpec, match=r"atis_bin has no parameter 'srt'; allowed: sort, .*did you mean 'sort'"
    ):
        raise run(path, "--set", "srt=true").exception or AssertionError
