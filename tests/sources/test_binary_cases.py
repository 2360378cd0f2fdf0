"""Small binary files that people who do this job run into (`../shared/cases`): each is read, or refused with what helps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import eventbench as eb
from eventbench.errors import BadRecording
from eventbench.recordings.read import Reading, read_counted

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"

READ = {
    "01_evt3_newheader_ext_trigger.raw": (3, (1280, 720)),
    "02_evt3_others_continued.raw": (2, (1280, 720)),
    "03_evt3_incomplete_vect.raw": (3, (1280, 720)),
    "04_evt3_wrap24.raw": (5, (1280, 720)),
    "11_evt2_wrap34.raw": (4, (640, 480)),
    "12_evt2_crlf_header.raw": (40, (640, 480)),
    "13_evt2_utf8_header.raw": (40, (640, 480)),
    "14_evt2_no_evt_line.raw": (40, (640, 480)),
    "15_evt2_system_id_only.raw": (40, (640, 480)),
    "17_evt21_genx320_little.raw": (5, (320, 320)),
    "17b_evt21_genx320_legacy.raw": (5, (320, 320)),
    "20_dat_gen1_td.dat": (100, (304, 240)),
    "24_dat_wrong_geometry_zero.dat": (100, (100, 100)),
    "33a_jaer_chip_SBret10.aedat": (400, (240, 180)),
    "33c_jaer_chip_DAViS240.aedat": (400, (240, 180)),
    "33e_jaer_chip_DVS128_FX2.aedat": (400, (128, 128)),
    "33g_jaer_chip_Davis346BaseCamera.aedat": (400, (346, 260)),
    "33j_jaer_chip_Tmpdiff128.aedat": (400, (128, 128)),
    "37b_aedat31_DAVIS240C.aedat": (400, (240, 180)),
    "37c_aedat31_DVXplorer.aedat": (400, (128, 128)),
    "37f_aedat31_NoiseFilter.aedat": (400, (128, 128)),
    "37g_aedat31_Processor.aedat": (400, (128, 128)),
    "37i_aedat31_Dynapse.aedat": (400, (128, 128)),
    "40_dvproc_LZ4.aedat4": (20_000, (640, 480)),
    "40_dvproc_LZ4_HIGH.aedat4": (20_000, (640, 480)),
    "40_dvproc_NONE.aedat4": (20_000, (640, 480)),
    "40_dvproc_ZSTD.aedat4": (20_000, (640, 480)),
    "40_dvproc_ZSTD_HIGH.aedat4": (20_000, (640, 480)),
    "d0_aedat4to2_DAVI346.aedat": (400, (346, 260)),
    "d2_davis346_first_event_is_hash.aedat": (400, (346, 260)),
    "d2b_first_event_hash_newline.aedat": (400, (346, 260)),
    "d3_evt21_header_with_nul.raw": (80, (320, 320)),
    "d8_evt2_utf8_header_aligned.raw": (40, (640, 480)),
}

# File -> what the refusal says, events once its advice is followed, what is lost then.
REFUSED: dict[str, tuple[str, int, dict[str, int]]] = {
    "06_evt3_timer_reset.raw": ("the clock begins anew", 200, {}),
    "07_evt3_off_geometry.raw": ("y is 721", 101, {"outside_sensor": 1}),
    "08_evt3_odd_byte.raw": ("truncated", 100, {"cut_off": 1}),
    "16_evt2_small_step_back.raw": ("time runs backwards", 5, {}),
    "16r_evt2_real_time_high_swapped.raw": ("time runs backwards", 59_661, {}),
    "21_dat_step_back.dat": ("time runs backwards", 101, {}),
    "30_v2e_346.aedat": ("names no chip", 400, {}),
    "32_v2e_346_noise_labels.aedat": ("names no chip", 205, {"marked": 195}),
    "33k_jaer_chip_DAVIS208.aedat": ("off the 208x192 pixels", 400, {}),
    "34_dhp19_out_of_bounds.aedat": ("y is -47", 399, {"outside_sensor": 1}),
    "35_jaer_step_back.aedat": ("time runs backwards", 400, {}),
    "42_packets_out_of_order.aedat4": ("time runs backwards", 40_000, {}),
    "44_off_resolution.aedat4": ("x is 346", 2_000, {"outside_sensor": 1}),
}


def case(name: str) -> Path:
    if not CASES.is_dir():
        pytest.skip(f"{CASES} is not here: files of this test lie there")
    return CASES / name


def advised(refusal: str) -> dict[str, Any]:
    """The parameters that a refusal's advice sets, in the words of the command line."""
    return dict(re.findall(r"--set (\w+)=(\w+)", refusal))


@pytest.mark.parametrize("name", READ)
def test_sound_files_are_read(name: str) -> None:
    events = eb.read(case(name))
    assert (len(events), events.sensor) == READ[name]


@pytest.mark.parametrize("name", REFUSED)
def test_the_advice_of_a_refusal_is_a_parameter_that_leads_to_the_events(name: str) -> None:
    says, count, lost = REFUSED[name]
    with pytest.raises(BadRecording, match=says) as refused:
        eb.read(case(name))
    found = read_counted(case(name), Reading(parameters=advised(str(refused.value))))
    assert (len(found.events), dict(found.lost)) == (count, lost)
    assert found.notes or "camera" in advised(str(refused.value))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("18_evt4.raw", "encoding is 4.0; .*metavision_file_to_hdf5"),
        ("19_aer8b.raw", "encoding is AER-8b; .*metavision_file_to_hdf5"),
        ("23_dat_ext_trigger.dat", "these are external triggers"),
    ],
)
def test_what_is_not_decoded_is_named(name: str, words: str) -> None:
    with pytest.raises(BadRecording, match=words):
        eb.read(case(name))


def test_a_flipped_bit_of_a_real_file_changes_no_time(shared_data: Path) -> None:
    found = read_counted(case("05r_evt3_real_one_bit_flipped.raw"))
    assert found.events == eb.read(shared_data / "recordings" / "evk3_evt3.raw")
    assert [(note.kind, note.times) for note in found.notes] == [("clock_words_damaged", 357)]


def test_times_are_those_of_the_truth() -> None:
    early = read_counted(case("10_evt2_before_time_high.raw"))
    assert early.lost == {"before_clock": 40}
    assert early.events.t.tolist() == list(range(3_000_000_000, 3_000_000_040))
    assert eb.read(case("42_packets_out_of_order.aedat4"), sort=True) == eb.read(case("41_full.aedat4"))
    truth = np.load(case("30_truth.npz"))
    events = eb.read(case("30_v2e_346.aedat"), sensor=(346, 260))
    assert all(np.array_equal(getattr(events, column), truth[column]) for column in "txyp")


def test_the_other_stream_of_two_can_be_read() -> None:
    first = read_counted(case("43_stereo.aedat4"))
    (note,) = first.notes
    other = eb.read(case("43_stereo.aedat4"), stream=int(advised(note.fix)["stream"]))
    assert (len(first.events), len(other)) == (3_000, 1_000)
