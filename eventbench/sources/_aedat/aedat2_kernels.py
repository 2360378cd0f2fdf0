"""Records of AEDAT 2.0 in kernels: the columns of their events in one pass, and what is to be known of all of them."""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.sources._aedat.addresses import big_endian_64, store_64
from eventbench.sources._aedat.word_kernels import columns_of

RECORD_BYTES = 8
MARK = 1 << 10  # of a DAVIS' external signals, and of events of pixels that are special
BLOCK = 2048  # records, which stay in the L1 cache


@njit(cache=True, nogil=True)
def address_bits(data, start, records):  # type: ignore[no-untyped-def]
    """A number that has every bit that an address has."""
    at, bits = data.ctypes.data + start, 0
    for i in range(records):
        bits |= big_endian_64(at + RECORD_BYTES * i)
    return bits >> 32 & 0xFFFFFFFF


@njit(cache=True, nogil=True)
def decode_records(data, start, word, size, turned, keep_marked, t, x, y, p):  # type: ignore[no-untyped-def]
    """Fill columns with the events of as many records as these have room for; t is the clock as it stands.

    word : the numbers of a `Word`, as a plain tuple, since a class would be in the cache of compiled kernels; `size` the camera's (width, height); `turned` whether x, y and the polarity are to count as in an
        image, else they stay as stored

    Returns (events, marked ones among the records, highest x, highest y, steps back, those of over 2**31 us, bits of all
    addresses); of x and y, those below 0 are over 32,767.
    """
    at, block = data.ctypes.data + start, np.empty(BLOCK, np.uint64)
    _, x_shift, x_mask, y_shift, y_mask, p_shift, on = word
    # width - 1 - x is width + ~x, as a processor has both for several pixels at once.
    flip, right, bottom, turn_p = (-1, size[0], size[1], 1 - on) if turned else (0, 0, 0, 0)
    layout = (x_shift, x_mask, flip, right, y_shift, y_mask, flip, bottom, p_shift, turn_p)
    n, marked, high_x, high_y, back, wraps, bits = 0, 0, 0, 0, 0, 0, 0
    for first in range(0, t.shape[0], BLOCK):
        records = min(BLOCK, t.shape[0] - first)
        found = _events_of(at + RECORD_BYTES * first, records, word, keep_marked, block.ctypes.data)
        marked, bits = marked + found[1], bits | found[2]
        end = n + found[0]
        before = t[n - 1] if n else 0
        highest = columns_of(block.ctypes.data, 0, 0, layout, before, t[n:end], x[n:end], y[n:end], p[n:end])
        high_x, high_y = max(high_x, highest[0]), max(high_y, highest[1])
        back, wraps, n = back + highest[2], wraps + highest[3], end
    return n, marked, high_x, high_y, back, wraps, bits


@njit(cache=True, nogil=True)
def _events_of(at, records, word, keep_marked, block):  # type: ignore[no-untyped-def]
    """Copy the records that are events: (how many, marked ones, bits of all addresses). The lower half is the address."""
    no_event, other_bits = word[0], ~(MARK | 1 << word[5]) & 0xFFFFFFFF
    n, marked, bits = 0, 0, 0
    has_marks = no_event & MARK != 0
    for i in range(records):
        record = big_endian_64(at + RECORD_BYTES * i)
        address = record >> 32 & 0xFFFFFFFF
        bits |= address
        marks = address & no_event
        special = has_marks & (marks == MARK) & (address & other_bits != 0)
        marked += special
        store_64(block + 8 * n, address | record << 32)
        n += (marks == 0) | special & keep_marked
    return n, marked, bits
