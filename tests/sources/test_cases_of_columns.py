"""The files of columns among the cases that people run into: read as the truth says, or refused with advice that works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import eventbench as eb
from eventbench.doctor import examine, verdict
from eventbench.errors import BadRecording
from tests.support.advice import read_by_advice, reading_of, settings_in

# What advice leads to the right events; nothing where the file is read at once.
READ: dict[str, dict[str, Any]] = {
    "50_v2e.h5": {},
    "51_v2e_polarity_4294967295.h5": {},
    "52_dsec_blosc_t_offset.h5": {},
    "53_mvsec.hdf5": {"group": "davis/left/events", "unit": "s"},
    "54_event_utils.h5": {"unit": "s"},
    "56_rvt_etram_td.h5": {},
    "57b_prophesee_plain.hdf5": {},
    "58_evl_raw_events.h5": {},
    "62_root_float_seconds.h5": {"unit": "s"},
    "63_names_timestamps.h5": {},
    "64_left_right.h5": {"group": "events_left"},
    "70_gorchard_TD_struct.mat": {},
    "72_aedattools.mat": {},
    "74_asl_like_ok.mat": {},
    "80_nx4_txyp_float64.npy": {"unit": "s"},
    "81_pedro_nx4_int.npy": {},
    "83_evimo1.npz": {"unit": "s"},
    "84_pickled_meta_and_columns.npz": {},
    "85_polarity_uint8_255.npz": {},
    "87_odd_names.npz": {},
    "90_tonic_structured.npy": {},
    "91_events_key_structured.npz": {},
    "94_timelens_fixed_point.npz": {"subpixels": "32"},
    "97_sensor_hw_swapped.npz": {"sensor": (346, 260)},
    "99_spikingjelly.npz": {},
    "a0_metavision_file_to_csv.csv": {},
    "a4_dv_export.csv": {},
    "a5_pandas_index_bool.csv": {},
    "a6_pandas_index_int.csv": {},
    "a8_v2e.txt": {},
    "b0_ecd_epoch_seconds.txt": {},
    "b1_e2vid_size_line.txt": {},
    "b3_german_excel.csv": {},
    "b4_german_excel_int.csv": {},
    "b5_utf16_excel.csv": {},
    "b6_polarity_words.csv": {},
    "b8_header_quoted.csv": {},
    "c3_fwf_tabs.tsv": {},
    "c5_float_xy_written_as_123.0.csv": {},
    "c6_prophesee_gui_header.csv": {},
    "c7_header_col_row.csv": {},
    "e1_ros_epoch_ns.csv": {},
    "e3_space_padded.txt": {},
}
# Files that are read, and whose unit doctor doubts, with the right one.
DOUBTED = {"82_esim_torch_ns.npz": "ns", "b2_ms_with_fraction.txt": "ms", "b9_esim_ns.csv": "ns", "c1_whole_seconds_first.txt": "ms"}  # fmt: skip
REFUSED = {
    "60_float_xy.h5": r"x is 63\.25 at event 0.*round rectified coordinates",
    "89_event_frames.npz": "frames or a grid of events",
    "93_object_array.npy": "pickled",
    "98_p_float_nan.npz": "p is nan at event 5",
    "d5_ros1.bag": "ROS 1 bag",
    "d6_ros2.mcap": "MCAP",
    "d7_ros2.db3": "ROS 2",
    "e5_json_lines.txt": "JSON",
}
SIZES = {"56_rvt_etram_td.h5": (1280, 720), "57b_prophesee_plain.hdf5": (1280, 720)}


@pytest.fixture(scope="module")
def truth(shared_cases: Path) -> dict[str, np.ndarray]:
    with np.load(shared_cases / "5x_truth.npz") as columns:
        return {key: columns[key] for key in "txyp"}


def agrees(events: eb.Events, truth: dict[str, np.ndarray], within_us: int = 0) -> None:
    """The events are the right ones, whatever their times count from."""
    assert len(events) == len(truth["t"])
    assert np.abs((events.t - events.t[0]) - (truth["t"] - truth["t"][0])).max() <= within_us
    for key in "xyp":
        assert np.array_equal(getattr(events, key), truth[key]), key


@pytest.mark.parametrize("file", READ)
def test_a_case_is_read_at_once_or_by_its_advice(
    file: str, shared_cases: Path, truth: dict[str, np.ndarray]
) -> None:
    events, followed = read_by_advice(shared_cases / file)
    assert followed == READ[file]
    agrees(events, truth)
    assert events.sensor == SIZES.get(file, (346, 260))
    examined = examine(shared_cases / file, reading_of(followed))
    assert verdict(examined.problems, examined.warnings) == "healthy"
    assert bool(followed) == bool(examine(shared_cases / file).problems)


@pytest.mark.parametrize("file", DOUBTED)
def test_a_unit_in_doubt_is_told_with_the_right_one(
    file: str, shared_cases: Path, truth: dict[str, np.ndarray]
) -> None:
    (doubt,) = [one for one in examine(shared_cases / file).warnings if one.about == "time unit"]
    assert settings_in(doubt.fix) == {"unit": DOUBTED[file]}
    agrees(eb.read(shared_cases / file, unit=DOUBTED[file]), truth, 1000 if file.startswith("c1") else 0)


@pytest.mark.parametrize("file", REFUSED)
def test_a_case_that_is_no_events_is_refused_for_its_reason(file: str, shared_cases: Path) -> None:
    with pytest.raises(BadRecording, match=REFUSED[file]) as refusal:
        eb.read(shared_cases / file)
    assert refusal.value.fix
    assert "fetch" not in refusal.value.fix


def test_orders_that_are_not_t_x_y_p_are_told(shared_cases: Path, truth: dict[str, np.ndarray]) -> None:
    for file in ("a2_xypt_first_columns_rise.csv", "a3_xypt_constant_x_p_last.csv"):
        assert np.array_equal(eb.read(shared_cases / file).t, truth["t"][:50])
    assert np.array_equal(eb.read(shared_cases / "a3b_xytp_sorted_x.csv").t, truth["t"][:400])
    real = eb.read(shared_cases / "a3r_logictronix_xytp_real.csv")
    assert (real.duration_us, real.sensor) == (350, (1244, 594))
    shuffled = shared_cases / "a3s_logictronix_sorted_as_the_doctor_says.csv"
    examined = examine(shuffled)
    assert verdict(examined.problems, examined.warnings) == "broken"
    events, followed = read_by_advice(shuffled)
    assert followed == {"order": "xytp", "sort": "true"}
    assert np.array_equal(events.t, real.t)
    assert events.sensor == real.sensor


def test_other_cases_lose_only_what_is_lost(shared_cases: Path, truth: dict[str, np.ndarray]) -> None:
    events, followed = read_by_advice(shared_cases / "c0_last_line_cut.txt")
    assert followed == {"salvage": "true"}
    assert np.array_equal(events.t, truth["t"][: len(events)])
    assert len(events) == 1999
    events, followed = read_by_advice(shared_cases / "88_float32_seconds.npz")
    assert followed == {"unit": "s"}
    agrees(events, truth, 8)
    with pytest.raises(BadRecording, match=r"float32 keeps them to 7\.6 us only"):
        eb.read(shared_cases / "88_float32_seconds.npz")
    assert len(eb.read(shared_cases / "59_empty_events.h5", sensor=(346, 260))) == 0
    events, followed = read_by_advice(shared_cases / "95_unsorted.npz")
    assert followed == {"sort": "true"}
    agrees(events, truth)
    assert len(eb.read(shared_cases / "c4_blank_line_in_middle.txt")) == 1999
