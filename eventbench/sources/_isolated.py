"""Sources whose files are read in an isolated process: the libraries that read them crash on some damaged files."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from eventbench.files.content import file_size
from eventbench.files.isolated import call
from eventbench.files.temporary import as_file
from eventbench.sources.base import Decoded, Size, Source


class ReadIsolated(Source, frozen=True, forbid_unknown_fields=True):
    """A source that gives `read_here`, which only the helper process calls."""

    read_isolated: ClassVar[bool] = True

    def decode_counted(self, data: bytes, name: str, sensor: Size | None = None) -> Decoded:
        """The events in `data`. Raises BadRecording where they cannot be read, or reading does not end."""
        with as_file(data) as path:
            return call(self.read_here, len(data), name, path, name, sensor)

    def read_counted(self, recording: Path | str, sensor: Size | None = None) -> Decoded:
        """As `decode_counted`, from the file itself."""
        path = Path(recording)
        size = file_size(path)
        return call(self.read_here, size, str(path), path.absolute(), str(path), sensor)

    def read_here(self, path: Path, name: str, sensor: Size | None) -> Decoded:
        """The events of the file at `path`, which errors call `name`."""
        raise NotImplementedError
