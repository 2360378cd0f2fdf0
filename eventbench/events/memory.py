"""Memory of columns and of bytes that are read, used again when nothing refers to it any more.

The system clears fresh memory page by page, which takes longer than decoding into it; and what the allocator of the C
library keeps depends on what else the process freed.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Iterator

import numpy as np

LEAST = 1 << 20  # bytes from which it is worth it
MOST_KEPT = 1 << 27
HUGE = 1 << 21  # bytes of a huge page, which NumPy asks for in large arrays
_FREE: dict[int, np.ndarray] = {}


def memory(size: int) -> np.ndarray:
    """uint8 (size,), its values whatever they were. It may be used again when the array and all views of it are gone."""
    if size < LEAST:
        return np.empty(size, np.uint8)
    block = _taken(size)
    # An object of ctypes lives, by the rules of buffers, until the last view of its memory is gone; an array does not.
    lent = (ctypes.c_ubyte * block.nbytes).from_buffer(block)  # type: ignore[arg-type]
    weakref.finalize(lent, _take_back, block).atexit = False
    return np.frombuffer(lent, np.uint8, size)  # type: ignore[call-overload, no-any-return]


def columns(events: int) -> Iterator[np.ndarray]:
    """t int64, x and y uint16, p uint8 (events,), end to end in one piece of such memory."""
    block, at = memory(13 * events), 0
    for kind, size in ((np.int64, 8), (np.uint16, 2), (np.uint16, 2), (np.uint8, 1)):
        yield block[at : at + size * events].view(kind)
        at += size * events


def _taken(size: int) -> np.ndarray:
    for key, block in sorted(_FREE.items(), key=lambda free: free[1].nbytes):
        # Only one of several threads is given what it takes out.
        if size <= block.nbytes <= 4 * size and _FREE.pop(key, None) is not None:
            return block
    return _aligned(size)


def _aligned(size: int) -> np.ndarray:
    """Fresh memory, of whole huge pages."""
    whole = -(-size // HUGE) * HUGE
    fresh = np.empty(whole + HUGE, np.uint8)
    start = -fresh.ctypes.data % HUGE
    return fresh[start : start + whole]


def _take_back(returned: np.ndarray) -> None:
    _FREE[id(returned)] = returned
    while sum(block.nbytes for block in list(_FREE.values())) > MOST_KEPT:
        _FREE.pop(next(iter(list(_FREE))), None)
