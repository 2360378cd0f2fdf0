"""What changed in a folder since a store was made from it, as a line and as a comparison of hashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from eventbench import digest
from eventbench.recordings.changes import Changes, FolderState
from eventbench.recordings.content import content_digest, sample_line
from eventbench.recordings.dataset import Dataset
from eventbench.specs.raw_files import RawFiles
from eventbench.specs.sample import Sample
from tests.support.miniatures import miniature


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (Changes(), ""),
        (Changes(changed=["a"]), "raw files: 1 changed (a)"),
        (
            Changes(came=list("abcdefg"), went=["z"]),
            "raw files: 7 came (a, b, c, d, e and 2 more), 1 went (z)",
        ),
        (Changes(relabelled=["a", "b"]), "samples with another label, split or subject: 2 (a, b)"),
        (Changes(cut_elsewhere=True), "samples are other files or parts of files"),
    ],
)
def test_changes_are_one_line(changes: Changes, line: str) -> None:
    assert str(changes) == line
    assert bool(changes) == bool(line)


def test_what_a_sample_is_counts_and_where_it_lies_does_not() -> None:
    sample = Sample("a", "train", 1, "user01", Path("here/a.bin"), window=(3, 9))
    line = sample_line(sample)
    assert line == "train user01 a 1 3 9 us"
    assert sample_line(sample._replace(recording=Path("elsewhere/b.bin"))) == line
    others = [
        sample._replace(id="b"),
        sample._replace(split="test"),
        sample._replace(label=0),
        sample._replace(subject="user02"),
        sample._replace(window=(3, 8)),
        sample._replace(window=None, part=(3, 9)),
        sample._replace(window=None, row=3),
    ]
    assert len({line, *map(sample_line, others)}) == 8
    assert content_digest([sample], {"a": "0"}) == digest.of_lines([f"{line} 0"])


def test_files_that_were_only_moved_make_no_difference(tmp_path: Path) -> None:
    mini = miniature(tmp_path, train=2, test=2)
    dataset = Dataset(mini.named_card, mini.places.data)
    samples = dataset.samples()
    hashes = {sample.id: dataset.read(sample)[1] for sample in samples}
    raw = dataset.files_read.raw_files(dataset.root, samples, hashes)
    moved = RawFiles(raw.folder, raw.digest, {f"x/{path}": file for path, file in raw.files.items()})
    stored = [(sample.id, sample.split, sample.label, sample.subject) for sample in samples]
    state = FolderState(dataset, samples, moved)
    assert state.changes(stored) == Changes()
    assert state.hashes == hashes
