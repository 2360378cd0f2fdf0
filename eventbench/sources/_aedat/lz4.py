"""LZ4 frames unpacked ("LZ4 frame format", "LZ4 block format"); blocks may refer to those before them in their frame.

Two frames are unpacked at a time: the copies of one wait for its own last bytes, and meanwhile the other goes on. Sequences
that lie well inside their block and frame are copied by whole words; what is near an end goes byte by byte, with every
bound looked at. Checksums are not looked at. Offsets count from the address `data`, written bytes from `out`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.sources._aedat.addresses import copy_8, copy_16, copy_bytes, load_8, load_16, load_32

MAGIC = 0x184D2204
DAMAGED, CAREFULLY = -1, -2
INPUT_MARGIN, OUTPUT_MARGIN = 32, 64  # bytes before an end from which on nothing is copied by words
# What is known of a frame that is being unpacked: where the next sequence begins, where its block ends, the bytes written
# and wanted, where the frame ends, the bytes of a checksum after a block, and how it stands.
AT, BLOCK_END, WRITTEN, WANTED, FRAME_END, CHECKSUM, STATE = range(7)
RUNNING, DONE, BROKEN = range(3)


def unpacked(frame: np.ndarray, size: int) -> np.ndarray | None:
    """uint8 (size,): what the frame holds; None where it is damaged or holds another number of bytes."""
    out = np.empty(size, np.uint8)
    sound, _ = _unpack_arrays(frame, out)
    return out if sound else None


def first_bytes(frame: np.ndarray) -> bytes:
    """The first four bytes that the frame holds; b"" where it does not begin with as many, packed or not."""
    first = _first_of_array(frame)
    return int(first).to_bytes(4, "little") if first >= 0 else b""


@njit(cache=True, nogil=True)
def _unpack_arrays(frame, out):  # type: ignore[no-untyped-def]
    to = out.ctypes.data
    return unpack_two(frame.ctypes.data, 0, frame.shape[0], to, out.shape[0], 0, 0, to, -1)


@njit(cache=True, nogil=True)
def _first_of_array(frame):  # type: ignore[no-untyped-def]
    return first_word(frame.ctypes.data, 0, frame.shape[0])


@njit(cache=True, nogil=True)
def _first_block(data, start, end):  # type: ignore[no-untyped-def]
    """Where the first block begins, and the bytes of a checksum after each; DAMAGED where it is no frame."""
    if end - start < 7 or load_32(data + start) != MAGIC or load_8(data + start + 4) >> 6 != 1:
        return DAMAGED, 0
    flags = load_8(data + start + 4)
    return start + 7 + 8 * (flags >> 3 & 1) + 4 * (flags & 1), 4 * (flags >> 4 & 1)


@njit(cache=True, nogil=True)
def first_word(data, start, end):  # type: ignore[no-untyped-def]
    """The first four bytes in the frame at `start` as a number; DAMAGED where it does not begin with as many."""
    at, _ = _first_block(data, start, end)
    if at < 0 or at + 9 > end:
        return DAMAGED
    at += 4
    if load_8(data + at - 1) >> 7:
        return load_32(data + at)
    literals = load_8(data + at) >> 4
    if literals < 4:
        return DAMAGED
    _, at = _length(data, at + 1, end, literals)
    return load_32(data + at) if at + 4 <= end else DAMAGED


@njit(cache=True, nogil=True)
def unpack_two(data, start, end, out, size, start_b, end_b, out_b, size_b):  # type: ignore[no-untyped-def]
    """Unpack the frame from `start` to `end` and another; whether each is sound and has just as many bytes.

    A `size_b` of -1 is a frame that is not there.
    """
    a, b = np.zeros(7, np.int64), np.zeros(7, np.int64)
    _begin(data, start, end, out, size, a)
    if size_b < 0:
        b[STATE] = DONE
    else:
        _begin(data, start_b, end_b, out_b, size_b, b)
    while a[STATE] == RUNNING and b[STATE] == RUNNING:
        _both_by_words(data, out, a, out_b, b)
        if a[STATE] == RUNNING and _near_an_end(a):
            _finish_block(data, out, a)
        if b[STATE] == RUNNING and _near_an_end(b):
            _finish_block(data, out_b, b)
    while a[STATE] == RUNNING:
        _one_by_words(data, out, a)
    while b[STATE] == RUNNING:
        _one_by_words(data, out_b, b)
    return a[STATE] == DONE and a[WRITTEN] == size, b[STATE] == DONE and b[WRITTEN] == size_b


@njit(cache=True, nogil=True)
def _begin(data, start, end, out, size, lane):  # type: ignore[no-untyped-def]
    lane[AT], lane[CHECKSUM] = _first_block(data, start, end)
    lane[FRAME_END], lane[WANTED] = end, size
    if lane[AT] < 0:
        lane[STATE] = BROKEN
    else:
        _next_block(data, out, lane)


@njit(cache=True, nogil=True)
def _next_block(data, out, lane):  # type: ignore[no-untyped-def]
    """Go to the next packed block, past those that are not packed."""
    while lane[AT] + 4 <= lane[FRAME_END]:
        head = load_32(data + lane[AT])
        lane[AT] += 4
        if head == 0:
            lane[STATE] = DONE
            return
        length = head & 0x7FFFFFFF
        lane[BLOCK_END] = lane[AT] + length
        if lane[BLOCK_END] > lane[FRAME_END]:
            break
        if not head >> 31:
            return
        if lane[WRITTEN] + length > lane[WANTED]:
            break
        copy_bytes(out + lane[WRITTEN], data + lane[AT], length)
        lane[WRITTEN] += length
        lane[AT] = lane[BLOCK_END] + lane[CHECKSUM]
    lane[STATE] = BROKEN


@njit(cache=True, nogil=True)
def _near_an_end(lane):  # type: ignore[no-untyped-def]
    return lane[AT] >= lane[BLOCK_END] - INPUT_MARGIN or lane[WRITTEN] >= lane[WANTED] - OUTPUT_MARGIN


@njit(cache=True, nogil=True)
def _sequence(data, at, out, n, safe, safe_n):  # type: ignore[no-untyped-def]
    """Literals and a match: (offset of the next, bytes written); DAMAGED or CAREFULLY for the offset."""
    token = load_8(data + at)
    literals, length = token >> 4, token & 15
    back = load_16(data + at + 1 + literals)
    after = n + literals
    if literals != 15 and length != 15 and 8 <= back <= after:
        copy_16(out + n, data + at + 1)
        copy_8(out + after, out + after - back)
        if length > 4:
            copy_8(out + after + 8, out + after + 8 - back)
            copy_8(out + after + 16, out + after + 16 - back)
        return at + 3 + literals, after + length + 4
    return _long_sequence(data, at, out, n, safe, safe_n)


@njit(cache=True, nogil=True)
def _long_sequence(data, at, out, n, safe, safe_n):  # type: ignore[no-untyped-def]
    token = load_8(data + at)
    literals, at = _length(data, at + 1, safe, token >> 4)
    if at + literals >= safe or n + literals > safe_n:
        return CAREFULLY, n
    for i in range(0, literals, 16):
        copy_16(out + n + i, data + at + i)
    after = n + literals
    back = load_16(data + at + literals)
    length, at = _length(data, at + literals + 2, safe, token & 15)
    if at >= safe or after + length + 4 > safe_n:
        return CAREFULLY, n
    if back == 0 or back > after:
        return DAMAGED, n
    copy_bytes(out + after, out + after - back, length + 4)
    return at, after + length + 4


@njit(cache=True, nogil=True)
def _length(data, at, end, nibble):  # type: ignore[no-untyped-def]
    """(A length that begins with `nibble`, offset behind it); that is `end` where it would go on beyond it."""
    length = nibble
    while nibble == 15 and at < end:
        byte = load_8(data + at)
        at += 1
        length += byte
        if byte != 255:
            break
    return length, at


@njit(cache=True, nogil=True)
def _both_by_words(data, out, a, out_b, b):  # type: ignore[no-untyped-def]
    """Both frames on, until one of them is near an end."""
    at, n, at_b, n_b = a[AT], a[WRITTEN], b[AT], b[WRITTEN]
    safe, safe_n = a[BLOCK_END] - INPUT_MARGIN, a[WANTED] - OUTPUT_MARGIN
    safe_b, safe_n_b = b[BLOCK_END] - INPUT_MARGIN, b[WANTED] - OUTPUT_MARGIN
    found, found_b = at, at_b
    while at < safe and n < safe_n and at_b < safe_b and n_b < safe_n_b:
        found, n = _sequence(data, at, out, n, safe, safe_n)
        if found < 0:
            break
        at = found
        found_b, n_b = _sequence(data, at_b, out_b, n_b, safe_b, safe_n_b)
        if found_b < 0:
            break
        at_b = found_b
    a[AT], a[WRITTEN], b[AT], b[WRITTEN] = at, n, at_b, n_b
    _met(data, out, a, found)
    _met(data, out_b, b, found_b)


@njit(cache=True, nogil=True)
def _one_by_words(data, out, lane):  # type: ignore[no-untyped-def]
    """One frame alone: its block to the end, and to the next one."""
    at, n = lane[AT], lane[WRITTEN]
    safe, safe_n = lane[BLOCK_END] - INPUT_MARGIN, lane[WANTED] - OUTPUT_MARGIN
    found = at
    while at < safe and n < safe_n:
        found, n = _sequence(data, at, out, n, safe, safe_n)
        if found < 0:
            break
        at = found
    lane[AT], lane[WRITTEN] = at, n
    _met(data, out, lane, found if found == DAMAGED else CAREFULLY)


@njit(cache=True, nogil=True)
def _met(data, out, lane, found):  # type: ignore[no-untyped-def]
    if found == DAMAGED:
        lane[STATE] = BROKEN
    elif found == CAREFULLY:
        _finish_block(data, out, lane)


@njit(cache=True, nogil=True)
def _finish_block(data, out, lane):  # type: ignore[no-untyped-def]
    """What is left of a block, byte by byte, and to the next one."""
    at, n, end, size = lane[AT], lane[WRITTEN], lane[BLOCK_END], lane[WANTED]
    lane[STATE] = BROKEN
    while at < end:
        token = load_8(data + at)
        length, at = _length(data, at + 1, end, token >> 4)
        if at + length > end or n + length > size:
            return
        copy_bytes(out + n, data + at, length)
        n, at = n + length, at + length
        if at >= end:
            break
        if at + 2 > end:
            return
        back = load_16(data + at)
        length, at = _length(data, at + 2, end, token & 15)
        length += 4
        if back == 0 or back > n or n + length > size:
            return
        copy_bytes(out + n, out + n - back, length)
        n += length
    lane[AT], lane[WRITTEN], lane[STATE] = end + lane[CHECKSUM], n, RUNNING
    _next_block(data, out, lane)
