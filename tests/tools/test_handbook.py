"""The handbook is what the code makes of the cards, sources, representations and steps, and leaves none of them out."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tonic.functional import drop_pixel_numpy, identify_hot_pixel
from tonic.transforms import ToFrame

from eventbench import home, registry
from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.preprocess.events_store import events_store
from eventbench.preprocess.frames_store import frames_store
from eventbench.preprocess.report import account_of
from eventbench.representations._slices import RULES
from eventbench.representations.averaged_time_surface import AveragedTimeSurface
from eventbench.representations.binary import Binary
from eventbench.representations.frames import Frames
from eventbench.specs import catalog
from eventbench.steps.denoise import Denoise
from eventbench.steps.drop_hot_pixels import DropHotPixels
from eventbench.steps.refractory_period import RefractoryPeriod
from eventbench.store.read import FrameStore
from tests.support.miniatures import miniature
from tests.support.recordings import recordings
from tools.handbook import book, tables
from tools.handbook.cards import pages, short_paper
from tools.handbook.drawings import MAX_BYTES, is_same_picture
from tools.handbook.markdown import cell, prose, table
from tools.handbook.members import documented
from tools.handbook.tables import card_families, modes

PIPELINES = list(catalog.files("pipelines"))


@cache
def texts() -> dict[str, str]:
    return book.texts()


def rows(page: str, title: str) -> dict[str, list[str]]:
    """The rows of the first table below a heading, by what stands in their first cell."""
    section = re.split(r"^#+ ", page.split(f"\n## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    cells = [[part.strip() for part in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {re.sub(r"\[?`([^`]+)`\]?.*", r"\1", row[0]): row for row in cells}


@pytest.mark.slow
def test_the_committed_pages_and_pictures_are_what_the_code_makes() -> None:
    assert book.out_of_date(home.CHECKOUT) == {}, "run `make docs`"


def test_every_card_has_a_page_and_a_row() -> None:
    listed = rows(texts()["datasets/README.md"], "Data sets")
    assert set(listed) == set(catalog.files("datasets"))
    for page in pages():
        text = texts()[f"datasets/pages/{page.stem}.md"]
        for card in page.cards:
            assert f"`datasets/{card.path.name}`" in text
            assert f"(pages/{page.stem}.md)" in listed[card.id][0]
            for split in card.spec.splits.values():
                assert f"{split.samples:,}" in text
            for file in card.spec.obtain.files:
                assert all(value in text for value in (file.name, file.md5, file.sha256))


def test_every_format_representation_step_and_pipeline_has_a_row() -> None:
    pipelines = texts()["pipelines/README.md"]
    assert set(rows(texts()["datasets/README.md"], "Formats")) == set(registry.sources.names())
    assert set(rows(pipelines, "Representations")) == set(registry.representations.names())
    assert set(rows(pipelines, "Steps")) == set(registry.steps.names())
    for name in PIPELINES:
        assert f"({name}.toml)" in pipelines


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.representations.names())
def test_every_representation_has_a_small_picture(name: str) -> None:
    path = home.CHECKOUT / "pipelines" / "pictures" / f"{name}.png"
    assert path.stat().st_size <= MAX_BYTES
    with Image.open(path) as image:
        assert image.width >= 500
        assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 4
    assert f"(pictures/{name}.png)" in texts()["pipelines/README.md"]


@pytest.mark.parametrize("name", registry.representations.names())
def test_the_paper_a_row_names_is_the_one_the_code_names(name: str) -> None:
    paper = documented(registry.representations)[name].paper
    docstring = " ".join((registry.representations.get(name).__doc__ or "").split())
    if paper:
        author, year = re.match(r"[\w-]+", paper), re.findall(r"\b20\d\d\b", paper)
        assert author is not None
        assert author[0] in docstring
        assert year[-1] in docstring


def test_every_member_and_mode_that_speaks_of_a_peer_is_in_the_table_of_compatibility() -> None:
    ours_in_modes = " ".join(mode.ours for mode in modes())
    for family in (registry.representations, registry.steps):
        for name in family.names():
            path = family.path(name)
            if path is not None and re.search("tonic|spikingjelly", path.read_text(encoding="utf-8").lower()):
                assert f"`{name}`" in ours_in_modes, name
    for rule in RULES:
        if rule.startswith(("tonic", "spikingjelly")):
            assert f'"{rule}"' in ours_in_modes, rule


def test_the_tests_that_the_table_of_compatibility_names_are_there_and_name_the_peer() -> None:
    for mode in modes():
        if mode.tested_by:
            text = (home.CHECKOUT / "tests" / mode.tested_by).read_text(encoding="utf-8")
            assert mode.peer.lower() in text.lower(), mode.tested_by
        else:
            assert "bit for bit" not in mode.agrees, mode.theirs


def test_the_modes_named_in_the_table_can_be_built() -> None:
    assert Frames(split_by="spikingjelly_duration", duration_us=5, bins=None).split_by
    assert AveragedTimeSurface(tonic=True).tonic
    assert Denoise(tonic=True).tonic
    assert RefractoryPeriod(period_us=1, tonic=True).tonic


@given(recordings(least=2), st.sampled_from([0.5, 3.0, 1000.0, 40_000.0]))
@settings(deadline=None, max_examples=40)
def test_hot_pixels_above_a_rate_are_those_of_tonics_drop_pixel(events: Events, most_hz: float) -> None:
    if not events.duration_us:
        return
    array = events.to_structured().astype([("t", "i8"), ("x", "i8"), ("y", "i8"), ("p", "i8")])
    theirs = drop_pixel_numpy(array, identify_hot_pixel(array, most_hz))
    ours = DropHotPixels(most_hz=most_hz).apply(events)
    for name in "txyp":
        assert getattr(ours, name).tolist() == theirs[name].tolist()


@given(
    recordings(least=1),
    st.sampled_from([("tonic_time", "n_time_bins"), ("tonic_count", "n_event_bins")]),
    st.integers(1, 9),
)
@settings(deadline=None, max_examples=40)
def test_binary_frames_in_tonics_modes_are_where_tonics_frames_are_not_0(
    events: Events, modes: tuple[str, str], bins: int
) -> None:
    ours, theirs = modes
    expected = ToFrame((*events.sensor, 2), **{theirs: bins})(events.to_structured()) > 0
    got, _ = Binary(bins=bins, split_by=ours).apply(events)
    assert got.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", sorted(texts()))
def test_no_page_names_a_place_of_one_machine_or_leads_nowhere(name: str) -> None:
    text, folder = texts()[name], (home.CHECKOUT / name).parent
    assert not re.search(r"(?<![\w/])/(?:home|root|tmp|work|mnt|Users)/", text)
    headings = {line.lstrip("# ").lower().replace(" ", "-") for line in text.splitlines() if line[:1] == "#"}
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        path, _, place = target.partition("#")
        assert not path or (folder / path).is_file(), target
        assert path or place in headings, target


# Pipelines that are for one sensor.
SENSORS = {"frames_t16_crop35-v1": [128, 128]}


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_shipped_pipeline_makes_a_store_that_accounts_for_every_event(
    pipeline: str, tmp_path: Path
) -> None:
    mini = miniature(tmp_path, train=4, test=2, sensor=SENSORS.get(pipeline, [8, 6]))
    named = catalog.pipeline(pipeline)
    assert named.spec.about.title
    assert named.path.read_text(encoding="utf-8").startswith("# ")
    events_store(mini.named_card, mini.places.data, mini.places.cache)
    store = FrameStore(frames_store(mini.named_card, named, mini.places.cache).store)
    account = account_of(store)
    assert account["events"] == account["kept"] + sum(
        count for reason, count in account.items() if reason not in ("events", "kept")
    )


@pytest.mark.slow
def test_a_stale_missing_or_stray_page_is_named_and_mended(tmp_path: Path) -> None:
    for folder in ("datasets/pages", "pipelines/pictures"):
        shutil.copytree(home.CHECKOUT / folder, tmp_path / folder)
    for page in ("datasets/README.md", "pipelines/README.md"):
        shutil.copy(home.CHECKOUT / page, tmp_path / page)
    (tmp_path / "datasets/README.md").write_text("old", encoding="utf-8")
    (tmp_path / "datasets/pages/nmnist.md").unlink()
    (tmp_path / "datasets/pages/gone.md").write_text("of no card", encoding="utf-8")
    Image.new("RGB", (1112, 364)).save(tmp_path / "pipelines/pictures/frames.png")
    expected = {
        "datasets/README.md": "out of date",
        "datasets/pages/nmnist.md": "missing",
        "pipelines/pictures/frames.png": "out of date",
        "datasets/pages/gone.md": "about something that no longer exists",
    }
    assert book.out_of_date(tmp_path) == expected
    assert set(book.write_all(tmp_path)) == set(expected)
    assert book.out_of_date(tmp_path) == {}
    assert book.write_all(tmp_path) == []


@pytest.mark.slow
def test_the_command_says_that_all_is_well() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tools.handbook", "--check"], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_a_picture_of_another_size_or_other_colours_is_not_the_same(tmp_path: Path) -> None:
    image = Image.new("RGB", (60, 40), (10, 20, 30))
    image.save(tmp_path / "a.png")
    assert is_same_picture(tmp_path / "a.png", image)
    assert is_same_picture(tmp_path / "a.png", Image.new("RGB", (60, 40), (12, 20, 29)))
    assert not is_same_picture(tmp_path / "a.png", Image.new("RGB", (60, 41), (10, 20, 30)))
    assert not is_same_picture(tmp_path / "a.png", Image.new("RGB", (60, 40), (60, 20, 30)))
    assert not is_same_picture(tmp_path / "b.png", image)


@pytest.mark.parametrize(
    "family", [registry.sources, registry.representations], ids=lambda family: family.folder
)
def test_a_member_without_documentation_is_refused_by_name(
    family: registry.Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = family.names()[0]
    assert list(documented(family)) == family.names()
    monkeypatch.delattr(family.get(name), "about")
    with pytest.raises(BadSpec, match=rf"^eventbench/{family.folder}/{name}\.py: the .* '{name}' has no doc"):
        documented(family)


def test_an_unknown_key_of_a_table_is_refused_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (tables.FOLDER / "families.toml").read_text(encoding="utf-8")
    monkeypatch.setattr(tables, "FOLDER", tmp_path)
    for changed, line in (
        (text.replace("title =", "titles =", 1), r"^families\.toml: unknown key 'titles'"),
        (text.replace("[dvs128_gesture]", "[dvs128_gesture", 1), r"^families\.toml: not valid TOML"),
    ):
        card_families.cache_clear()
        (tmp_path / "families.toml").write_text(changed, encoding="utf-8")
        with pytest.raises(BadSpec, match=line):
            card_families()
    card_families.cache_clear()


@pytest.mark.parametrize(
    ("paper", "short"),
    [
        ("H. Li, H. Liu, X. Ji: A title, Frontiers 11:309, 2017", "Li et al. 2017"),
        (
            "T. Serrano-Gotarredona, B. Linares-Barranco: Poker, 2015",
            "Serrano-Gotarredona and Linares-Barranco 2015",
        ),
        ("C. Di Nolfo: Alone, CVPR 1999", "Di Nolfo 1999"),
        ("", ""),
    ],
)
def test_a_reference_is_shortened_to_names_and_year(paper: str, short: str) -> None:
    assert short_paper(paper) == short


def test_signs_in_a_cards_prose_cannot_break_a_page() -> None:
    assert prose("take a_<class>_<number>.aedat, 1,000 each") == "take `a_<class>_<number>.aedat`, 1,000 each"
    assert prose("from https://a.b/c_d/e (see there).") == "from <https://a.b/c_d/e> (see there)."
    assert prose("from https://a.b/<number>)") == "from `https://a.b/<number>`)"
    assert prose("as split_to(0.9, ...) does") == "as `split_to(0.9, ...)` does"
    assert cell(" a | b\n c ") == r"a \| b c"
    assert table(["a", "n"], [["x", "1"]], right=[1]) == "| a | n |\n| --- | ---: |\n| x | 1 |"
