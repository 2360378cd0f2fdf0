"""Calls in an isolated process: the HDF5 library and SciPy's reader of MATLAB files crash or hang over some damaged files.

One helper a process serves all calls, so that a file costs milliseconds; it is started at the first one, ends with the
process, and is replaced when it did not survive a call.
"""

from __future__ import annotations

import atexit
import os
import pickle
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from eventbench.errors import BadRecording

STARTING_S = 120.0
R = TypeVar("R")
LEAST_S, BYTES_PER_S = 10.0, 1 << 21  # what a call may take: this long, and more for large files
LEAST_BYTES, MOST_TIMES = 1 << 28, 1100  # what it may take up: deflate packs no better than 1032 to 1
_LOCK = threading.Lock()
_HELPERS: dict[
    int, subprocess.Popen[bytes]
] = {}  # by the process they serve; a fork leaves its parent's alone


def call(function: Callable[..., R], size: int, name: str, *args: Any) -> R:
    """What `function(*args)` returns, called in the helper, on a file of `size` bytes that errors call `name`.

    Raises BadRecording where it raises that, takes too long or too much memory, or does not survive.
    """
    message = pickle.dumps((size, function, args), protocol=5)
    with _LOCK:
        helper = _helper(name)
        try:
            _send(helper.stdin.fileno(), message)  # type: ignore[union-attr]
            answer = _receive(helper.stdout.fileno(), LEAST_S + size / BYTES_PER_S)  # type: ignore[union-attr]
        except TimeoutError:
            _end()
            raise _damaged("it takes too long to read", name) from None
        except (OSError, EOFError):
            _end()
            raise _damaged("it made the library that reads it crash", name) from None
        except BaseException:
            _end()  # or the answer would be taken for that of the next call
            raise
    kind, value = pickle.loads(answer)
    if kind == "returned":
        result: R = value
        return result
    if kind == "memory":
        raise _damaged("a size in it is far beyond the file's", name)
    if kind == "refused":
        refusal: BadRecording = value
        raise refusal
    raise BadRecording(f"cannot be read ({value})", where=name)


def _damaged(symptom: str, name: str) -> BadRecording:
    return BadRecording(f"damaged: {symptom}", where=name, fix="fetch the file again")


def serve() -> None:
    """Answer calls until there are no more: what the helper does."""
    asked, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    _send(answers, b"")
    while True:
        try:
            message = _receive(asked, None)
        except EOFError:
            return
        _send(answers, pickle.dumps(_answer(message), protocol=5))


def _answer(message: bytes) -> tuple[str, Any]:
    try:
        size, function, args = pickle.loads(message)
        _limit(LEAST_BYTES + MOST_TIMES * size)
        return "returned", function(*args)
    except BadRecording as error:
        # HDF5 and NumPy say in a text of their own that memory did not suffice.
        out_of_memory = "memory allocation failed" in error.what or "Unable to allocate" in error.what
        return ("memory", "") if out_of_memory else ("refused", error)
    except MemoryError:
        return "memory", ""
    except Exception as error:  # noqa: BLE001  # whatever a library raises is an answer, and the helper goes on
        return "raised", " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _limit(more: int) -> None:
    """Let this process grow by so many bytes; no limit where the system does not say how large it is."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))


def _helper(name: str) -> subprocess.Popen[bytes]:
    helper = _HELPERS.get(os.getpid())
    if helper is None or helper.poll() is not None:
        _end()
        code = f"import sys; sys.path[:] = {sys.path!r}; from eventbench.files.isolated import serve; serve()"
        helper = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        _HELPERS[os.getpid()] = helper
        try:
            _receive(helper.stdout.fileno(), STARTING_S)  # type: ignore[union-attr]
        except (OSError, EOFError):
            _end()
            raise BadRecording("the process that reads such files could not be started", where=name) from None
    return helper


def _end() -> None:
    if helper := _HELPERS.pop(os.getpid(), None):
        helper.kill()
        helper.communicate()


atexit.register(_end)


def _send(pipe: int, message: bytes) -> None:
    view = memoryview(len(message).to_bytes(8, "little") + message)
    while view:
        view = view[os.write(pipe, view) :]


def _receive(pipe: int, seconds: float | None) -> bytes:
    """A message. Raises EOFError where the other side is gone, TimeoutError after that many seconds."""
    until = None if seconds is None else time.monotonic() + seconds
    parts, left = [], 8
    length = None
    while left:
        if until is not None and not select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
            raise TimeoutError
        part = os.read(pipe, left)
        if not part:
            raise EOFError
        parts.append(part)
        left -= len(part)
        if not left and length is None:
            length = left = int.from_bytes(b"".join(parts), "little")
            parts = []
    return b"".join(parts)
