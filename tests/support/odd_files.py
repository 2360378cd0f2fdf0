"""Inputs that people run into, by format and kind: the tables of `datasets/ODD_FILES.md`."""

from __future__ import annotations

from typing import Any

from tests.support.odd_file import OddFile
from tests.support.odd_files_columns import HDF5, MATLAB, NUMPY, TEXT

STEPS = {"words": "time runs backwards", "settings": {"sort": "true"}, "notes": ("steps_back",)}
BACK: dict[str, Any] = {"outcome": "refused", "because": "time steps back", **STEPS}
OUTSIDE: dict[str, Any] = {
    "outcome": "refused",
    "because": "an event lies off the sensor",
    "words": "allowed: 0 to",
    "settings": {"outside": "drop"},
    "lost": {"outside_sensor": 1},
}
VGA, HD, GEN_X = (640, 480), (1280, 720), (320, 320)
TRUTH_346: dict[str, Any] = {
    "truth": "txyp",
    "truth_file": "30_truth.npz",
    "sensor": (346, 260),
    "events": 400,
}

EVT = (
    OddFile(
        kind="EVT3 with external triggers",
        files=("01_evt3_newheader_ext_trigger.raw",),
        because="triggers are counted and left out",
        events=3,
        sensor=HD,
        notes=("triggers",),
    ),
    OddFile(
        kind="EVT3 with words of other kinds",
        files=("02_evt3_others_continued.raw",),
        because="such words are counted and left out",
        events=2,
        sensor=HD,
        notes=("other_words",),
    ),
    OddFile(kind="EVT3 with half a vector", files=("03_evt3_incomplete_vect.raw",), events=3, sensor=HD),
    OddFile(kind="EVT3 whose 24-bit clock wraps", files=("04_evt3_wrap24.raw",), events=5, sensor=HD),
    OddFile(
        kind="EVT3: one bit of a clock word flipped",
        files=("05r_evt3_real_one_bit_flipped.raw",),
        because="the damaged word is passed over, doctor says where",
        events=219_596,
        sensor=HD,
        notes=("clock_words_damaged",),
    ),
    OddFile(
        kind="EVT3 whose clock begins anew",
        files=("06_evt3_timer_reset.raw",),
        outcome="refused",
        because="the clock begins anew",
        words="the clock begins anew at byte",
        settings={"restart": "join"},
        events=200,
        notes=("clock_restarts",),
    ),
    OddFile(
        kind="EVT3: an event off the sensor",
        files=("07_evt3_off_geometry.raw",),
        events=101,
        notes=("outside_sensor",),
        **OUTSIDE,
    ),
    OddFile(
        kind="EVT3 cut off",
        files=("08_evt3_odd_byte.raw",),
        outcome="refused",
        because="half a word at the end",
        words="truncated",
        settings={"salvage": "true"},
        events=100,
        lost={"cut_off": 1},
        notes=("cut_off",),
    ),
    OddFile(
        kind="EVT2: events before the first clock word",
        files=("10_evt2_before_time_high.raw",),
        because="those have no time and are left out",
        events=40,
        sensor=VGA,
        lost={"before_clock": 40},
        notes=("before_clock",),
    ),
    OddFile(kind="EVT2 whose 34-bit clock wraps", files=("11_evt2_wrap34.raw",), events=4, sensor=VGA),
    OddFile(kind="EVT2, header with CR LF", files=("12_evt2_crlf_header.raw",), events=40, sensor=VGA),
    OddFile(
        kind="EVT2, header in UTF-8",
        files=("13_evt2_utf8_header.raw", "d8_evt2_utf8_header_aligned.raw"),
        events=40,
        sensor=VGA,
    ),
    OddFile(
        kind="EVT2, header without a line `evt`",
        files=("14_evt2_no_evt_line.raw",),
        because="encoding told by `system_ID`",
        events=40,
        sensor=VGA,
        notes=("header",),
    ),
    OddFile(
        kind="EVT2, size told by `system_ID` only",
        files=("15_evt2_system_id_only.raw",),
        events=40,
        sensor=VGA,
    ),
    OddFile(
        kind="EVT2: a clock word steps back a little",
        files=("16_evt2_small_step_back.raw",),
        events=5,
        sensor=VGA,
        **BACK,
    ),
    OddFile(
        kind="EVT2: two clock words swapped in a real file",
        files=("16r_evt2_real_time_high_swapped.raw",),
        events=59_661,
        sensor=VGA,
        **BACK,
    ),
    OddFile(
        kind="EVT2, a sound file of a real camera", files=("16r_evt2_real_ok.raw",), events=59_661, sensor=VGA
    ),
    OddFile(
        kind="EVT2.1 of either byte order",
        files=("17_evt21_genx320_little.raw", "17b_evt21_genx320_legacy.raw"),
        events=5,
        sensor=GEN_X,
    ),
    OddFile(
        kind="EVT2.1, NUL bytes in the header",
        files=("d3_evt21_header_with_nul.raw",),
        events=80,
        sensor=GEN_X,
    ),
    OddFile(kind="EVT4 whose events step back", files=("18_evt4.raw",), events=3, sensor=HD, **BACK),
    OddFile(
        kind="AER-8b",
        files=("19_aer8b.raw",),
        outcome="refused",
        because="not decoded here, named for what it is",
        words=r"its encoding is AER-8b; .*metavision_file_to_csv",
        cure="convert it with Prophesee's `metavision_file_to_csv`",
    ),
)
DAT = (
    OddFile(kind="older header", files=("20_dat_gen1_td.dat",), events=100, sensor=(304, 240)),
    OddFile(
        kind="geometry of 0x0",
        files=("24_dat_wrong_geometry_zero.dat",),
        because="the smallest sensor that holds every event",
        cure="`sensor=WxH` for the true size",
        events=100,
        sensor=(100, 100),
    ),
    OddFile(kind="time steps back", files=("21_dat_step_back.dat",), events=101, **BACK),
    OddFile(
        kind="a file of external triggers",
        files=("23_dat_ext_trigger.dat",),
        outcome="refused",
        because="no events of pixels",
        words="these are external triggers",
        cure="take the file beside it that ends in `_td.dat`",
    ),
)
NO_CHIP: dict[str, Any] = {
    "outcome": "refused",
    "because": "the header names no chip",
    "words": "names no chip",
    "settings": {"camera": "DAVIS346"},
}
AEDAT = (
    OddFile(kind="AEDAT 2.0 of v2e, 346x260", files=("30_v2e_346.aedat",), **NO_CHIP, **TRUTH_346),
    OddFile(
        kind="AEDAT 2.0 of v2e with noise marked",
        files=("32_v2e_346_noise_labels.aedat",),
        events=205,
        lost={"marked": 195},
        notes=("marked",),
        cure="`marked=keep` for the noise too",
        **NO_CHIP,
    ),
    OddFile(
        kind="AEDAT 2.0, names of chips of the DAVIS240's family",
        files=(
            "33a_jaer_chip_SBret10.aedat",
            "33b_jaer_chip_Davis240B.aedat",
            "33c_jaer_chip_DAViS240.aedat",
        ),
        events=400,
        sensor=(240, 180),
    ),
    OddFile(
        kind="AEDAT 2.0, names of chips of the DVS128's family",
        files=(
            "33d_jaer_chip_DVS128.aedat",
            "33e_jaer_chip_DVS128_FX2.aedat",
            "33j_jaer_chip_Tmpdiff128.aedat",
        ),
        events=400,
        sensor=(128, 128),
    ),
    OddFile(
        kind="AEDAT 2.0, names of chips of the DAVIS346's family",
        files=("33f_jaer_chip_Davis346B.aedat", "33g_jaer_chip_Davis346BaseCamera.aedat"),
        events=400,
        sensor=(346, 260),
    ),
    OddFile(
        kind="AEDAT 2.0 with more pixels than the chip it names",
        files=("33k_jaer_chip_DAVIS208.aedat",),
        outcome="refused",
        because="events lie off that chip, the one they fit is named",
        words="off the 208x192 pixels",
        settings={"camera": "DAVIS240"},
        events=400,
        sensor=(240, 180),
    ),
    OddFile(kind="AEDAT 2.0 made by aedat4to2", files=("d0_aedat4to2_DAVI346.aedat",), **TRUTH_346),
    OddFile(
        kind="AEDAT 2.0 whose first event begins with `#`",
        files=("d2_davis346_first_event_is_hash.aedat", "d2b_first_event_hash_newline.aedat"),
        events=400,
        sensor=(346, 260),
    ),
    OddFile(
        kind="AEDAT 2.0: an event off the sensor",
        files=("34_dhp19_out_of_bounds.aedat",),
        events=399,
        notes=("outside_sensor",),
        **OUTSIDE,
    ),
    OddFile(kind="AEDAT 2.0: time steps back", files=("35_jaer_step_back.aedat",), events=400, **BACK),
    OddFile(kind="AEDAT 3.1 of a DVS128", files=("37a_aedat31_DVS128.aedat",), events=400, sensor=(128, 128)),
    OddFile(
        kind="AEDAT 3.1 of a DAVIS240C", files=("37b_aedat31_DAVIS240C.aedat",), events=400, sensor=(240, 180)
    ),
    OddFile(
        kind="AEDAT 3.1 out of a filter of cAER",
        files=("37f_aedat31_NoiseFilter.aedat",),
        events=400,
        sensor=(128, 128),
    ),
    OddFile(
        kind="AEDAT 3.1 of any other source name",
        files=("37c_aedat31_DVXplorer.aedat", "37g_aedat31_Processor.aedat", "37i_aedat31_Dynapse.aedat"),
        because="the smallest sensor that holds every event, which is told",
        cure="`sensor=WxH` for the true size",
        events=400,
        notes=("header",),
    ),
    OddFile(
        kind="AEDAT 4 in five compressions",
        files=tuple(f"40_dvproc_{name}.aedat4" for name in ("LZ4", "LZ4_HIGH", "NONE", "ZSTD", "ZSTD_HIGH")),
        events=20_000,
        sensor=VGA,
    ),
    OddFile(kind="AEDAT 4 in order", files=("41_full.aedat4",), events=40_000, sensor=VGA),
    OddFile(
        kind="AEDAT 4: packets out of order", files=("42_packets_out_of_order.aedat4",), events=40_000, **BACK
    ),
    OddFile(
        kind="AEDAT 4: two streams of events",
        files=("43_stereo.aedat4",),
        because="the first stream, the other is told",
        cure="`stream=1` for the other",
        events=3_000,
        notes=("other_streams",),
    ),
    OddFile(
        kind="AEDAT 4: an event off the sensor",
        files=("44_off_resolution.aedat4",),
        events=2_000,
        notes=("outside_sensor",),
        **OUTSIDE,
    ),
)
BAGS = (
    OddFile(
        kind="a bag of ROS 1 or 2 that is damaged or has no index, or any without `pip install eventbench[ros]`",
        files=("d5_ros1.bag", "d6_ros2.mcap", "d7_ros2.db3"),
        outcome="refused",
        because="named for what it is",
        words="a ROS 1 bag|an MCAP file|bags of ROS 2",
        cure="install the extra; mend the bag (`rosbag reindex`, `mcap recover`)",
    ),
)
PAGE = {
    "Prophesee RAW": EVT,
    "Prophesee DAT": DAT,
    "AEDAT": AEDAT,
    "HDF5": HDF5,
    "MATLAB": MATLAB,
    "NumPy": NUMPY,
    "Text and CSV": TEXT,
    "Bags of ROS": BAGS,
}
