"""What the samples of a dataset are and hold, wherever they lie, in lines and as a digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from eventbench import digest
from eventbench.specs.sample import Sample


def label_line(sample: Sample) -> str:
    """A sample's id, class and place in its file, as pins have them."""
    start, stop = sample.window or sample.part or ("", "")
    unit = "us" if sample.window else "events" if sample.part else ""
    row = "" if sample.row is None else sample.row
    return f"{sample.id} {sample.label} {start} {stop} {unit} {row}".rstrip()


def sample_line(sample: Sample) -> str:
    """All that a sample is, but for its bytes and where the dataset lies."""
    return f"{sample.split} {sample.subject} {label_line(sample)}"


def content_digest(samples: Iterable[Sample], hashes: Mapping[str, str]) -> str:
    """The `digest` of `RawFiles`; `hashes` are id -> sha256 of its file."""
    return digest.of_lines(f"{sample_line(sample)} {hashes[sample.id]}" for sample in samples)
