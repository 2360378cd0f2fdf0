"""Files of a dataset's folder that its card does not take, each with the reason: what a folder has that nobody asked for."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from eventbench import registry
from eventbench.errors import some
from eventbench.layouts.base import Layout
from eventbench.specs.card import Card
from eventbench.specs.sample import Sample

# What lies beside recordings and is none.
NOTES = {".csv", ".json", ".md", ".pdf", ".rst", ".sha256", ".toml", ".tsv", ".txt", ".yaml", ".yml"}


class PassedOver(NamedTuple):
    """A file that is in no sample: its path below the data set's folder, and why."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


def passed_over(card: Card, layout: Layout, root: Path, samples: Iterable[Sample]) -> list[PassedOver]:
    """Files below `root` that look like recordings and are no sample of the card, sorted by path.

    Told are all files in the folders of samples but notes, and elsewhere those with the ending of a recording.
    """
    used = {relative_path(sample, root) for sample in samples}
    endings = {PurePosixPath(path).suffix for path in used} or {getattr(layout, "suffix", "")} - {""}
    folders = {path.rpartition("/")[0] for path in used}
    known = {suffix for name in registry.sources.names() for suffix in registry.sources.get(name).suffixes}
    seen = _Seen(card, layout, endings, folders, known - NOTES)
    reasons = ((path, seen.reason(path)) for path in _files_below(root) if path not in used)
    return sorted(PassedOver(path, why) for path, why in reasons if why)


def relative_path(sample: Sample, root: Path) -> str:
    """The path of a sample's recording below the data set's folder, as it is told."""
    return str(sample.recording)[len(str(root)) + 1 :].replace(os.sep, "/")


def by_reason(files: Iterable[PassedOver]) -> list[str]:
    """A clause a reason, with the files that it is of; of many, the first ten."""
    paths: dict[str, list[str]] = {}
    for file in files:
        paths.setdefault(file.why, []).append(file.path)
    return [f"{some(alike, 10)}: {why}" for why, alike in paths.items()]


def other_files(layout: Layout, root: Path) -> str:
    """What a folder holds in place of a layout's recordings, as "100 *.aedat"; "" where it has files with one of their endings."""
    expected = {PurePosixPath(path).suffix.lower() for path, _ in layout.tree()} - NOTES
    endings = Counter(
        ending
        for path in _files_below(root)
        if not path.rpartition("/")[2].startswith(".")
        and (ending := PurePosixPath(path).suffix.lower()) not in NOTES
    )
    if not expected or expected & endings.keys():
        return ""
    return ", ".join(f"{count:,} *{ending}" for ending, count in endings.most_common(3))


def _files_below(root: Path) -> Iterable[str]:
    for parent, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = os.path.relpath(parent, root).replace(os.sep, "/")
        prefix = "" if below == "." else f"{below}/"
        yield from (prefix + name for name in names)


class _Seen(NamedTuple):
    """What of a folder is taken: the endings and the folders of its samples; `known` are endings of recordings."""

    card: Card
    layout: Layout
    endings: set[str]
    folders: set[str]
    known: set[str]

    def reason(self, path: str) -> str:
        """Why a file is no sample; "" where nobody would take it for one."""
        folder, _, name = path.rpartition("/")
        ending = PurePosixPath(name).suffix
        if name.startswith("."):
            return "macOS's note on a file, and no recording" if name.startswith("._") else ""
        taken = ending in self.endings
        if not taken and ending.lower() in NOTES:
            return ""
        if (
            not taken
            and folder not in self.folders
            and ending.lower() not in self.known | _lower(self.endings)
        ):
            return ""
        if self.layout.skips(path):
            return "the card skips it"
        listed = ", ".join(sorted(self.endings))
        if not taken:
            return f"its ending is {ending or 'none'}, the card takes {listed}" if listed else ""
        return self._misplaced(folder)

    def _misplaced(self, folder: str) -> str:
        if folder in self.folders:
            return "its name is not one that the card takes"
        if any(folder.startswith(f"{above}/") for above in self.folders if above):
            return "it is a folder too deep"
        return f"the card does not name the folder {folder or 'it is in'}; its classes: {_some(self.card.classes)}"


def _lower(endings: set[str]) -> set[str]:
    return {ending.lower() for ending in endings}


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
