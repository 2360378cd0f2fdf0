"""`FilesRead`: the raw files that were read for a store, each as it was just before."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from eventbench import digest
from eventbench.errors import BadDataset
from eventbench.files.content import file_bytes
from eventbench.recordings.content import content_digest
from eventbench.specs.raw_files import RawFile, RawFiles, file_state
from eventbench.specs.sample import Sample


class FilesRead:
    """Reads and hashes files, and remembers each one's size, time of change and sha256."""

    def __init__(self) -> None:
        self._files: dict[str, RawFile] = {}

    def read(self, path: Path | str) -> tuple[bytes, str]:
        """The bytes of a recording and their sha256. Raises BadRecording as `file_bytes` does."""
        try:
            state = file_state(path)  # before it is read: what changes in between looks changed later
        except OSError:
            state = -1, -1  # reading it says what is wrong
        data = file_bytes(path)
        sha256 = hashlib.sha256(data).hexdigest()
        self._files[str(path)] = RawFile(*state, sha256)
        return data, sha256

    def hash(self, path: Path) -> str:
        """The sha256 of a file. Raises OSError where it cannot be read."""
        state = file_state(path)
        sha256 = digest.of_file(path)
        self._files[str(path)] = RawFile(*state, sha256)
        return sha256

    def raw_files(self, root: Path, samples: Iterable[Sample], hashes: dict[str, str]) -> RawFiles:
        """What a store of these samples was made from; `hashes` are id -> sha256 of the file as the sample was read.

        `root` is the dataset's folder. Raises BadDataset where a file changed while its samples were read.
        """
        files: dict[str, RawFile] = {}
        samples = list(samples)
        for sample in samples:
            file = self._files[str(sample.recording)]
            if file.sha256 != hashes[sample.id]:
                raise BadDataset(
                    "the file changed while it was read",
                    where=sample.recording,
                    fix="run the same command again",
                )
            files[path_below(root, sample.recording)] = file
        return RawFiles(str(root.resolve()), content_digest(samples, hashes), files)


def path_below(root: Path, path: Path | str) -> str:
    """The path of a recording below the dataset's folder `root`, with forward slashes."""
    text, prefix = str(path), os.path.join(root, "")  # noqa: PTH118  # text: a Path for each file takes longer
    relative = text[len(prefix) :] if text.startswith(prefix) else os.path.relpath(text, root)
    return relative.replace(os.sep, "/")
