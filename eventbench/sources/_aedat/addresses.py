"""Loads and copies of several bytes at once at any address; for kernels, which have checked every bound before.

Numba has no load of a word that begins within another, and functions that are given numbers instead of arrays become part
of the loop that calls them. Little-endian, as all that Numba compiles for are.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic as numba_intrinsic

intrinsic: Any = numba_intrinsic  # what is called has no first argument, which types do not tell

_WIDE = ir.IntType(64)


def _loader(bits: int) -> Any:
    @intrinsic
    def load(typing: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value = builder.load(builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer()))
            value.align = 1
            return builder.zext(value, _WIDE) if bits < 64 else value

        return types.int64(types.int64), generate

    return load


def _copier(kind: Any) -> Any:
    @intrinsic
    def copy(typing: Any, target: Any, source: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            to, at = (builder.inttoptr(address, kind.as_pointer()) for address in arguments)
            value = builder.load(at)
            value.align = 1
            builder.store(value, to).align = 1
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return copy


load_8, load_16, load_32, load_64 = map(_loader, (8, 16, 32, 64))
copy_1, copy_8, copy_16 = map(_copier, (ir.IntType(8), _WIDE, ir.VectorType(ir.IntType(8), 16)))


@intrinsic
def store_64(typing: Any, address: Any, value: Any) -> Any:
    """Write eight bytes at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], builder.inttoptr(arguments[0], _WIDE.as_pointer())).align = 1
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def big_endian_64(typing: Any, address: Any) -> Any:
    """The eight bytes at an address, the first of which is the highest."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = builder.load(builder.inttoptr(arguments[0], _WIDE.as_pointer()))
        value.align = 1
        return builder.bswap(value)

    return types.int64(types.int64), generate


@intrinsic
def eight_events(typing: Any, first: Any, t: Any, x: Any, y: Any, p: Any) -> Any:
    """Eight structs of 16 bytes (t, x, y, polarity at 0, 8, 10, 12) from an address on, to the addresses of four columns.

    One load, and a column each picked out of it: several times faster than what becomes of a loop over the structs.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def picked(width: int, lane: int) -> Any:
            lanes = 128 // width
            words = builder.bitcast(events, ir.VectorType(ir.IntType(width), 8 * lanes))
            which = ir.Constant(ir.VectorType(ir.IntType(32), 8), [lanes * k + lane for k in range(8)])
            return builder.shuffle_vector(words, ir.Constant(words.type, ir.Undefined), which)

        def store(column: Any, address: Any) -> None:
            builder.store(column, builder.inttoptr(address, column.type.as_pointer())).align = 1

        wide = ir.VectorType(_WIDE, 16)
        events = builder.load(builder.inttoptr(arguments[0], wide.as_pointer()))
        events.align = 1
        for width, lane, address in zip((64, 16, 16), (0, 4, 5), arguments[1:], strict=False):
            store(picked(width, lane), address)
        on = picked(8, 12)
        store(
            builder.zext(builder.icmp_unsigned("!=", on, ir.Constant(on.type, [0] * 8)), on.type),
            arguments[4],
        )
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), generate


@intrinsic
def eight_words(typing: Any, first: Any, columns: Any, base: Any, time_flip: Any, layout: Any) -> Any:
    """Eight words, of which the lower half is an address and the upper a time, to the addresses of columns t, x, y, p.

    t is base + (time ^ time_flip); x and y are add + (address >> shift & mask ^ flip), the polarity is address >> shift & 1 ^
    flip. layout : shift, mask, flip and add of x, those of y, shift and flip of the polarity
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        narrow = ir.IntType(32)
        eight = ir.VectorType(narrow, 8)
        at, to, base_, flip_, values = arguments
        to = [builder.extract_value(to, k) for k in range(4)]
        values = [builder.trunc(builder.extract_value(values, k), narrow) for k in range(10)]

        def repeated(value: Any) -> Any:
            kind = ir.VectorType(value.type, 8)
            one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(narrow, 0))
            return builder.shuffle_vector(one, one, ir.Constant(eight, [0] * 8))

        def lanes(odd: int) -> Any:
            which = ir.Constant(eight, [2 * k + odd for k in range(8)])
            return builder.shuffle_vector(words, ir.Constant(words.type, ir.Undefined), which)

        def field(shift: Any, mask: Any, flip: Any) -> Any:
            shifted = builder.lshr(addresses, repeated(shift))
            return builder.xor(builder.and_(shifted, repeated(mask)), repeated(flip))

        def store(column: Any, bits: int, address: Any) -> None:
            if bits < 32:
                column = builder.trunc(column, ir.VectorType(ir.IntType(bits), 8))
            builder.store(column, builder.inttoptr(address, column.type.as_pointer())).align = 1

        words = builder.load(builder.inttoptr(at, ir.VectorType(narrow, 16).as_pointer()))
        words.align = 1
        addresses, times = lanes(0), lanes(1)
        flipped = builder.zext(
            builder.xor(times, repeated(builder.trunc(flip_, narrow))), ir.VectorType(_WIDE, 8)
        )
        store(builder.add(flipped, repeated(base_)), 64, to[0])
        for k in range(2):
            shift, mask, flip, add = values[4 * k : 4 * k + 4]
            store(builder.add(field(shift, mask, flip), repeated(add)), 16, to[1 + k])
        store(field(values[8], ir.Constant(narrow, 1), values[9]), 8, to[3])
        return context.get_dummy_value()

    wide = types.int64
    return types.void(wide, types.UniTuple(wide, 4), wide, wide, types.UniTuple(wide, 10)), generate


@njit(cache=True, nogil=True)
def copy_bytes(target, source, length):  # type: ignore[no-untyped-def]
    """Copy that many bytes and no more; those of a target that lies within the source's length behind it repeat."""
    i = 0
    if target - source >= 8 or target < source:
        while i + 8 <= length:
            copy_8(target + i, source + i)
            i += 8
    while i < length:
        copy_1(target + i, source + i)
        i += 1


@intrinsic
def call_unpack(
    typing: Any, function: Any, context_: Any, target: Any, size: Any, source: Any, length: Any
) -> Any:
    """Call the C function `size_t function(void* context, void* target, size_t size, const void* source, size_t length)`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(_WIDE, [_WIDE] * 5)
        return builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])

    return types.int64(*[types.int64] * 6), generate
