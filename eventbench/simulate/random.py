"""Seeded random numbers, the same on every machine and in any order of drawing.

The n-th number of a key is a hash of (key, n): SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) started at the
key and read at position n. Only 64-bit integers are used, so the bits do not depend on the machine, library versions or
the number of workers. NumPy's generators are not used, since their distributions may change between versions.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numba import njit

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_ONE, _S11, _S27, _S30, _S31 = (np.uint64(n) for n in (1, 11, 27, 30, 31))
_UNIT = 1.0 / 9007199254740992.0  # 2 ** -53, exact


@njit(cache=True, nogil=True)
def bits(key: np.uint64, n: int) -> np.uint64:
    """The n-th 64 random bits (uint64) of `key` (uint64); n = 0, 1, 2, ..."""
    z = np.uint64(key) + _GAMMA * (np.uint64(n) + _ONE)
    z = (z ^ (z >> _S30)) * _FIRST
    z = (z ^ (z >> _S27)) * _SECOND
    return z ^ (z >> _S31)


@njit(cache=True, nogil=True)
def uniform(key: np.uint64, n: int) -> float:
    """The n-th uniform number of `key`, in [0, 1): the upper 53 of its 64 bits."""
    return np.float64(bits(key, n) >> _S11) * _UNIT


@njit(cache=True, nogil=True)
def normal(key: np.uint64, n: int) -> float:
    """The n-th nearly normal number of `key`: the sum of 12 uniforms minus 6 (Irwin-Hall), between -6 and 6.

    Mean 0 and variance 1 are exact; the tails are lighter than a Gaussian's (kurtosis 2.9 against 3).
    """
    total = -6.0
    for part in range(12):
        total += uniform(key, 12 * n + part)
    return total


def key_of(*purpose: int | str) -> np.uint64:
    """The key (uint64) for a purpose, such as (seed, "train/s003-clap-1", "shot noise"): sha256 of its parts."""
    text = "\n".join(f"{type(part).__name__} {part}" for part in purpose)
    return np.uint64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little"))


class Draws:
    """Random numbers by name: each name has its own stream, so an additional draw does not change the others."""

    def __init__(self, *purpose: int | str) -> None:
        self.purpose = purpose

    def key(self, name: str) -> np.uint64:
        """The key of the draw `name`."""
        return key_of(*self.purpose, name)

    def between(self, name: str, limits: tuple[float, float]) -> float:
        """Uniform in [low, high)."""
        low, high = limits
        return low + (high - low) * float(uniform(self.key(name), 0))

    def whole(self, name: str, limits: tuple[int, int]) -> int:
        """A whole number from low to high, both included, all equally likely."""
        low, high = limits
        return low + int(float(uniform(self.key(name), 0)) * (high - low + 1))

    def sign(self, name: str) -> int:
        """-1 or 1."""
        return 2 * self.whole(name, (0, 1)) - 1
