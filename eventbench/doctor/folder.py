"""A folder of recordings examined: each one, those that are the same, and those that are not like the others."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from eventbench.doctor.candidate import Candidate, known_endings, recordings_in, sources
from eventbench.doctor.findings import Finding
from eventbench.doctor.recording import (
    FROM_FILE,
    Examined,
    examine_bytes,
    examine_long,
    examine_row,
    is_long,
    refused,
)
from eventbench.errors import BadDataset, BadRecording, some
from eventbench.files.content import file_bytes
from eventbench.files.hdf5 import names_in
from eventbench.files.progress import Progress, no_progress
from eventbench.recordings.read import Reading, head_of

OTHER_UNIT = 100  # how many times longer or shorter than the middle one a recording is in another unit, maybe
SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"} | dict.fromkeys(
    ("val", "valid", "validation"), "validation"
)


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """A folder: each recording, those that hold the same events, and files that are no recording.

    `problems` and `warnings` are those of its recordings, with their paths, and then its own.
    """

    path: str
    recordings: list[Examined]
    duplicates: list[list[str]]
    problems: list[Finding]
    warnings: list[Finding]
    other_files: int
    passed_over: list[str]


def examine_folder(
    folder: Path,
    reading: Reading | None = None,
    progress: Progress = no_progress,
) -> Folder:
    """Every recording below `folder`, by its ending; or those in one file that holds many.

    `progress` may show each file. A text file without a row of events is taken for notes and passed
    over, a store of eventbench's too; any other file with a known ending must be a recording. Raises BadDataset when
    there is none.
    """
    reading = reading or Reading()
    unlisted: list[Finding] = []

    def cannot(error: OSError) -> None:
        what = f"{error.filename}: cannot be listed: {error.strerror}"
        unlisted.append(Finding(about="folder", what=what, fix="allow it to be read", breaks=True))

    base = folder if folder.is_dir() else folder.parent
    paths, others = recordings_below(folder, cannot) if folder.is_dir() else ([folder], 0)
    recordings: list[Examined] = []
    passed_over: list[str] = []
    reasons: list[tuple[str, Finding]] = []
    shared = {suffix for source in sources() for suffix in source.shared_suffixes}
    for path in progress(paths, of="examined", unit="file", total=len(paths)):
        examined = list(_examined(path, reading))
        notes = path.suffix.lower() in shared and not any(
            recording.summary or recording.raw for recording in examined
        )
        if not examined or notes:
            passed_over.append(str(path.relative_to(base)))
            reasons += [
                (passed_over[-1], recording.problems[0]) for recording in examined if recording.problems
            ]
            continue
        recordings += [
            msgspec.structs.replace(recording, path=os.path.relpath(recording.path, base))
            for recording in examined
        ]
    if not recordings:
        count = f"no recording below it ({others + len(passed_over):,} other files)"
        if reasons:
            file, problem = reasons[0]
            raise BadDataset(f"{count}; {file}: {problem.what}", where=folder, fix=problem.fix)
        endings = ", ".join(sorted(known_endings()))
        raise BadDataset(count, where=folder, allowed=f"files that end in {endings}")
    duplicates = _duplicates(recordings)
    problems = _with_paths(recordings, "problems") + unlisted + [_same(group) for group in duplicates]
    return Folder(
        path=str(folder),
        recordings=recordings,
        duplicates=duplicates,
        problems=problems,
        warnings=_with_paths(recordings, "warnings") + _unlike(recordings),
        other_files=others,
        passed_over=passed_over,
    )


def recordings_below(folder: Path, unlisted: Callable[[OSError], None]) -> tuple[list[Path], int]:
    """The files below `folder` with a known ending, sorted by path, and how many others there are.

    `unlisted` is called for a folder that cannot be listed.
    """
    endings = known_endings()
    files = [Path(parent, name) for parent, _, names in os.walk(folder, onerror=unlisted) for name in names]
    recordings = sorted(path for path in files if path.suffix.lower() in endings)
    return recordings, len(files) - len(recordings)


def _examined(path: Path, reading: Reading) -> Iterator[Examined]:
    """The recordings in a file: one, or as many as it holds; none where it is a store of ours."""
    long = is_long(path)
    try:
        data = head_of(path)[0] if long else file_bytes(path)
    except BadRecording as error:  # nothing in it, a link to nothing, or a file we may not read
        yield refused(Candidate(path), error)
        return
    if "@eventbench" in names_in(data):
        return
    if many := recordings_in(path, data):
        source, count = many
        for row in range(count):
            yield examine_row(path, source, row, reading.sensor)
    elif long:
        yield examine_long(path, reading)
    else:
        yield examine_bytes(path, data, reading)


def _with_paths(recordings: list[Examined], kind: str) -> list[Finding]:
    return [
        msgspec.structs.replace(finding, path=recording.path)
        for recording in recordings
        for finding in getattr(recording, kind)
    ]


def _duplicates(recordings: list[Examined]) -> list[list[str]]:
    """Groups of recordings of the same events, or of the same bytes where they cannot be decoded."""
    same = defaultdict(list)
    for recording in recordings:
        if key := recording.events_sha256 or recording.sha256:
            same[key].append(recording.path)
    return sorted(group for group in same.values() if len(group) > 1)


def _same(group: list[str]) -> Finding:
    shown = some(group)
    splits = sorted({split for path in group for split in splits_of(path)})
    if len(splits) > 1:
        what = f"the same recording in {' and '.join(splits)}: {shown}"
        fix = "take it out of all splits but one: a score on a sample that was trained on says nothing"
        return Finding(about="leak", what=what, fix=fix, breaks=True)
    folders = sorted({str(Path(path).parent) for path in group})
    scattered = f" in {len(folders):,} folders" if len(folders) > 1 else ""
    what = f"the same events {len(group):,} times{scattered}: {shown}"
    fix = "keep one" + (", under the right class" if scattered else "")
    return Finding(about="duplicate", what=what, fix=fix)


def splits_of(path: str) -> Iterator[str]:
    """The splits a path names, by its folders or else by words of the file's own name."""
    *folders, name = Path(path).parts
    by_folder = [SPLITS[part.lower()] for part in folders if part.lower() in SPLITS]
    words = Path(name).stem.lower().replace("-", "_").replace(".", "_").split("_")
    yield from by_folder or (SPLITS[word] for word in words if word in SPLITS)


def _unlike(recordings: list[Examined]) -> list[Finding]:
    """Warnings about recordings that differ from most: in how long they last, or in the size their files state."""
    lasting = {
        recording.path: recording.summary.duration_us
        for recording in recordings
        if recording.summary and recording.summary.events > 1
    }
    warnings = []
    if len(lasting) >= 3:
        middle = float(np.median(list(lasting.values())))
        odd = [path for path, us in lasting.items() if us > OTHER_UNIT * middle or us * OTHER_UNIT < middle]
        if odd:
            what = f"{len(odd):,} last {OTHER_UNIT} times longer or shorter than most ({middle:,.0f} us): {some(odd)}"
            fix = "look whether their times are in another unit"
            warnings.append(Finding(about="time unit", what=what, fix=fix))
    sizes = Counter(
        recording.summary.sensor
        for recording in recordings
        if recording.summary and recording.sensor_from == FROM_FILE
    )
    if len(sizes) > 1:
        listed = ", ".join(f"{count:,} of {w}x{h}" for (w, h), count in sizes.most_common())
        what = f"their files state sensors of different sizes: {listed}"
        fix = "give the size of the largest as sensor in the card, or make two datasets of them"
        warnings.append(Finding(about="sensor", what=what, fix=fix))
    return warnings


def by_format(folder: Folder) -> dict[str, int]:
    """How many recordings there are of each format, by name."""
    return dict(sorted(Counter(recording.format for recording in folder.recordings).items()))
