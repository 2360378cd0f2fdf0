"""Structured arrays as other libraries make them: their fields found under any name, and whether kernels can take them."""

from __future__ import annotations

import numpy as np

from eventbench.errors import BadEvents

# Types whose values need not be looked at one by one.
_PASS = {
    "t": "i8",
    "x": "u1 u2 i2",
    "y": "u1 u2 i2",
    "p": "u1 i1 b1",
}


def fields_of(array: np.ndarray) -> dict[str, np.ndarray]:
    """The fields t, x, y and p of a structured array, in this order, under whichever names they go."""
    names = array.dtype.names or ()
    aliases = {"t": ("t", "ts"), "x": ("x",), "y": ("y",), "p": ("p", "on", "polarity")}
    fields = {}
    for column, options in aliases.items():
        name = next((option for option in options if option in names), None)
        if name is None:
            raise BadEvents(
                f"no field {column!r} among {list(names)}", allowed="fields t, x, y and p, in any order"
            )
        fields[column] = array[name]
    return fields


def passes(fields: dict[str, np.ndarray], sensor: tuple[int, int]) -> bool:
    """Whether fields are of types that kernels can take as they stand, once their values are found sound."""
    types = {name: field.dtype for name, field in fields.items()}
    native = all(kind.isnative and kind.str[1:] in _PASS[name].split() for name, kind in types.items())
    return native and max(sensor) <= 2**15 and fields["t"].ndim == 1
