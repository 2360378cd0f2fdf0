"""HDF5 files that grow part by part: columns and tables in chunks, compressed as asked for."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

CHUNK = 1 << 16  # events; small enough for a reader that wants a few milliseconds
Compression = Literal["gzip", "blosc", "none"]


def filters(compression: Compression) -> dict[str, Any]:
    """Arguments of `create_dataset`: gzip is in every HDF5, blosc (Zstandard, as DSEC has it) needs hdf5plugin."""
    if compression == "none":
        return {}
    if compression == "blosc":
        import hdf5plugin

        return dict(hdf5plugin.Blosc(cname="zstd", clevel=1, shuffle=hdf5plugin.Blosc.SHUFFLE))
    return {"compression": "gzip", "compression_opts": 1, "shuffle": True}


def growing(group: Any, name: str, dtype: Any, compression: Compression) -> Any:
    """A dataset (0,) that `append` makes longer."""
    return group.create_dataset(name, (0,), dtype, maxshape=(None,), chunks=(CHUNK,), **filters(compression))


def append(dataset: Any, values: np.ndarray) -> None:
    """Put the values (events,) behind those that are there."""
    start = len(dataset)
    dataset.resize(start + len(values), axis=0)
    dataset[start:] = values
