"""The page on odd files, `datasets/ODD_FILES.md`: its tables are `tests/support/odd_files.py`, and that is what the code does.

Where a row of the page is changed, change its entry there: a failing test prints the table that the page should have.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import eventbench as eb
from eventbench import home
from eventbench.doctor import examine, verdict
from eventbench.errors import BadRecording
from eventbench.recordings.read import Reading, read_counted
from tests.support.advice import read_by_advice, reading_of, settings_in
from tests.support.odd_file import OddFile, table
from tests.support.odd_files import PAGE

TEXT = (home.CHECKOUT / "datasets" / "ODD_FILES.md").read_text(encoding="utf-8")
CASES = {file: case for cases in PAGE.values() for case in cases for file in case.files}
NO_CASES = {"README.md", "5x_truth.npz", "30_truth.npz"}


@pytest.mark.parametrize("heading", PAGE)
def test_the_table_of_a_format_has_the_rows_of_its_cases(heading: str) -> None:
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert "\n".join(rows) == table(PAGE[heading]), table(PAGE[heading])


def test_no_table_of_the_page_and_no_kind_is_untried() -> None:
    headings = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    assert headings == [*PAGE]
    kinds = [(heading, case.kind) for heading, cases in PAGE.items() for case in cases]
    assert len(kinds) == len(set(kinds))
    assert all(case.files for cases in PAGE.values() for case in cases)
    assert len(CASES) == sum(len(case.files) for cases in PAGE.values() for case in cases)


def test_the_page_names_every_reason_of_its_accounts() -> None:
    listed = set(re.findall(r"^\* `(\w+)`:", TEXT, re.MULTILINE))
    assert listed == {reason for case in CASES.values() for reason in (*case.lost, *case.notes)}


def test_every_case_at_hand_is_on_the_page(shared_cases: Path) -> None:
    assert {path.name for path in shared_cases.iterdir()} - NO_CASES == set(CASES)


@pytest.mark.parametrize("file", CASES)
def test_by_default_an_odd_file_does_what_the_page_says(file: str, shared_cases: Path) -> None:
    case, path = CASES[file], shared_cases / file
    if case.outcome == "refused":
        with pytest.raises(BadRecording, match=case.words) as refusal:
            eb.read(path)
        assert refusal.value.fix
        assert case.settings or "fetch" not in refusal.value.fix
        assert has_problems(path)
        return
    examined = examine(path)
    assert not examined.problems
    doubts = [finding for finding in examined.warnings if finding.about == "time unit"]
    notes = [note for note in read_counted(path).notes if note.kind == "unit"]
    if case.outcome != "doubted":
        eb.read(path)  # without a warning, which is an error here
        assert not notes
        return
    with pytest.warns(eb.EventbenchWarning, match=case.words) as warned:
        eb.read(path)
    (doubt,), (note,), (warning,) = doubts, notes, warned
    assert str(warning.message) == f"{path}: {note.what}; {note.fix}"
    assert doubt.what == note.what
    assert settings_in(doubt.fix) == settings_in(note.fix) == case.settings


def has_problems(path: Path) -> bool:
    """Whether doctor says so, in a finding or, of what it cannot examine, by its refusal."""
    try:
        return bool(examine(path).problems)
    except BadRecording:
        return True


@pytest.mark.parametrize("file", [file for file, case in CASES.items() if case.events is not None])
def test_what_the_page_says_leads_to_the_events(file: str, shared_cases: Path) -> None:
    case, path = CASES[file], shared_cases / file
    if case.advised and case.outcome != "doubted":
        assert read_by_advice(path)[1] == case.settings
    found = read_counted(path, reading_of(case.settings))
    assert len(found.events) == case.events
    assert case.sensor in (None, found.events.sensor)
    assert dict(found.lost) == case.lost
    assert {note.kind for note in found.notes} == set(case.notes)
    examined = examine(path, reading_of(case.settings))
    assert not examined.problems or not case.events
    if case.truth == "txyp" and not case.within_us and not case.lost:
        assert verdict(examined.problems, examined.warnings) == "healthy"
    if case.truth:
        agrees(found.events, case, dict(np.load(shared_cases / case.truth_file)))


def agrees(events: eb.Events, case: OddFile, truth: dict[str, np.ndarray]) -> None:
    """The columns that the case names are those of the truth: its beginning, where the file holds less."""
    rows = np.arange(len(truth["t"]))
    if case.without is not None:
        rows = np.delete(rows, case.without)
    rows = rows[: len(events)]
    shift = 0 if case.starts_us is None else case.starts_us - truth["t"][0]
    assert np.abs(events.t - (truth["t"][rows] + shift)).max() <= case.within_us
    for key in case.truth.replace("t", ""):
        assert np.array_equal(getattr(events, key), truth[key][rows]), key


def test_what_else_the_page_offers(shared_cases: Path) -> None:
    """Settings among the cures, which no message needs to advise."""

    def read(file: str, **parameters: Any) -> eb.Events:
        return read_counted(shared_cases / file, Reading(parameters=parameters)).events

    marked = {"camera": "DAVIS346", "marked": "keep"}
    assert len(read("32_v2e_346_noise_labels.aedat", **marked)) == 400
    from_zero, from_one = (read("70_gorchard_TD_struct.mat", first=first) for first in ("0", "1"))
    assert np.array_equal(from_zero.x, from_one.x + 1)


def test_the_page_is_about_kinds_and_not_about_files() -> None:
    assert not [file for file in CASES if file in TEXT]
    assert "shared" not in TEXT


def test_files_of_the_same_events_agree(shared_cases: Path) -> None:
    """Without a truth of their own: chips that jAER turns and AEDAT 3.1 does not, and an order that was sorted away."""
    plain = eb.read(shared_cases / "37a_aedat31_DVS128.aedat")
    for file in ("33d_jaer_chip_DVS128.aedat", "33j_jaer_chip_Tmpdiff128.aedat"):
        assert eb.read(shared_cases / file) == plain
    davis = eb.read(shared_cases / "33a_jaer_chip_SBret10.aedat")
    assert np.array_equal(davis.x % 128, plain.x)
    assert np.array_equal(davis.y % 128, plain.y)
    real = eb.read(shared_cases / "a3r_logictronix_xytp_real.csv")
    again, _ = read_by_advice(shared_cases / "a3s_logictronix_sorted_as_the_doctor_says.csv")
    assert real.duration_us == 350
    assert np.array_equal(again.t, real.t)
