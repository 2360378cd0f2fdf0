"""A file fetched from an address: what broke off is gone on with, what is not what its hash says is not kept."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from eventbench.errors import EventbenchError
from eventbench.files.progress import Progress, no_progress

if TYPE_CHECKING:
    from requests import Response

MEGABYTE, READ = (
    1 << 20,
    1 << 14,
)  # what progress counts; what is read at a time, and lost where an answer breaks off
TIMEOUT_S = (30, 60)  # to connect, and between two pieces of an answer
WAITS_S = (1, 4)  # before another try at what broke off
PART, VALIDATOR = ".part", ".part.of"  # what there is of a file so far, and which version of it that is


class FetchError(EventbenchError):
    """A file that could not be had from its address; `reason` is "page", "broke_off", "hash", or "" for a refusal."""


def fetch(url: str, path: Path, hash_of_it: str = "", progress: Progress = no_progress) -> None:
    """The file at `url`, as `path`. `hash_of_it` is as "md5:0123" or "sha256:0123", "" where none is known.

    Of a file that broke off, `path`.part is kept and gone on with, where the server can and it is the same file. A file that
    is there and has the hash is not fetched again. Raises FetchError where the server refuses, sends a web page, stops before
    the end again and again, or sends what has another hash, which is then deleted.
    """
    import pooch

    pooch.get_logger().setLevel(logging.ERROR)  # what it says on stderr, the caller says
    path.parent.mkdir(parents=True, exist_ok=True)
    downloader = _Resuming(path, bool(hash_of_it), progress)
    if path.exists() and not hash_of_it:
        return
    try:
        pooch.retrieve(url, hash_of_it or None, path.name, path.parent, downloader=downloader)
    except ValueError:
        raise FetchError(
            f"what came from {url} has not the {hash_of_it.partition(':')[0]} {hash_of_it.partition(':')[2]}, and was deleted",
            where=path.name,
            fix="try again later, or fetch it by hand: the address may lead to another file by now",
            reason="hash",
        ) from None


class _Resuming:
    """A downloader as pooch takes one: called with an address and the name of a temporary file to be put in its place."""

    def __init__(self, path: Path, has_hash: bool, progress: Progress) -> None:
        self._part = path.with_name(path.name + PART)
        self._validator = path.with_name(path.name + VALIDATOR)
        self._name, self._has_hash, self._progress = path.name, has_hash, progress

    def __call__(self, url: str, output_file: Any, pooch: Any, check_only: bool = False) -> None:  # noqa: ARG002  # pooch's interface
        """Fetch the file, in several tries if need be."""
        import requests

        for wait_s in (*WAITS_S, None):
            try:
                self._try(url)
                break
            except (
                requests.ConnectionError,
                requests.Timeout,
                requests.exceptions.ChunkedEncodingError,
            ) as error:
                if wait_s is None:
                    raise self._broke_off(url, error) from None
                time.sleep(wait_s)
            except requests.RequestException as error:
                raise FetchError(f"{url}: {error}", where=self._name) from None
        self._part.replace(output_file)
        self._validator.unlink(missing_ok=True)

    def _try(self, url: str) -> None:
        import requests

        start = self._part.stat().st_size if self._part.exists() else 0
        headers = {"Accept-Encoding": "identity"}  # a packed answer cannot be gone on with
        known = self._validator.read_text(encoding="utf-8") if self._validator.exists() else ""
        if start and (known or self._has_hash):
            headers |= {"Range": f"bytes={start}-"} | ({"If-Range": known} if known else {})
        else:
            start = 0
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
            size = _size_behind(answer)
            if answer.status_code == 416 and size == start:
                return
            if answer.status_code == 416:
                self._part.unlink()
                raise requests.ConnectionError("what was fetched before is longer than the file")
            self._check(answer, url)
            if answer.status_code != 206:
                start, size = 0, int(answer.headers.get("Content-Length", 0))
            self._validator.write_text(_validator(answer), encoding="utf-8")
            self._save(answer, start, size)

    def _save(self, answer: Response, start: int, size: int) -> None:
        import requests

        with self._part.open("ab" if start else "wb") as file:
            written = _written(answer, file)
            total, done = -(-size // MEGABYTE), start // MEGABYTE
            for _ in self._progress(written, of=self._name, unit="MB", total=total, done=done):
                pass
            length = file.tell()
        if length < size:
            raise requests.ConnectionError(f"{length:,} of {size:,} bytes came")
        if not length:
            raise FetchError(f"{answer.url} sends an empty file", where=self._name)

    def _check(self, answer: Response, url: str) -> None:
        if answer.status_code not in (200, 206):
            raise FetchError(f"{url} answers {answer.status_code} {answer.reason}", where=self._name)
        kind = answer.headers.get("Content-Type", "")
        if kind.startswith("text/html") and not self._name.endswith((".html", ".htm")):
            raise FetchError(f"{url} leads to a web page, not to the file", where=self._name, reason="page")

    def _broke_off(self, url: str, error: Exception) -> FetchError:
        got = self._part.stat().st_size if self._part.exists() else 0
        return FetchError(
            f"{url} broke off after {got:,} bytes ({_short(error)})",
            where=self._name,
            fix="run the same command again: it goes on from there",
            reason="broke_off",
        )


def _validator(answer: Response) -> str:
    """What tells this version of a file from another: a strong ETag, or the time of its last change."""
    tag = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _size_behind(answer: Response) -> int:
    """The size of the whole file that an answer to a range states; 0 without."""
    match = re.search(r"/(\d+)$", answer.headers.get("Content-Range", ""))
    return int(match[1]) if match else 0


def _written(answer: Response, file: BinaryIO) -> Iterator[None]:
    """Writes the answer, and stops for each megabyte of it."""
    length = 0
    for chunk in answer.iter_content(READ):
        file.write(chunk)
        length += len(chunk)
        if length >= MEGABYTE:
            length -= MEGABYTE
            yield
    if length:
        yield


def _short(error: Exception) -> str:
    """The reason in an error that wraps others."""
    text = " ".join(str(error).split())
    if "IncompleteRead" in text:
        return "the connection ended"
    stated = re.findall(r"\[Errno -?\d+\] ([^'\")]+)", text)
    return stated[-1] if stated else text[:120] or type(error).__name__
