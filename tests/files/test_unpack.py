"""Archives unpacked: those in them too, nothing outside of the folder, and whole files only."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from eventbench.errors import EventbenchError
from eventbench.files.unpack import is_archive, unpack


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(("ending", "packed"), [(".zip", zipped), (".tar.gz", tarred)])
def test_an_archive_is_unpacked_beside_what_is_there(ending: str, packed: object, tmp_path: Path) -> None:
    archive = tmp_path / f"a{ending}"
    archive.write_bytes(packed({"Train/0/1.bin": b"1", "Train/0/2.bin": b"2", "__MACOSX/._1.bin": b""}))  # type: ignore[operator]
    (tmp_path / "data" / "Train" / "0").mkdir(parents=True)
    (tmp_path / "data" / "Train" / "0" / "0.bin").write_bytes(b"0")
    for _ in range(2):
        unpack(archive, tmp_path / "data")
        assert tree(tmp_path / "data") == {f"Train/0/{k}.bin": str(k).encode() for k in range(3)}
    assert sorted(path.name for path in tmp_path.iterdir()) == [archive.name, "data"]


def test_archives_in_archives_are_unpacked_where_they_lie(tmp_path: Path) -> None:
    inner = zipped({"Caltech101/ant/image_0001.bin": b"ant"})
    (tmp_path / "a.zip").write_bytes(zipped({"Caltech101.zip": inner, "README.md": b"read"}))
    unpack(tmp_path / "a.zip", tmp_path / "set")
    assert tree(tmp_path / "set") == {"Caltech101/ant/image_0001.bin": b"ant", "README.md": b"read"}


def test_a_folder_of_the_data_sets_name_is_not_put_into_itself(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(tarred({"DvsGesture/user01.aedat": b"1"}))
    unpack(tmp_path / "a.tar.gz", tmp_path / "DvsGesture")
    assert tree(tmp_path / "DvsGesture") == {"user01.aedat": b"1"}


@pytest.mark.parametrize(("ending", "packed"), [(".zip", zipped), (".tar.gz", tarred)])
def test_nothing_leads_out_of_the_folder(ending: str, packed: object, tmp_path: Path) -> None:
    archive = tmp_path / f"a{ending}"
    archive.write_bytes(packed({"../../evil.txt": b"evil"}))  # type: ignore[operator]
    try:
        unpack(archive, tmp_path / "in" / "set")
    except EventbenchError as error:
        if "cannot be unpacked" not in str(error):
            raise
    assert not list(tmp_path.glob("evil.txt"))
    assert not list(tmp_path.parent.glob("evil.txt"))


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tgz"])
def test_a_damaged_archive_is_refused_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    whole = zipped({"a.bin": bytes(5000)}) if name == "a.zip" else tarred({"a.bin": bytes(range(256)) * 99})
    for data in (b"nonsense", whole[: len(whole) // 2]):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(EventbenchError, match=r"cannot be unpacked: .*; fetch it again"):
            unpack(tmp_path / name, tmp_path / "set")
        assert tree(tmp_path / "set") == {}
    assert is_archive(tmp_path / name)
    assert not is_archive(tmp_path / "a.rar")
