"""Opening a store's file: is it one, is it finished, can this version read it, are its rows what was written?"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from eventbench.errors import BadStore
from eventbench.store.key import READS
from eventbench.store.seal import UNSEALED, is_sealed

REMAKE = "remove the file and run eventbench preprocess again"


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The HDF5 file of a store. What h5py, JSON and mmap raise about a cut or harmed one becomes one BadStore."""
    if not path.is_file():
        raise BadStore("there is no such store", where=path, fix="make it with eventbench preprocess")
    try:
        sealed = is_sealed(path)
        if sealed is False:
            raise BadStore(UNSEALED, where=path, fix=REMAKE)
        file = h5py.File(path, "r")
    except OSError as error:
        raise BadStore(f"not a readable HDF5 file ({error})", where=path, fix=REMAKE) from None
    try:
        with file:
            _check_head(path, file.attrs, sealed)
            yield file
    except (OSError, LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise BadStore(f"damaged: {error}", where=path, fix=REMAKE) from None


def _check_head(path: Path, attrs: Any, sealed: bool | None) -> None:
    if attrs.get("format") != "eventbench" or attrs.get("layout") not in ("events", "frames"):
        raise BadStore("an HDF5 file, but no eventbench store", where=path)
    if (version := attrs.get("layout_version")) not in READS:
        raise BadStore(
            f"layout version {version}",
            where=path,
            allowed=", ".join(map(str, READS)),
            fix="update eventbench, or make the store again",
        )
    if version > 1 and not sealed:
        raise BadStore("its seal is gone", where=path, fix=REMAKE)
    if attrs.get("complete") != 1:
        raise BadStore("the store was never finished", where=path, fix=REMAKE)


def rows_of(file: h5py.File) -> dict[str, np.ndarray]:
    """Every dataset below /samples and /account, by path."""
    rows: dict[str, np.ndarray] = {}

    def visit(name: str, found: Any) -> None:
        if isinstance(found, h5py.Dataset):
            rows[name] = found[:]

    for group in ("samples", "account"):
        file[group].visititems(lambda name, found, group=group: visit(f"{group}/{name}", found))
    return rows


def texts(values: np.ndarray) -> list[str]:
    """The strings of a dataset of any of HDF5's kinds."""
    return [value.decode() for value in values.tolist()]


def mapped(path: Path, dataset: h5py.Dataset) -> np.ndarray:
    """A contiguous dataset as a read-only memory map: no copy, and pages are shared by all processes."""
    offset = dataset.id.get_offset()
    if offset is None:  # HDF5 gives no address to a dataset of no bytes
        return np.empty(dataset.shape, dataset.dtype)
    # As a plain array: slices of it are several times cheaper than those of a memmap.
    return np.memmap(path, dataset.dtype, "r", offset, dataset.shape).view(np.ndarray)


def let_go(columns: Iterable[np.ndarray]) -> None:
    """Give the pages of mapped columns back to the system, which reads them again when they are looked at again."""
    for column in columns:
        base = column.base
        while base is not None and not isinstance(base, mmap.mmap):
            base = getattr(base, "base", None)
        if base is not None and hasattr(mmap, "MADV_DONTNEED"):
            base.madvise(mmap.MADV_DONTNEED)
