"""What a caller gives to a representation, checked: whole and positive parameters, and the array to fill."""

from __future__ import annotations

import math
import operator
import sys
from typing import Any

import numpy as np

from eventbench.errors import BadSpec

MOST_BYTES = 2**34


def whole(name: str, value: Any, where: str, least: int = 1, most: int = 2**62) -> int:
    """`value` as a whole number from `least` to `most`. Raises BadSpec, naming the parameter, for anything else."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or not least <= number <= most:
        upto = f" to {most}" if most < 2**62 else ""
        raise BadSpec(f"{name} is {value!r}", where=where, allowed=f"a whole number from {least}{upto}")
    return number


def positive(name: str, value: Any, where: str) -> float:
    """`value` as a finite number over 0. Raises BadSpec, naming the parameter, for anything else."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else 0
    if not 0 < number <= sys.float_info.max:
        raise BadSpec(f"{name} is {value!r}", where=where, allowed="a finite number over 0")
    return float(number)


def array_to_fill(out: np.ndarray | None, shape: tuple[int, ...], dtype: np.dtype, where: str) -> np.ndarray:
    """`out`, found fit to be written as one block of memory, or a new array. Raises BadSpec for an unfit one."""
    size = math.prod(shape) * dtype.itemsize
    if size > MOST_BYTES:
        raise BadSpec(
            f"the array would be {shape}, {size / 2**30:,.0f} GiB",
            where=where,
            allowed="16 GiB",
            fix="fewer steps or channels, or a smaller sensor",
        )
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray):
        raise BadSpec(f"out is {type(out).__name__}", where=where, allowed="a NumPy array")
    if out.shape != shape or out.dtype != dtype:
        raise BadSpec(
            f"out is {out.dtype} {out.shape}", where=where, allowed=f"{dtype} {shape}, (T, C, H, W)"
        )
    if not (out.flags.c_contiguous and out.flags.writeable and out.flags.aligned):
        raise BadSpec(
            "out is not contiguous, aligned and writeable",
            where=where,
            allowed="a C-contiguous array of its own, or a whole leading part of one",
        )
    return out
