"""SHD and SSC: recordings of spikes, rows of one HDF5 file."""

from __future__ import annotations

import io

import h5py
import numpy as np


def seeds() -> list[bytes]:
    """A file of one recording."""
    file = io.BytesIO()
    with h5py.File(file, "w") as out:
        times = out.create_dataset("spikes/times", 1, h5py.vlen_dtype(np.float16))
        units = out.create_dataset("spikes/units", 1, h5py.vlen_dtype(np.uint16))
        times[0] = np.linspace(0, 1, 60).astype("f2")
        units[0] = np.arange(60) * 11 % 700
        out["labels"] = np.zeros(1, np.uint16)
    return [file.getvalue()]
