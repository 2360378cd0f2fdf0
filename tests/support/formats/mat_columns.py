"""MATLAB, versions 5 and 7.3."""

from __future__ import annotations

import io

import h5py
import numpy as np
from scipy.io import savemat

from tests.support.formats.shared import COLUMNS

NAMES = dict(zip(("ts", "x", "y", "pol"), COLUMNS.values(), strict=True))


def seeds() -> list[bytes]:
    """Of version 5, plain and packed, and of version 7.3."""
    return [_version_5(packed=False), _version_5(packed=True), _version_7()]


def _version_5(*, packed: bool) -> bytes:
    file = io.BytesIO()
    savemat(file, {name: values[:, None] for name, values in NAMES.items()}, do_compression=packed)
    return file.getvalue()


def _version_7() -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w", userblock_size=512) as out:
        for name, values in NAMES.items():
            out[name] = np.array([values], np.float64)
    data = bytearray(file.getvalue())
    data[:19] = b"MATLAB 7.3 MAT-file"
    return bytes(data)
