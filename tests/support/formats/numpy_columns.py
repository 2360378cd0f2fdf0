"""NumPy: `.npz` of columns, `.npy` of a structured and of an (events, 4) array."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from tests.support.formats.shared import COLUMNS
from tests.support.miniatures import npy_bytes, npz_bytes, structured


def seeds() -> list[bytes]:
    """Plain, packed, packed as far as packing goes, and the two kinds of array."""
    return [
        npz_bytes(**COLUMNS, sensor=[100, 90]),
        _packed(**COLUMNS, sensor=np.array([100, 90])),
        _packed(**{name: np.zeros(2**18, np.uint8) for name in "txyp"}),
        npy_bytes(structured(COLUMNS, "xytp")),
        npy_bytes(np.stack(list(COLUMNS.values()), axis=1)),
    ]


def _packed(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()
