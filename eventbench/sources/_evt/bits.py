"""What the processor has an instruction for and Numba has no function: the bits of a number counted, and found."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.extending import intrinsic


def _counted(typing, word):  # type: ignore[no-untyped-def]  # noqa: ARG001  # the signature of intrinsics
    return word(word), lambda context, builder, signature, args: builder.ctpop(args[0])  # noqa: ARG005


def _found(typing, word):  # type: ignore[no-untyped-def]  # noqa: ARG001  # the signature of intrinsics
    defined_for_zero = ir.Constant(ir.IntType(1), 0)
    return word(word), lambda context, builder, signature, args: builder.cttz(args[0], defined_for_zero)  # noqa: ARG005


set_bits: Any = intrinsic(_counted)  # how many bits of an unsigned number are set
lowest_bit: Any = intrinsic(
    _found
)  # the place of the lowest bit that is set; the number of bits where none is
