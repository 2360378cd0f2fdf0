"""HDF5 files opened from bytes or from disk: what is in them, columns of bounded size, failures in one line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from eventbench.errors import BadEvents, BadRecording
from eventbench.files.isolated import call
from eventbench.files.temporary import as_file

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MOST_TIMES = 1100  # deflate packs no better than 1032 to 1
FILTERS = {
    32001: "blosc",
    32004: "lz4",
    32008: "bitshuffle",
    32015: "zstd",
    32026: "blosc2",
    36559: "ECF of Prophesee",
}


def is_hdf5(data: bytes) -> bool:
    """Whether the signature stands at the beginning or after a user block (512 bytes, doubled any number of times)."""
    at = 0
    while at < len(data):
        if data.startswith(SIGNATURE, at):
            return True
        at = 2 * at or 512
    return False


def names_in(data: bytes) -> frozenset[str]:
    """The paths of groups and datasets down to the second level, and `@eventbench` where it is a store of ours."""
    return _names_in(data) if is_hdf5(data) else frozenset()


@lru_cache(maxsize=1)  # recognising asks every source of the family about the same bytes
def _names_in(data: bytes) -> frozenset[str]:
    try:
        with as_file(data) as path:
            return call(_names_here, len(data), "", path)
    except BadRecording:
        return frozenset()


def _names_here(path: Path) -> frozenset[str]:
    """As `names_in`, in this process."""
    with opened(path, "") as file:
        import h5py

        paths = set()
        for name, item in file.items():
            paths.add(name)
            if isinstance(item, h5py.Group):
                paths |= {f"{name}/{inner}" for inner in item}
        if file.attrs.get("format") == "eventbench":
            paths.add("@eventbench")
        return frozenset(paths)


@contextmanager
def opened(source: bytes | Path, name: str) -> Iterator[Any]:
    """The file open for reading; whatever h5py raises about it becomes a BadRecording."""
    import h5py

    try:
        with h5py.File(io.BytesIO(source) if isinstance(source, bytes) else source, "r") as file:
            yield file
    except BadRecording:
        raise
    except BadEvents as error:
        raise error.as_kind(BadRecording, where=name) from None
    except Exception as error:  # noqa: BLE001  # h5py raises half a dozen unrelated types on damaged files
        message = " ".join(str(error).split())[:200]
        raise BadRecording(f"not a readable HDF5 file ({message})", where=name) from None


def column(dataset: Any, size: int, name: str) -> np.ndarray:
    """A one-dimensional dataset, read whole. `size` is the file's: what says it holds more than it can is refused."""
    _refuse_non_dataset(dataset, name)
    if dataset.ndim not in (1, 2) or (dataset.ndim == 2 and 1 not in dataset.shape):
        raise BadRecording(
            f"{dataset.name} has the shape {dataset.shape}", where=name, allowed="one dimension"
        )
    return np.ravel(_all_of(dataset, size, name))


def matrix(dataset: Any, size: int, name: str) -> np.ndarray:
    """A two-dimensional dataset, read whole; as `column` in all else."""
    _refuse_non_dataset(dataset, name)
    if dataset.ndim != 2:
        raise BadRecording(
            f"{dataset.name} has the shape {dataset.shape}", where=name, allowed="two dimensions"
        )
    return _all_of(dataset, size, name)


def _refuse_non_dataset(dataset: Any, name: str) -> None:
    import h5py

    if not isinstance(dataset, h5py.Dataset):
        raise BadRecording(f"{getattr(dataset, 'name', dataset)} is no dataset", where=name)


def _all_of(dataset: Any, size: int, name: str) -> np.ndarray:
    if dataset.size * dataset.dtype.itemsize > MOST_TIMES * size:
        raise BadRecording(
            f"{dataset.name} says it has {dataset.size:,} values, in a file of {size:,} bytes", where=name
        )
    _need_filters(dataset, name)
    values: np.ndarray = dataset[()]
    return values


def _need_filters(dataset: Any, name: str) -> None:
    import h5py

    properties = dataset.id.get_create_plist()
    wanted = [properties.get_filter(k)[0] for k in range(properties.get_nfilters())]
    if all(map(h5py.h5z.filter_avail, wanted)):
        return
    import hdf5plugin  # noqa: F401  # its import makes blosc, lz4, zstd and others known to h5py

    for number in wanted:
        if not h5py.h5z.filter_avail(number):
            raise BadRecording(
                f"{dataset.name} is packed with the HDF5 filter {FILTERS.get(number, number)}, which is not installed",
                where=name,
                fix="install the plug-in and name its folder in HDF5_PLUGIN_PATH (ECF: hdf5_ecf, part of OpenEB)",
            )
