"""`keep_heap`: makes glibc keep freed memory in the process while a network trains on the CPU.

By default glibc returns the memory of tensors of more than 32 MiB to the system when they are freed, and gets it back
with page faults in the next step. For a spiking network over T steps this takes a large part of a training step.
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_heap() -> bool:
    """Tell glibc to allocate large tensors on the heap and to keep freed memory; True if that worked.

    Results do not change, only the speed. Without Linux and glibc it does nothing and returns False.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
