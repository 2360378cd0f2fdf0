"""What decoders say of files, as an order of columns that they found, is told by preprocess, a line a kind."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from eventbench.store.key import StoreKey
from eventbench.store.read import EventStore, FrameStore
from tests.support.miniatures import Miniature, miniature, run_cli, sided_events, write_toml


@pytest.fixture
def own(tmp_path: Path) -> Miniature:
    """Text without names of columns, in an order that the decoder finds; `test` has them in the usual order."""
    mini = miniature(tmp_path, train=4, test=2)
    for path in mini.raw.rglob("*.bin"):
        number = int(path.stem) + (100 if "test" in path.parts else 0)
        rows = [f"{x},{y},{p},{t}" for t, x, y, p in sided_events(number % 2, number, 400)]
        path.with_suffix(".csv").write_text("\n".join(rows) + "\n")
        path.unlink()
    folders = {"train": "train", "test": "test"}
    write_toml(
        mini.card,
        {
            "sensor": [8, 6],
            "classes": ["left", "right"],
            "source": {"name": "text_columns"},
            "layout": {"name": "class_folders", "folders": folders, "suffix": ".csv"},
            "splits": {"train": {}, "test": {}},
            "obtain": {"how": "ask for it"},
        },
    )
    return mini


def test_notes_are_told_by_kind_with_one_file_as_an_example(
    own: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("preprocess", own.card, *own.flags, "--pipeline", own.pipeline)
    status, out, err = run_cli(capsys, *command)
    assert (status, err) == (0, "")
    sizes = re.findall(r"^  /.*\.h5 \(([\d.,]+) (\w+)\)$", out, re.MULTILINE)
    assert len(sizes) == 2
    assert all(float(size) >= 1 and unit == "kB" for size, unit in sizes)  # no store is of 0.0 MB
    (line,) = [line for line in out.splitlines() if line.startswith("  note: ")]
    assert line.startswith("  note: order: 6 files, as test/left/00001.csv: ")
    # And again where the stores are there, in both of them.
    events, frames = json.loads(run_cli(capsys, *command, "--json")[1])["stores"]
    (note,) = events["notes"]
    assert (note["kind"], note["files"], note["file"]) == ("order", 6, "test/left/00001.csv")
    assert note["what"] in line
    assert frames["notes"] == events["notes"]


def test_a_run_that_goes_on_has_the_notes_of_the_first(
    own: Miniature, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = own.raw / "train" / "right" / "00004.csv"
    text = broken.read_text()
    broken.write_text("1,2,3\nx\n")
    assert run_cli(capsys, "preprocess", own.card, *own.flags)[0] == 2
    broken.write_text(text)
    status, out, _ = run_cli(capsys, "preprocess", own.card, *own.flags)
    assert status == 0
    assert "from an earlier run" in out
    assert "  note: order: 6 files, " in out


def test_notes_change_no_key_and_no_event(own: Miniature, capsys: pytest.CaptureFixture[str]) -> None:
    run_cli(capsys, "preprocess", own.card, *own.flags, "--pipeline", own.pipeline)
    found = EventStore(StoreKey.of(own.places.cache, own.named_card).path)
    text = own.card.read_text()
    own.card.write_text(text.replace('name = "text_columns"', 'name = "text_columns"\norder = "xypt"'))
    run_cli(capsys, "preprocess", own.card, *own.flags)
    told = EventStore(StoreKey.of(own.places.cache, own.named_card).path)
    assert told.notes == []
    assert [told[i] for i in range(6)] == [found[i] for i in range(6)]
    frames = FrameStore(next(own.places.cache.rglob("mini_frames*.h5")))
    assert frames.notes == found.notes
