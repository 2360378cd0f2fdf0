"""`keep_heap`: freed memory stays in the process while a network trains on the CPU.

glibc gives tensors of more than 32 MiB back to the system when they are freed and takes them again, page fault by page
fault, at the next step; for a spiking network over T steps that is a large part of a training step.
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_heap() -> bool:
    """Tell glibc to serve large tensors from the heap and to keep it; True where that took effect.

    Results do not change, only the time they take. Elsewhere than on Linux with glibc it does nothing.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
