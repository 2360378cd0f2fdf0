"""The examination of recordings: what a file says, and what is wrong with it. Nothing is printed or changed here."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from eventbench import registry
from eventbench.errors import BadDataset, BadRecording, EventbenchError
from eventbench.recognise import recognise
from eventbench.sources.base import file_bytes
from eventbench.vital_signs import Figures, judge, measure

NOTES = (".txt", ".csv")  # endings that a dataset's notes and tables have as well
SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"} | dict.fromkeys(
    ("val", "valid", "validation"), "validation"
)


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """One recording: `problems` make it unsound, `warnings` are worth a look. `figures` is None where it cannot be decoded."""

    path: str
    bytes: int
    sha256: str
    format: str
    figures: Figures | None
    problems: list[str]
    warnings: list[str]


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of recordings: each one examined, those that are byte for byte the same, and files that are no recording."""

    path: str
    recordings: list[Examined]
    duplicates: list[list[str]]
    problems: list[str]
    other_files: int
    passed_over: list[str]


def examine(path: Path, sensor: tuple[int, int] | None = None) -> Examined:
    """One recording. Raises BadRecording when it cannot be read, or neither its bytes nor its ending are of a known format.

    `sensor` (width, height) is what its events must lie in; None takes it from the file or, where the format does
    not say, the smallest that holds every event, and then none can lie outside.
    """
    known = path.suffix.lower() in known_endings()
    if known and path.is_file() and not path.stat().st_size:
        return _undecoded(path, "unknown", "the file is empty (0 bytes)")
    data = file_bytes(path)
    try:
        source = recognise(data, path)
    except BadRecording as error:
        if known:
            return _undecoded(path, "unknown", str(error), data)
        raise
    name = _sources()[type(source)]
    try:
        events = source.decode(data, str(path), sensor)
    except EventbenchError as error:
        return _undecoded(path, name, str(error), data)
    figures = measure(events)
    problems, warnings = judge(figures)
    sha256 = hashlib.sha256(data).hexdigest()
    return Examined(
        path=str(path),
        bytes=len(data),
        sha256=sha256,
        format=name,
        figures=figures,
        problems=problems,
        warnings=warnings,
    )


def _undecoded(path: Path, source: str, reason: str, data: bytes = b"") -> Examined:
    return Examined(
        path=str(path),
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest() if data else "",
        format=source,
        figures=None,
        problems=[reason.removeprefix(f"{path}: ")],
        warnings=[],
    )


def known_endings() -> set[str]:
    """The file endings that some source answers to, in lower case."""
    return {suffix for source in _sources() for suffix in source.suffixes}  # type: ignore[attr-defined]


@cache  # a folder has thousands of files, and looking for other packages' sources takes longer than reading one
def _sources() -> dict[type, str]:
    return {registry.sources.get(name): name for name in registry.sources.names()}


def recordings_below(folder: Path, unlisted: Callable[[OSError], None]) -> tuple[list[Path], int]:
    """The files below `folder` with a known ending, sorted by path, and how many others there are.

    `unlisted` is called for a folder that cannot be listed.
    """
    endings, found, others = known_endings(), [], 0
    for here, _, files in os.walk(folder, onerror=unlisted):
        for name in files:
            path = Path(here, name)
            if path.suffix.lower() in endings:
                found.append(path)
            else:
                others += 1
    return sorted(found), others


def examine_folder(
    folder: Path, sensor: tuple[int, int] | None = None, progress: Any = lambda paths: paths
) -> Folder:
    """Every recording below `folder`, by its ending. `progress` wraps the list of files, as tqdm does.

    A `.txt` or `.csv` that cannot be decoded is taken for notes and passed over; any other file with a known ending
    must be a recording. Raises BadDataset when there is none.
    """
    unlisted: list[str] = []
    paths, others = recordings_below(
        folder, lambda error: unlisted.append(f"{error.filename}: cannot be listed: {error.strerror}")
    )
    recordings, passed_over = [], []
    for path in progress(paths):
        try:
            examined = examine(path, sensor)
        except BadRecording as error:  # a link to nothing, or a file we may not read
            examined = _undecoded(path, "unknown", str(error))
        if examined.figures is None and path.suffix.lower() in NOTES:
            passed_over.append(str(path.relative_to(folder)))
        else:
            recordings.append(msgspec.structs.replace(examined, path=str(path.relative_to(folder))))
    if not recordings:
        raise BadDataset(
            f"no recording below it ({others + len(passed_over):,} other files)",
            where=folder,
            allowed=f"files that end in {', '.join(sorted(known_endings()))}",
        )
    duplicates = _duplicates(recordings)
    problems = [f"{one.path}: {problem}" for one in recordings for problem in one.problems]
    problems += [*unlisted, *(_told(group) for group in duplicates)]
    return Folder(
        path=str(folder),
        recordings=recordings,
        duplicates=duplicates,
        problems=problems,
        other_files=others,
        passed_over=passed_over,
    )


def _duplicates(recordings: list[Examined]) -> list[list[str]]:
    same = defaultdict(list)
    for one in recordings:
        if one.sha256:
            same[one.sha256].append(one.path)
    return sorted(group for group in same.values() if len(group) > 1)


def _told(group: list[str]) -> str:
    shown = ", ".join(group[:5]) + (f" and {len(group) - 5:,} more" if len(group) > 5 else "")
    splits = sorted({split for path in group for split in _splits(path)})
    if len(splits) > 1:
        return f"the same recording in {' and '.join(splits)}: {shown}"
    return f"the same bytes {len(group):,} times: {shown}"


def _splits(path: str) -> Iterator[str]:
    for part in Path(path).parts[:-1]:
        if part.lower() in SPLITS:
            yield SPLITS[part.lower()]


def by_format(folder: Folder) -> dict[str, int]:
    """How many recordings there are of each format, by name."""
    return dict(sorted(Counter(one.format for one in folder.recordings).items()))
