"""Events of EVT 2.0, 2.1 and 4.0 on their way from words to columns: times are written as they come, the rest is unpacked.

Bits 0 to 10 of what is unpacked are y, 11 to 27 x, 28 the polarity: a word of an event without its low part of the time, so
that the number of a pixel of many can be added to x.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.sources._evt.state import checked

LOW_BITS, HIGH_BITS = 6, 28
PIXELS = 32  # of a word or two
PLACE, AT_X = np.uint32(1 << 28 | (1 << 22) - 1), np.uint32(11)
AT_TIME, LOW_TIME, ABOVE_LOW = np.uint32(22), np.uint32(0x3F), np.uint64(6)
_28, _ELEVEN = np.uint32(28), np.uint32(0x7FF)
_X = np.uint32((1 << 17) - 1)


@njit(cache=True, nogil=True)
def unpacked(places, state, t, x, y, p):  # type: ignore[no-untyped-def]
    """Columns of packed events, and a check of all: their times are there."""
    for i in range(places.shape[0]):
        place = places[i]
        x[i], y[i], p[i] = place >> AT_X & _X, place & _ELEVEN, place >> _28
    checked(state, t, x, y)
