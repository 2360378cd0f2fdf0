"""Times and streams of small binary files that people run into (`../shared/cases`), held to other files of the same events."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import eventbench as eb
from eventbench.recordings.read import read_counted
from tests.support.advice import settings_in


def test_a_flipped_bit_of_a_real_file_changes_no_time(shared_cases: Path, shared_data: Path) -> None:
    found = read_counted(shared_cases / "05r_evt3_real_one_bit_flipped.raw")
    assert found.events == eb.read(shared_data / "recordings" / "evk3_evt3.raw")
    assert [(note.kind, note.times) for note in found.notes] == [("clock_words_damaged", 357)]


def test_times_are_those_of_the_truth(shared_cases: Path) -> None:
    early = read_counted(shared_cases / "10_evt2_before_time_high.raw")
    assert early.lost == {"before_clock": 40}
    assert early.events.t.tolist() == list(range(3_000_000_000, 3_000_000_040))
    assert eb.read(shared_cases / "42_packets_out_of_order.aedat4", sort=True) == eb.read(
        shared_cases / "41_full.aedat4"
    )
    truth = np.load(shared_cases / "30_truth.npz")
    events = eb.read(shared_cases / "30_v2e_346.aedat", sensor=(346, 260))
    assert all(np.array_equal(getattr(events, column), truth[column]) for column in "txyp")


def test_the_other_stream_of_two_can_be_read(shared_cases: Path) -> None:
    first = read_counted(shared_cases / "43_stereo.aedat4")
    (note,) = first.notes
    other = eb.read(shared_cases / "43_stereo.aedat4", stream=int(settings_in(note.fix)["stream"]))
    assert (len(first.events), len(other)) == (3_000, 1_000)
