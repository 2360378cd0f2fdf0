"""Packets of AEDAT 4 in kernels: where they lie, how many bytes they hold, and their events as columns."""

from __future__ import annotations

import numpy as np
from numba import njit

from eventbench.sources._aedat.addresses import call_unpack, eight_events, load_16, load_32, load_64
from eventbench.sources._aedat.lz4 import first_word, unpack_two
from eventbench.sources._aedat.zstd import frame_sizes

NONE, LZ4, LZ4_HIGH, ZSTD, ZSTD_HIGH = range(5)
LEAST = 12  # bytes of a size, an offset and the identifier
MOST_TIMES = 1100  # what packets may unpack to, times the file's size; real events stay far below
MOST_TIMES_LZ4 = 256
EVENT_BYTES = 16
EVENTS = 0x53545645  # "EVTS"
BAD = -1


@njit(cache=True, nogil=True)
def packet_number(data, at, end):  # type: ignore[no-untyped-def]
    """(How many packets lie between, where the last ends, whether another one is cut off by the end of the file)."""
    address, number, length = data.ctypes.data, 0, data.shape[0]
    while at < end:
        if at + 8 > length or at + 8 + load_32(address + at + 4) > length:
            return number, at, True
        at += 8 + load_32(address + at + 4)
        number += 1
    return number, at, False


@njit(cache=True, nogil=True)
def list_packets(data, at, packets):  # type: ignore[no-untyped-def]
    """The stream, start and end of each of the packets from `at` on, which `packet_number` counted."""
    address = data.ctypes.data
    for k in range(packets.shape[0]):
        packets[k, 0], packets[k, 1] = load_32(address + at), at
        at += 8 + load_32(address + at + 4)
        packets[k, 2] = at


@njit(cache=True, nogil=True)
def content_sizes(data, packets, compression, sizes):  # type: ignore[no-untyped-def]
    """Fill in the bytes that each packet holds when it is unpacked: (most, sum); BAD where one cannot be sound."""
    address, most, total = data.ctypes.data, 0, 0
    for k in range(packets.shape[0]):
        start, end = packets[k, 1] + 8, packets[k, 2]
        if compression == NONE:
            size = end - start
        elif compression <= LZ4_HIGH:
            first = first_word(address, start, end)  # a packet begins with its size
            size = 4 + first if first >= 0 and 4 + first <= MOST_TIMES_LZ4 * (end - start) else BAD
        else:
            stated, largest = frame_sizes(address, start, end)
            size = stated if 0 < stated <= largest else BAD
        total += size
        if size < LEAST or total > MOST_TIMES * data.shape[0]:
            return BAD, BAD
        sizes[k], most = size, max(most, size)
    return most, total


@njit(cache=True, nogil=True)
def decode(data, packets, sizes, compression, unpack, context, block, t, x, y, p):  # type: ignore[no-untyped-def]
    """Columns of the events in packets: (events, highest x, highest y, times that step back, packet that is BAD or -1).

    unpack, context : as `zstd.functions` has them
    block : uint8, room for an unpacked packet, for two where they are packed by LZ4
    x, y : as stored, so that negative ones are over 32,767
    """
    address, own = data.ctypes.data, block.ctypes.data
    half = own + block.shape[0] // 2
    n, high_x, high_y, back, sound_b = 0, 0, 0, 0, False
    for k in range(packets.shape[0]):
        at, size, length = address + packets[k, 1] + 8, sizes[k], packets[k, 2] - packets[k, 1] - 8
        sound = True
        if compression in (LZ4, LZ4_HIGH):
            if k % 2 == 0:
                b = min(k + 1, packets.shape[0] - 1)
                size_b = sizes[b] if b > k else -1
                start, end, start_b, end_b = (
                    at,
                    at + length,
                    address + packets[b, 1] + 8,
                    address + packets[b, 2],
                )
                sound, sound_b = unpack_two(0, start, end, own, size, start_b, end_b, half, size_b)
            else:
                sound = sound_b
            at = half if k % 2 else own
        elif compression != NONE:
            sound = call_unpack(unpack, context, own, size, at, length) == size
            at = own
        first, number = vector(at, size) if sound else (at, BAD)
        if number < 0:
            return n, high_x, high_y, back, k
        end_n = n + number
        highest = columns_of(first, t[n:end_n], x[n:end_n], y[n:end_n], p[n:end_n])
        high_x, high_y, back = max(high_x, highest[0]), max(high_y, highest[1]), back + highest[2]
        if n > 0 and number > 0 and t[n] < t[n - 1]:
            back += 1
        n = end_n
    return n, high_x, high_y, back, -1


@njit(cache=True, nogil=True)
def vector(content, size):  # type: ignore[no-untyped-def]
    """(Address of the first event in a packet that is unpacked, number of events); BAD where it is damaged."""
    data, length = content + 4, size - 4
    root = load_32(data)
    if load_32(data + 4) != EVENTS or root + 4 > length:
        return data, BAD
    table = root - np.int64(np.int32(np.uint32(load_32(data + root))))
    if table < 0 or table + 4 > length:
        return data, BAD
    entries, table_size = load_16(data + table), load_16(data + table + 2)
    if entries < 6:
        return data, 0
    if table + 6 > length:
        return data, BAD
    field = load_16(data + table + 4)
    if field == 0:
        return data, 0
    at = root + field
    if field > table_size or at + 4 > length:
        return data, BAD
    at += load_32(data + at)
    if at + 4 > length:
        return data, BAD
    number = load_32(data + at)
    if at + 4 + EVENT_BYTES * number > length:
        return data, BAD
    return data + at + 4, number


@njit(cache=True, nogil=True)
def columns_of(first, t, x, y, p):  # type: ignore[no-untyped-def]
    """Fill columns with the events from an address on: (highest x, highest y, times that step back)."""
    number, back = t.shape[0], 0
    by_eight = number // 8 * 8
    to_t, to_x, to_y, to_p = t.ctypes.data, x.ctypes.data, y.ctypes.data, p.ctypes.data
    for i in range(0, by_eight, 8):
        eight_events(first + EVENT_BYTES * i, to_t + 8 * i, to_x + 2 * i, to_y + 2 * i, to_p + i)
    for i in range(by_eight, number):
        word = load_64(first + EVENT_BYTES * i + 8)
        t[i] = load_64(first + EVENT_BYTES * i)
        x[i], y[i], p[i] = word & 0xFFFF, word >> 16 & 0xFFFF, (word >> 32 & 0xFF) != 0
    for i in range(number - 1):
        back += t[i + 1] < t[i]
    high_x, high_y = np.uint16(0), np.uint16(0)
    for i in range(number):
        high_x, high_y = max(high_x, x[i]), max(high_y, y[i])
    return np.int64(high_x), np.int64(high_y), back
