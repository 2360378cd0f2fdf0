"""Columns of words of which the lower half is an address and the upper a time, as AEDAT 2.0 and 3.1 have them."""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.sources._aedat.addresses import eight_words, load_64


@njit(cache=True, nogil=True)
def columns_of(first, base, time_flip, layout, before, t, x, y, p):  # type: ignore[no-untyped-def]
    """Fill columns with the words from an address on: (highest x, highest y, steps back, those of over 2**31 us).

    base, time_flip, layout : as `eight_words` has them; `before` the time of the event before
    """
    number = t.shape[0]
    by_eight = number // 8 * 8
    to_t, to_x, to_y, to_p = t.ctypes.data, x.ctypes.data, y.ctypes.data, p.ctypes.data
    for i in range(0, by_eight, 8):
        eight_words(
            first + 8 * i, (to_t + 8 * i, to_x + 2 * i, to_y + 2 * i, to_p + i), base, time_flip, layout
        )
    x_shift, x_mask, x_flip, x_add, y_shift, y_mask, y_flip, y_add, p_shift, p_flip = layout
    for i in range(by_eight, number):
        word = load_64(first + 8 * i)
        t[i] = base + ((word >> 32 & 0xFFFFFFFF) ^ time_flip)
        x[i] = x_add + ((word >> x_shift & x_mask) ^ x_flip)
        y[i] = y_add + ((word >> y_shift & y_mask) ^ y_flip)
        p[i] = (word >> p_shift & 1) ^ p_flip
    back, far = 0, 0
    if number:
        back, far = back + (t[0] < before), far + (t[0] - before < -(1 << 31))
    for i in range(number - 1):
        back += t[i + 1] < t[i]
    for i in range(number - 1 if back else 0):
        far += t[i + 1] - t[i] < -(1 << 31)
    high_x, high_y = np.uint16(0), np.uint16(0)
    for i in range(number):
        high_x, high_y = max(high_x, x[i]), max(high_y, y[i])
    return np.int64(high_x), np.int64(high_y), back, far
