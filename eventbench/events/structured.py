"""Structured arrays of other libraries: their fields under any of the usual names, and whether kernels can copy them."""

from __future__ import annotations

import numpy as np

from eventbench.errors import BadEvents

ALIASES = {"t": ("t", "ts"), "x": ("x",), "y": ("y",), "p": ("p", "on", "polarity")}

# Types, as in dtype.str, that structured_kernels reads and checks correctly.
_KERNEL_TYPES = {
    "t": ("i8",),
    "x": ("u1", "u2", "i2"),
    "y": ("u1", "u2", "i2"),
    "p": ("u1", "i1", "b1"),
}


def fields_of(array: np.ndarray) -> dict[str, np.ndarray]:
    """The fields t, x, y and p of a structured array, in this order, under any of ALIASES. Raises BadEvents if one is missing."""
    names = array.dtype.names or ()
    fields = {}
    for column, aliases in ALIASES.items():
        name = next((alias for alias in aliases if alias in names), None)
        if name is None:
            raise BadEvents(
                f"no field {column!r} among {list(names)}", allowed="fields t, x, y and p, in any order"
            )
        fields[column] = array[name]
    return fields


def kernels_can_read(fields: dict[str, np.ndarray], sensor: tuple[int, int]) -> bool:
    """Whether `structured_kernels` can copy fields of these types; it checks the values itself."""
    types = {name: field.dtype for name, field in fields.items()}
    known = all(dtype.isnative and dtype.str[1:] in _KERNEL_TYPES[name] for name, dtype in types.items())
    return known and max(sensor) <= 2**15 and fields["t"].ndim == 1
