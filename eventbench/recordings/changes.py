"""What has changed in a dataset's folder since a store was made from it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from eventbench import digest
from eventbench.errors import some
from eventbench.recordings.content import content_digest
from eventbench.recordings.dataset import Dataset
from eventbench.recordings.files_read import path_below
from eventbench.specs.raw_files import RawFile, RawFiles, file_state
from eventbench.specs.sample import Sample


@dataclass(frozen=True)
class Changes:
    """Raw files that `changed`, `came` and `went`, by path below the folder.

    `relabelled` are the ids of samples with another class, split or subject; `cut_elsewhere` says that samples are other
    windows, rows or files of those.
    """

    changed: list[str] = field(default_factory=list)
    came: list[str] = field(default_factory=list)
    went: list[str] = field(default_factory=list)
    relabelled: list[str] = field(default_factory=list)
    cut_elsewhere: bool = False

    def __bool__(self) -> bool:
        return bool(self.changed or self.came or self.went or self.relabelled or self.cut_elsewhere)

    def __str__(self) -> str:
        clauses = [
            f"{len(names):,} {verb} ({some(names)})"
            for verb, names in (("changed", self.changed), ("came", self.came), ("went", self.went))
            if names
        ]
        sentences = [f"raw files: {', '.join(clauses)}"] if clauses else []
        if self.relabelled:
            count, names = f"{len(self.relabelled):,}", some(self.relabelled)
            sentences.append(f"samples with another label, split or subject: {count} ({names})")
        if self.cut_elsewhere:
            sentences.append("samples are other files or parts of files")
        return "; ".join(sentences)


class FolderState:
    """The samples that are in a dataset's folder now, beside the files that a store was made from.

    Files that look unchanged in the store's own folder (the same size and time of change) are taken as unchanged; all
    others are hashed, and so is every file of another folder. `hashes` has the sha256 of each sample's file, by id;
    `hashed` those of files that need not be hashed again, by path, and gets those that are. Raises OSError where a file
    cannot be read.
    """

    def __init__(
        self,
        dataset: Dataset,
        samples: list[Sample],
        raw: RawFiles,
        hashed: dict[str, str] | None = None,
    ) -> None:
        self.samples, self.raw = samples, raw
        same_folder = raw.folder == str(dataset.root.resolve())
        by_path = {str(sample.recording): path_below(dataset.root, sample.recording) for sample in samples}
        sha256 = {} if hashed is None else hashed
        for path, below in by_path.items():
            if path not in sha256:
                sha256[path] = _hash_now(path, raw.files.get(below) if same_folder else None)
        self._files = {below: sha256[path] for path, below in by_path.items()}
        self.hashes = {sample.id: sha256[str(sample.recording)] for sample in samples}

    def changes(self, stored: Iterable[tuple[str, str, int, str]]) -> Changes:
        """Since the store was made; `stored` are its samples: id, split, label and subject.

        Files that were only moved make no difference as long as their samples are called the same.
        """
        before, now = self.raw.files, self._files
        if content_digest(self.samples, self.hashes) == self.raw.digest:
            return Changes()
        in_store = {id: rest for id, *rest in stored}
        changes = Changes(
            changed=sorted(path for path in now.keys() & before if now[path] != before[path].sha256),
            came=sorted(now.keys() - before),
            went=sorted(before.keys() - now),
            relabelled=[
                sample.id
                for sample in self.samples
                if sample.id in in_store
                and in_store[sample.id] != [sample.split, sample.label, sample.subject]
            ],
        )
        return changes or Changes(cut_elsewhere=True)


def _hash_now(path: str, before: RawFile | None) -> str:
    """The sha256 of a file, taken from `before` where it looks unchanged. Raises OSError where there is no such file."""
    state = file_state(path)
    if before and (before.size, before.changed_ns) == state:
        return before.sha256
    # What is no file, as a named pipe, is not waited for: reading it as a recording says what is wrong.
    return digest.of_file(Path(path)) if os.path.isfile(path) else ""  # noqa: PTH113  # paths are text here
