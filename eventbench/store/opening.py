"""Opening a store's file: is it one, is it finished, can this version read it, are its rows what was written?"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from eventbench.errors import BadStore, EventbenchError
from eventbench.store.key import READS
from eventbench.store.seal import UNSEALED, is_sealed

REMAKE = "remove the file and run eventbench preprocess again"


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The HDF5 file of a store, its seal and its head checked once; the only place that opens one.

    Whatever is raised about a cut or damaged file, here or while it is read, becomes one BadStore. Its `reason` is
    "absent", "unreadable", "layout_unknown" (a newer version of eventbench may read it) or "unfinished".
    """
    if not path.is_file():
        raise BadStore(
            "there is no such store", where=path, fix="make it with eventbench preprocess", reason="absent"
        )
    try:
        sealed = is_sealed(path)
        if sealed is False:  # and HDF5 may crash on it
            raise _unreadable(path, UNSEALED)
        file = h5py.File(path, "r")
    except OSError as error:
        raise _unreadable(path, f"not a readable HDF5 file ({error})") from None
    try:
        with file:
            _check_head(path, file.attrs, sealed)
            yield file
    except EventbenchError:
        raise
    except Exception as error:  # noqa: BLE001  # damaged metadata makes h5py, NumPy and JSON raise almost anything
        raise _unreadable(path, f"damaged: {error}") from None


def _check_head(path: Path, attrs: Mapping[str, Any], sealed: bool | None) -> None:
    if attrs.get("format") != "eventbench" or attrs.get("layout") not in ("events", "frames"):
        raise BadStore("an HDF5 file, but no eventbench store", where=path, reason="unreadable")
    if (version := attrs.get("layout_version")) not in READS:
        raise BadStore(
            f"layout version {version}, this version of eventbench reads {' and '.join(map(str, READS))}",
            where=path,
            fix="update eventbench, or make the store again",
            reason="layout_unknown",
        )
    if version > 1 and not sealed:
        raise _unreadable(path, "its seal is gone")
    if attrs.get("complete") != 1:
        raise BadStore("the store was never finished", where=path, fix=REMAKE, reason="unfinished")


def _unreadable(path: Path, what: str) -> BadStore:
    return BadStore(what, where=path, fix=REMAKE, reason="unreadable")


def raw_digest_of(path: Path) -> str:
    """The `raw_digest` of a store ("" where it has none), without opening more of it. Raises BadStore as `opened` does."""
    with opened(path) as file:
        return str(file.attrs.get("raw_digest", ""))


def rows_of(file: h5py.File) -> dict[str, np.ndarray]:
    """Every dataset below /samples, /account and /mended, by path."""
    rows: dict[str, np.ndarray] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            rows[name] = item[:]

    for group in ("samples", "account", *(["mended"] if "mended" in file else [])):
        file[group].visititems(lambda name, item, group=group: visit(f"{group}/{name}", item))
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


def release_pages(columns: Iterable[np.ndarray]) -> None:
    """Give the pages of mapped columns back to the system, which reads them again when they are looked at again."""
    for column in columns:
        base = column.base
        while base is not None and not isinstance(base, mmap.mmap):
            base = getattr(base, "base", None)
        if base is not None and hasattr(mmap, "MADV_DONTNEED"):
            base.madvise(mmap.MADV_DONTNEED)
