"""Archives unpacked into a folder, and the archives in them: complete files only, none outside of the folder."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path

from eventbench.errors import EventbenchError

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
DEEPEST = 3  # archives in archives
_CLUTTER = ("__MACOSX", ".DS_Store")


def is_archive(path: Path) -> bool:
    """Whether a file's name says that it can be unpacked."""
    return path.name.lower().endswith(ENDINGS)


def unpack(archive: Path, folder: Path, depth: int = DEEPEST) -> None:
    """Unpack into `folder`, and what archives come out of it beside themselves, which are then gone.

    A folder of the same name that holds all of it is left out: what is in it goes into `folder`. Files come there whole, one
    after the other; one that is there is replaced. Raises EventbenchError for a damaged archive, or a path that leads outside.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=folder.parent) as name:
        top = Path(name)
        _extract(archive, top)
        if depth:
            for inner in sorted(path for path in top.rglob("*") if path.is_file() and is_archive(path)):
                unpack(inner, inner.parent, depth - 1)
                inner.unlink()
        entries = [path for path in top.iterdir() if path.name not in _CLUTTER]
        if [path.name for path in entries] == [folder.name] and entries[0].is_dir():
            top = entries[0]
        _move(top, folder)


def _extract(archive: Path, folder: Path) -> None:
    try:
        if archive.name.lower().endswith(".zip"):
            with zipfile.ZipFile(archive) as members:
                members.extractall(folder)  # takes ".." and roots out of names itself
        else:
            with tarfile.open(archive) as members_of_tar:
                members_of_tar.extractall(folder, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno and not isinstance(error, tarfile.TarError):
            raise  # a full disk
        raise EventbenchError(f"cannot be unpacked: {error}", where=archive, fix="fetch it again") from None


def _move(source: Path, folder: Path) -> None:
    for path in sorted(source.iterdir()):
        if path.name in _CLUTTER:
            continue
        target = folder / path.name
        if path.is_dir():
            target.mkdir(exist_ok=True)
            _move(path, target)
        else:
            shutil.move(path, target)
