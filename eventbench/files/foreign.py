"""Formats that are known and not read: what a file is by its first bytes, and the tool that turns it into one that is."""

from __future__ import annotations

from pathlib import Path

from eventbench.errors import BadRecording

_AGAIN = "download the recording itself, for this is what came in its place"
_UNPACK = "unpack it, and name what is in it"
# Long enough that no recording begins so by chance.
_SIGNATURES = (
    (
        b"version https://git-lfs.github.com",
        "a pointer of Git LFS, not the file",
        "fetch the file: git lfs pull",
    ),
    (b"<!DOCTYPE html", "a web page", _AGAIN),
    (b"<!doctype html", "a web page", _AGAIN),
    (b"<html", "a web page", _AGAIN),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture", "get the recording that it was drawn from"),
    (b"PAR1", "a Parquet table", "save it as CSV: pandas.read_parquet(path).to_csv(out, index=False)"),
    (
        b"ARROW1",
        "an Arrow or Feather table",
        "save it as CSV: pandas.read_feather(path).to_csv(out, index=False)",
    ),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"\xfd7zXZ\0", "an xz archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
)
# Short ones count only in a file of such a name.
_NAMED = (
    (b"\x1f\x8b", (".gz", ".tgz"), "a gzip archive", _UNPACK),
    (b"BZh", (".bz2",), "a bzip2 archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", (".zst",), "a Zstandard archive", _UNPACK),
    (
        b"\x80",
        (".pkl", ".pickle", ".p"),
        "a Python pickle, which is never loaded: it may run any code",
        "where you trust it, load it and save plain columns: np.savez(path, t=t, x=x, y=y, p=p)",
    ),
)
_VIDEO = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".gif")


def refuse_foreign(data: bytes, path: Path) -> None:
    """Raises BadRecording, with what it is and what to do, for a file in a format that is known and not read."""
    suffix = path.suffix.lower()
    for signature, what, fix in _SIGNATURES:
        if data.startswith(signature):
            raise _foreign(what, fix, path)
    for signature, suffixes, what, fix in _NAMED:
        if suffix in suffixes and data.startswith(signature):
            raise _foreign(what, fix, path)
    if suffix in _VIDEO:
        raise _foreign("a video", "get the events: a video of them has lost their times", path)


def _foreign(what: str, fix: str, path: Path) -> BadRecording:
    return BadRecording(f"{what}, which is not read", where=path, fix=fix, reason="foreign_format")
