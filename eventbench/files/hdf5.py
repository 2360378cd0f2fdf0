"""HDF5 files opened from bytes or from disk: names in them, columns of bounded size, one-line errors."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from eventbench.errors import BadEvents, BadRecording
from eventbench.files.content import FileHead
from eventbench.files.isolated import MAX_COMPRESSION, OUT_OF_MEMORY, call
from eventbench.files.temporary import as_file

SIGNATURE = b"\x89HDF\r\n\x1a\n"
FILTERS = {
    32001: "blosc",
    32004: "lz4",
    32008: "bitshuffle",
    32015: "zstd",
    32026: "blosc2",
    36559: "ECF of Prophesee",
}


def is_hdf5(data: bytes) -> bool:
    """Whether the signature is at the beginning or after a user block (512 bytes, doubled any number of times)."""
    offset = 0
    while offset < len(data):
        if data.startswith(SIGNATURE, offset):
            return True
        offset = 2 * offset or 512
    return False


def names_in(data: bytes) -> frozenset[str]:
    """The paths of groups and datasets down to the second level, and `@eventbench` if it is a store of this package.

    `data` is a file's bytes, or a FileHead, whose file is looked into.
    """
    if not is_hdf5(data):
        return frozenset()
    if not isinstance(data, FileHead):
        return _names_in(data)
    status = data.path.stat()
    return _names_in_path(data.path.absolute(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1)  # recognising asks every source of the family about the same bytes
def _names_in(data: bytes) -> frozenset[str]:
    with as_file(data) as path:
        return _names_in_path.__wrapped__(path, len(data), 0)


@lru_cache(maxsize=1)
def _names_in_path(path: Path, size: int, changed_ns: int) -> frozenset[str]:  # noqa: ARG001  # a changed file is another
    try:
        return call(_names_in_file, size, "", path)
    except BadRecording:
        return frozenset()


def _names_in_file(path: Path) -> frozenset[str]:
    """The same as `names_in`, in this process."""
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
    """The file open for reading. Whatever h5py raises becomes a BadRecording, with a reason if memory ran out."""
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
        # The HDF5 library has no error code for this, only its text.
        out_of_memory = isinstance(error, MemoryError) or "memory allocation failed" in message
        raise BadRecording(
            f"not a readable HDF5 file ({message})",
            where=name,
            reason=OUT_OF_MEMORY if out_of_memory else "",
        ) from None


def column(dataset: Any, size: int, name: str) -> np.ndarray:
    """A one-dimensional dataset, read whole. Raises BadRecording if a file of `size` bytes cannot hold as much as it claims."""
    _require_dataset(dataset, name)
    if dataset.ndim not in (1, 2) or (dataset.ndim == 2 and 1 not in dataset.shape):
        raise BadRecording(
            f"{dataset.name} has the shape {dataset.shape}", where=name, allowed="one dimension"
        )
    return np.ravel(_read_whole(dataset, size, name))


def matrix(dataset: Any, size: int, name: str) -> np.ndarray:
    """A two-dimensional dataset, read whole; raises as `column`."""
    _require_dataset(dataset, name)
    if dataset.ndim != 2:
        raise BadRecording(
            f"{dataset.name} has the shape {dataset.shape}", where=name, allowed="two dimensions"
        )
    return _read_whole(dataset, size, name)


def _require_dataset(dataset: Any, name: str) -> None:
    import h5py

    if not isinstance(dataset, h5py.Dataset):
        raise BadRecording(f"{getattr(dataset, 'name', dataset)} is not a dataset", where=name)


def _read_whole(dataset: Any, size: int, name: str) -> np.ndarray:
    require_room(dataset, size, name)
    values: np.ndarray = dataset[()]
    return values


def require_room(dataset: Any, size: int, name: str) -> None:
    """Raises BadRecording if a file of `size` bytes cannot hold what a dataset claims, or a filter of it is not installed."""
    if dataset.size * dataset.dtype.itemsize > MAX_COMPRESSION * size:
        raise BadRecording(
            f"{dataset.name} claims {dataset.size:,} values, in a file of {size:,} bytes", where=name
        )
    _require_filters(dataset, name)


def _require_filters(dataset: Any, name: str) -> None:
    """Load the filters that a dataset is compressed with. Raises BadRecording if one is not installed."""
    import h5py

    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(k)[0] for k in range(properties.get_nfilters())]
    if all(map(h5py.h5z.filter_avail, filters)):
        return
    import hdf5plugin  # noqa: F401  # the import registers blosc, lz4, zstd and others with h5py

    for number in filters:
        if not h5py.h5z.filter_avail(number):
            raise BadRecording(
                f"{dataset.name} is compressed with the HDF5 filter {FILTERS.get(number, number)}, which is not installed",
                where=name,
                fix="install the plug-in and set HDF5_PLUGIN_PATH to its folder (ECF: hdf5_ecf, part of OpenEB)",
            )
