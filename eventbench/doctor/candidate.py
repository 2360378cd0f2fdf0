"""`Candidate`: a recording before it is decoded: its file, its source, and what its raw columns show."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from eventbench import registry
from eventbench.doctor.raw import raw_of_bytes, signs_of_file
from eventbench.doctor.signs import Signs, SignsMeter, convention_of
from eventbench.files.content import file_blocks
from eventbench.recordings.read import head_of
from eventbench.sources.base import Size, Source


class Candidate(NamedTuple):
    """A recording before it is decoded. `source` is None where no format is recognised, `signs` where it has no columns.

    `size` in bytes and `sha256` are the file's, 0 and "" for one recording of a file that holds many. `sensor` (width, height) is
    what its events must lie in, if somebody says so; `head` is the file's beginning, or all of it.
    """

    path: Path
    size: int = 0
    sha256: str = ""
    source: Source | None = None
    recognised_by: str = "nothing but its ending"
    signs: Signs | None = None
    polarity_convention: str = ""
    sensor: Size | None = None
    head: bytes = b""

    @property
    def format(self) -> str:
        """The name of its source."""
        return "unknown" if self.source is None else sources()[type(self.source)]

    @classmethod
    def of_bytes(cls, path: Path, data: bytes, source: Source | None, sensor: Size | None) -> Candidate:
        """The file at `path` with these bytes."""
        candidate = cls(path, len(data), hashlib.sha256(data).hexdigest(), sensor=sensor, head=data)
        if source is None:
            return candidate
        signs = SignsMeter(sensor)
        if raw := raw_of_bytes(source, data):
            signs.update(raw)
        return candidate._read_by(source, signs)

    @classmethod
    def of_long(cls, path: Path, source: Source | None, sensor: Size | None) -> Candidate:
        """The file at `path`, which is not held in memory."""
        head, size = head_of(path)
        digest = hashlib.sha256()
        for block in file_blocks(path):
            digest.update(block)
        candidate = cls(path, size, digest.hexdigest(), sensor=sensor, head=head)
        return (
            candidate if source is None else candidate._read_by(source, signs_of_file(source, path, sensor))
        )

    def _read_by(self, source: Source, signs: SignsMeter) -> Candidate:
        found = signs.signs()
        return self._replace(
            source=source,
            recognised_by=_recognised_by(source, self.head, self.size, self.path),
            signs=found,
            polarity_convention=source.polarity_convention(signs.first) or convention_of(found),
        )


def _recognised_by(source: Source, data: bytes, size: int, path: Path) -> str:
    if type(source).recognises(data):
        return "its first bytes" if source.magics and data.startswith(source.magics) else "what is in it"
    if type(source).resembles(data, size):
        alike = "what is in it, for the format has no header"
        return f"{alike}, and its ending" if path.suffix.lower() in source.suffixes else alike
    return f"its ending {path.suffix} alone"


def holds_many(path: Path) -> bool:
    """Whether a file holds many recordings, as SHD's do."""
    endings = {suffix for source in sources() if source.holds_many for suffix in source.suffixes}
    if path.suffix.lower() not in endings or not path.is_file() or not path.stat().st_size:
        return False
    return recordings_in(path, head_of(path)[0]) is not None


def recordings_in(path: Path, data: bytes) -> tuple[Source, int] | None:
    """The source of a file that holds more than one recording, and how many; None for any other."""
    for kind in sources():
        if kind.holds_many and kind.recognises(data):
            source = kind()
            count = source.recordings_in(path)
            return (source, count) if count > 1 else None
    return None


def known_endings() -> set[str]:
    """The file endings that some source answers to, in lower case."""
    return {suffix for source in sources() for suffix in source.suffixes}


@cache  # a folder has thousands of files, and looking for other packages' sources takes longer than reading one
def sources() -> dict[type[Source], str]:
    """Every source's class, and its name."""
    return {registry.sources.get(name): name for name in registry.sources.names()}
