"""`call`: calls a function in an isolated process, since HDF5 and SciPy's MATLAB reader crash or hang over damaged files.

Each process has one helper process for all calls, so that a call takes milliseconds. The helper is started at the first
call, ends with the process, and is replaced if it does not survive a call. What is large is handed over in memory that
both see (`call_shared`, `shared_room`), which is gone with the two.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from eventbench.errors import BadRecording
from eventbench.files._shared_memory import SharedMemory

R = TypeVar("R")
START_TIMEOUT_S = 120.0
TIMEOUT_S, BYTES_PER_S = 10.0, 1 << 21  # a call may take TIMEOUT_S, and more for large files
MAX_COMPRESSION = (
    1100  # bytes unpacked per byte of a file, at most: deflate compresses no better than 1032 to 1
)
MIN_MEMORY = 1 << 28  # bytes that a call may use, and MAX_COMPRESSION times the file's size on top
PIPE_BYTES = 1 << 20
# For the helper's C library, where it is glibc: room that a chunk was unpacked in is kept for the next one, which takes a
# third of the time of unpacking otherwise.
KEEPS_MEMORY = {name: str(1 << 26) for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")}
OUT_OF_MEMORY = "out_of_memory"  # the reason of a BadRecording when memory ran out
_LOCK = threading.Lock()
_HELPERS: dict[
    int, subprocess.Popen[bytes]
] = {}  # by process id; a forked process does not use its parent's helper


def call(function: Callable[..., R], size: int, name: str, *args: Any) -> R:
    """The result of `function(*args)` in the helper; `size` in bytes and `name` are those of the file that it reads.

    Raises BadRecording if the function raises, takes too long or too much memory, or crashes.
    """
    with _LOCK:
        return _called(function, size, name, args)


@contextlib.contextmanager
def call_shared(function: Callable[..., int], size: int, name: str, *args: Any) -> Iterator[np.ndarray]:
    """As `call`, of a function that writes to `shared_room` and returns how many bytes: uint8 (bytes,), which are seen.

    They are another call's when the context ends, and no other call is made before it does.
    """
    with _LOCK:
        written = _called(function, size, name, args)
        shared = _SHARED[os.getpid()]
        try:
            yield shared.seen(written)
        finally:
            shared.shrink()


def shared_room(size: int) -> np.ndarray:
    """uint8 (size,): memory that the caller sees when the function that runs here has returned. Only the helper calls it.

    Raises MemoryError where it is more than the call may use.
    """
    import resource

    if size > resource.getrlimit(resource.RLIMIT_AS)[0] > 0:
        raise MemoryError(f"{size:,} bytes of shared memory")
    return _SHARED[0].seen(size)


_SHARED: dict[int, SharedMemory] = {}  # by process id; 0 in the helper


def _called(function: Callable[..., R], size: int, name: str, args: tuple[Any, ...]) -> R:
    """As `call`, by the one thread that may."""
    message = pickle.dumps((size, function, args), protocol=5)
    helper = _helper(name)
    try:
        _send(helper.stdin.fileno(), message)  # type: ignore[union-attr]
        kind, value = _receive_result(helper.stdout.fileno(), TIMEOUT_S + size / BYTES_PER_S)  # type: ignore[union-attr]
    except TimeoutError:
        _stop_helper()
        raise _damaged("it takes too long to read", name) from None
    except (OSError, EOFError):
        _stop_helper()
        raise _damaged("the library that reads it crashes", name) from None
    except BaseException:
        _stop_helper()  # else its answer would be taken for that of the next call
        raise
    if kind == "returned":
        result: R = value
        return result
    if kind == "memory":
        raise _damaged("it contains a size far beyond the file's", name)
    if kind == "refused":
        refusal: BadRecording = value
        raise refusal
    raise BadRecording(f"cannot be read ({value})", where=name)


def _damaged(symptom: str, name: str) -> BadRecording:
    return BadRecording(f"damaged: {symptom}", where=name, fix="fetch the file again")


def serve(shared: int) -> None:
    """Answer calls until the input ends: the main loop of the helper. `shared` is the file of the memory that is shared."""
    _SHARED[0] = SharedMemory(shared)
    calls, answers = os.dup(0), os.dup(1)
    null_device = os.open(os.devnull, os.O_RDWR)
    for standard_stream in (0, 1, 2):
        os.dup2(null_device, standard_stream)
    _send(answers, b"")
    while True:
        try:
            message = _receive(calls, None)
        except EOFError:
            return
        _send_result(answers, _answer(message))


def _answer(message: bytes) -> tuple[str, Any]:
    try:
        size, function, args = pickle.loads(message)
        _limit_memory(MIN_MEMORY + MAX_COMPRESSION * size)
        return "returned", function(*args)
    except BadRecording as error:
        return ("memory", "") if error.reason == OUT_OF_MEMORY else ("refused", error)
    except MemoryError:
        return "memory", ""
    except Exception as error:  # noqa: BLE001  # whatever a library raises is sent back, and the helper continues
        return "raised", " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _limit_memory(growth: int) -> None:
    """Let this process grow by `growth` bytes at most; no limit on systems that do not tell its size."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = pages * resource.getpagesize() + growth
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))


def _helper(name: str) -> subprocess.Popen[bytes]:
    helper = _HELPERS.get(os.getpid())
    if helper is None or helper.poll() is not None:
        _stop_helper()
        shared = SharedMemory.new_file()
        code = f"import sys; sys.path[:] = {sys.path!r}; from eventbench.files.isolated import serve; serve({shared})"
        helper = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(shared,),
            env={**KEEPS_MEMORY, **os.environ},
        )
        _SHARED[os.getpid()] = SharedMemory(shared)
        _HELPERS[os.getpid()] = helper
        _widen(helper.stdin.fileno())  # type: ignore[union-attr]
        _widen(helper.stdout.fileno())  # type: ignore[union-attr]
        try:
            _receive(helper.stdout.fileno(), START_TIMEOUT_S)  # type: ignore[union-attr]
        except (OSError, EOFError):
            _stop_helper()
            raise BadRecording("the process that reads such files could not be started", where=name) from None
    return helper


def _stop_helper() -> None:
    if helper := _HELPERS.pop(os.getpid(), None):
        helper.kill()
        helper.communicate()
    if shared := _SHARED.pop(os.getpid(), None):
        shared.close()


atexit.register(_stop_helper)


def _send(pipe: int, message: bytes) -> None:
    view = memoryview(len(message).to_bytes(8, "little") + message)
    while view:
        view = view[os.write(pipe, view) :]


def _send_result(pipe: int, result: object) -> None:
    """A result; the memory of its arrays follows the message itself, so that it is copied once only."""
    buffers: list[pickle.PickleBuffer] = []
    message = pickle.dumps(result, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    _send(pipe, pickle.dumps((message, [view.nbytes for view in views])))
    for view in views:
        while view:
            view = view[os.write(pipe, view) :]


def _receive(pipe: int, seconds: float | None) -> bytes:
    """The next message. Raises EOFError if the other side has ended, TimeoutError after `seconds`."""
    deadline = None if seconds is None else time.monotonic() + seconds
    length = int.from_bytes(_receive_bytes(pipe, 8, deadline), "little")
    return bytes(_receive_bytes(pipe, length, deadline))


def _receive_result(pipe: int, seconds: float) -> Any:
    """The next result; raises as `_receive` does."""
    deadline = time.monotonic() + seconds
    message, sizes = pickle.loads(_receive(pipe, seconds))
    buffers = [_receive_bytes(pipe, size, deadline) for size in sizes]
    return pickle.loads(message, buffers=buffers)


def _receive_bytes(pipe: int, size: int, deadline: float | None) -> np.ndarray:
    """uint8 (size,): the next bytes."""
    block = np.empty(size, np.uint8)
    view = memoryview(block)  # type: ignore[arg-type]
    while view:
        if (
            deadline is not None
            and not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]
        ):
            raise TimeoutError
        received = os.readv(pipe, [view])
        if not received:
            raise EOFError
        view = view[received:]
    return block


def _widen(pipe: int) -> None:
    """Let a pipe hold PIPE_BYTES, where the system can: each turn between the processes then moves more."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
