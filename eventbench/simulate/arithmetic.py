"""log, sine and cosine computed with + - * / only, so that every machine gives the same bits.

IEEE 754 defines the result of + - * / and of the square root to the last bit, but not of the elementary
functions: libm, SVML and NumPy's SIMD loops differ in the last bits between versions and processors, and one
bit can add or move an event. These functions are accurate to 1e-12 and used for all numbers that affect the events.
They are compiled without `fastmath`, so that the compiler neither reorders nor fuses (FMA) the operations.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, vectorize

LN2 = 0.6931471805599453
TAU = 6.283185307179586  # 2 pi
_HALF_PI_UPPER = 1.5707963267341256  # pi / 2 in two parts; the upper has 33 bits, so that its
_HALF_PI_LOWER = 6.077100506506192e-11  # product with a small whole number is exact (Cody and Waite 1980)
_SQRT_HALF = 0.7071067811865476


@njit(cache=True, nogil=True)
def log(x: float) -> float:
    """Natural logarithm of a finite x > 0 (not checked).

    x = m 2^e with m between sqrt(1/2) and sqrt(2); log m = 2 artanh((m - 1) / (m + 1)) as its power series.
    """
    m, e = math.frexp(x)
    if m < _SQRT_HALF:
        m *= 2.0
        e -= 1
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    tail = 1.0 / 19.0
    tail = tail * z + 1.0 / 17.0
    tail = tail * z + 1.0 / 15.0
    tail = tail * z + 1.0 / 13.0
    tail = tail * z + 1.0 / 11.0
    tail = tail * z + 1.0 / 9.0
    tail = tail * z + 1.0 / 7.0
    tail = tail * z + 1.0 / 5.0
    tail = tail * z + 1.0 / 3.0
    tail = tail * z + 1.0
    return e * LN2 + 2.0 * s * tail


@njit(cache=True, nogil=True)
def _sine_near_zero(x: float) -> float:
    z = x * x
    term, total = x, x
    for n in range(1, 10):
        term = -term * z / (2.0 * n * (2.0 * n + 1.0))
        total += term
    return total


@njit(cache=True, nogil=True)
def _cosine_near_zero(x: float) -> float:
    z = x * x
    term, total = 1.0, 1.0
    for n in range(1, 10):
        term = -term * z / (2.0 * n * (2.0 * n - 1.0))
        total += term
    return total


@njit(cache=True, nogil=True)
def _sine_from(x: float, quarter: int) -> float:
    """Sine of x + quarter * pi / 2."""
    quarters = math.floor(x * (2.0 / math.pi) + 0.5)
    remainder = (x - quarters * _HALF_PI_UPPER) - quarters * _HALF_PI_LOWER
    quadrant = (int(quarters) + quarter) & 3
    if quadrant == 0:
        return _sine_near_zero(remainder)
    if quadrant == 1:
        return _cosine_near_zero(remainder)
    if quadrant == 2:
        return -_sine_near_zero(remainder)
    return -_cosine_near_zero(remainder)


@vectorize(cache=True)
def sine(x: float) -> float:
    """Sine of x in radians, element by element; |x| up to 10,000 (not checked)."""
    return _sine_from(x, 0)


@vectorize(cache=True)
def cosine(x: float) -> float:
    """Cosine of x in radians, element by element; |x| up to 10,000 (not checked)."""
    return _sine_from(x, 1)


def log_of(values: np.ndarray) -> np.ndarray:
    """Natural logarithm of each element of an array of finite positive numbers, float64 of the same shape."""
    return np.asarray(_log_each(np.asarray(values, np.float64)))


@vectorize(cache=True)
def _log_each(x: float) -> float:
    return log(x)
