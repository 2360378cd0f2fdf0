"""LZ4 frames unpacked ("LZ4 frame format", "LZ4 block format"); blocks may refer to those before them in their frame.

Eight bytes are copied at a time, as a view of words that overlap each other: most copies of a decoder are short.
"""

from __future__ import annotations

import numpy as np
from numba import njit

MAGIC = 0x184D2204
DAMAGED = -1
WORD = 8


def first_bytes(frame: np.ndarray) -> bytes:
    """The first four bytes that the frame holds; b"" where it does not begin with as many, packed or not."""
    at, _ = _first_block(frame)
    if at < 0 or at + 9 > len(frame):
        return b""
    packed = not frame[at + 3] >> 7
    start = at + 4 + packed
    while packed and frame[at + 4] >> 4 == 15 and start < len(frame):
        start += 1
        if frame[start - 1] != 255:
            break
    return frame[start : start + 4].tobytes() if not packed or frame[at + 4] >> 4 >= 4 else b""


def unpacked(frame: np.ndarray, size: int) -> np.ndarray | None:
    """uint8 (size,): what the frame holds; None where it is damaged or holds another number of bytes.

    Checksums are not looked at.
    """
    out = np.empty(size + 2 * WORD, np.uint8)
    padded = np.empty(len(frame) + 2 * WORD, np.uint8)
    padded[: len(frame)] = frame
    words = [np.ndarray((len(array) - WORD + 1,), "<u8", array, 0, (1,)) for array in (padded, out)]
    return out[:size] if _fill(padded, len(frame), words[0], out, words[1], size) == size else None


@njit(cache=True, nogil=True)
def _u32(data, at):  # type: ignore[no-untyped-def]
    return (
        np.int64(data[at])
        | np.int64(data[at + 1]) << 8
        | np.int64(data[at + 2]) << 16
        | np.int64(data[at + 3]) << 24
    )


@njit(cache=True, nogil=True)
def _first_block(frame):  # type: ignore[no-untyped-def]
    """Where the first block begins, and the bytes of a checksum after each; DAMAGED where it is no frame."""
    if frame.shape[0] < 7 or _u32(frame, 0) != MAGIC or frame[4] >> 6 != 1:
        return DAMAGED, 0
    flags = np.int64(frame[4])
    return 7 + 8 * (flags >> 3 & 1) + 4 * (flags & 1), 4 * (flags >> 4 & 1)


@njit(cache=True, nogil=True, inline="always")
def _copy(source, first, target, at, length):  # type: ignore[no-untyped-def]
    """Copy whole words, up to seven bytes more than `length`."""
    for i in range(0, length, WORD):
        target[at + i] = source[first + i]


@njit(cache=True, nogil=True)
def _fill(frame, frame_end, frame_words, out, out_words, size):  # type: ignore[no-untyped-def]  # noqa: C901  # a branch a kind of damage
    """Unpack; the bytes written, or DAMAGED. Both arrays have two words more than what is read and written."""
    at, checksum = _first_block(frame[:frame_end])
    n = np.int64(0)
    while at >= 0 and at + 4 <= frame_end:
        head = _u32(frame, at)
        at += 4
        if head == 0:
            return n
        end = at + (head & 0x7FFFFFFF)
        if end > frame_end:
            return DAMAGED
        if head >> 31:
            if n + end - at > size:
                return DAMAGED
            _copy(frame_words, at, out_words, n, end - at)
            n += end - at
            at = end
        while at < end:
            token = np.int64(frame[at])
            at += 1
            length = np.int64(token >> 4)
            while length >= 15 and at < end:
                byte = np.int64(frame[at])
                length = np.int64(length + byte)
                at += 1
                if byte != 255:
                    break
            if at + length > end or n + length > size:
                return DAMAGED
            _copy(frame_words, at, out_words, n, length)
            n += length
            at += length
            if at >= end:
                break
            back = np.int64(frame[at]) | np.int64(frame[at + 1]) << 8
            at += 2
            length = np.int64(token & 15)
            while length >= 15 and at < end:
                byte = np.int64(frame[at])
                length = np.int64(length + byte)
                at += 1
                if byte != 255:
                    break
            length = np.int64(length + 4)
            if at > end or back == 0 or back > n or n + length > size:
                return DAMAGED
            if back >= WORD:
                _copy(out_words, n - back, out_words, n, length)
            else:
                for i in range(length):
                    out[n + i] = out[n + i - back]
            n += length
        at = end + checksum
    return DAMAGED
