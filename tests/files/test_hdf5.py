"""HDF5 files: what is in them, from their bytes or from the file itself."""

from __future__ import annotations

import io
from pathlib import Path

import h5py

from eventbench.files.content import FileHead
from eventbench.files.hdf5 import names_in


def content(*names: str) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as out:
        for name in names:
            out[name] = [1]
    return file.getvalue()


def test_names_are_the_same_from_bytes_and_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(content("events/t", "b"))
    names = frozenset({"events", "events/t", "b"})
    assert names_in(path.read_bytes()) == names
    assert names_in(FileHead.of(path.read_bytes()[:512], path)) == names


def test_names_of_a_file_that_changed_are_looked_up_again(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    for name in ("first", "another"):
        path.write_bytes(content(name))
        assert names_in(FileHead.of(path.read_bytes()[:512], path)) == {name}


def test_what_is_no_hdf5_or_a_damaged_file_has_no_names(tmp_path: Path) -> None:
    assert names_in(b"something else") == frozenset()
    assert names_in(content("t")[:300]) == frozenset()
    path = tmp_path / "a.h5"
    path.write_bytes(content("t")[:300])
    assert names_in(FileHead.of(path.read_bytes(), path)) == frozenset()
