"""The store on disk: nothing is lost in it, harm is found, and its key says what it was made from and nothing else."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

import eventbench as eb
from eventbench.errors import BadStore, EventbenchError
from eventbench.events import Events
from eventbench.events.packed import PackedEvents, address_dtype
from eventbench.preprocess.events_store import events_store
from eventbench.preprocess.frames_store import frames_store
from eventbench.preprocess.repair import examine
from eventbench.specs import catalog
from eventbench.store.expected import ExpectedStores
from eventbench.store.inventory import CacheItem
from eventbench.store.key import StoreKey
from eventbench.store.paths import STORE
from eventbench.store.read import EventStore, FrameStore, open_any
from eventbench.store.sparse import decode_sparse, encode_sparse
from tests.support.miniatures import Miniature, miniature, write_pipeline
from tests.support.recordings import recordings
from tests.support.stores import event_path, frame_key, frame_path, seal_anew


def round_trip(events: Events) -> Events:
    return PackedEvents.of(events).events()


@pytest.mark.slow
@settings(deadline=None)
@given(recordings())
def test_encoding_loses_nothing(events: Events) -> None:
    assert round_trip(events) == events


@pytest.mark.parametrize(
    ("sensor", "kind"),
    [
        ((1, 1), "u2"),
        ((256, 128), "u2"),
        ((257, 128), "u4"),
        ((1280, 720), "u4"),
        ((65536, 32768), "u4"),
        ((65536, 32769), "u8"),
        ((65536, 65536), "u8"),
    ],
)
def test_addresses_take_the_smallest_type_that_holds_the_sensor(sensor: tuple[int, int], kind: str) -> None:
    assert address_dtype(sensor) == np.dtype(f"<{kind}")
    width, height = sensor
    corners = Events(
        t=[0] * 8,
        x=[0, 0, width - 1, width - 1] * 2,
        y=[0, height - 1] * 4,
        p=[0] * 4 + [1] * 4,
        sensor=sensor,
    )
    assert round_trip(corners) == corners


@pytest.mark.parametrize("gap", [0, 1, 65534, 65535, 65536, 2**31, 2**40, 2**63 - 1, 2**63, 2**64 - 1])
def test_any_gap_between_two_events_is_kept(gap: int) -> None:
    start = -(2**63)
    events = Events(t=[start, start + gap, start + gap], x=[0] * 3, y=[0] * 3, p=[0, 1, 0], sensor=(1, 1))
    assert round_trip(events) == events
    assert len(PackedEvents.of(events).long_dt) == (gap >= 65535)


def test_many_long_gaps_and_negative_times_are_kept() -> None:
    t = np.cumsum(np.full(50, 70_000)) - 3_000_000
    events = Events(t=t, x=t * 0, y=t * 0, p=t * 0, sensor=(1, 1))
    assert round_trip(events) == events


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    return made(tmp_path_factory.mktemp("store"))


def made(folder: Path, **changes: Any) -> Miniature:
    mini = miniature(folder, train=6, test=4, **changes)
    mini.file("train", 3).write_bytes(
        b"\0\xf0\0\0\0"
    )  # a marker alone: a recording in which nothing happened
    events_store(mini.named_card, mini.places.data, mini.places.cache)
    frames_store(mini.named_card, mini.named_pipeline, mini.places.cache)
    return mini


def payload(path: Path) -> dict[str, bytes]:
    """The bytes of every dataset of a store, strings included."""
    found: dict[str, bytes] = {}

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            values = item[:]
            found[name] = (
                json.dumps([v.decode() for v in values]).encode()
                if values.dtype == object
                else values.tobytes()
            )

    with h5py.File(path) as file:
        file.visititems(take)
        found["attrs"] = repr({k: str(v) for k, v in sorted(file.attrs.items())}).encode()
    return found


def test_stored_events_are_those_of_the_files(mini: Miniature) -> None:
    store = EventStore(event_path(mini))
    assert len(store) == 10
    for i, sample in enumerate(store.ids):
        split, number = sample.split("/")
        if sample == "train/00003":
            assert store[i] == Events.empty((8, 6))
        else:
            assert store[i] == eb.read(mini.file(split, int(number)), sensor=(8, 6))
    assert store[-1] == store[9]
    assert sum(len(store[i]) for i in range(-10, 0)) == 9 * 60
    assert len(list(iter(store))) == 10  # type: ignore[call-overload]
    with pytest.raises(IndexError):
        store[10]


def test_the_file_is_what_layout_md_promises(mini: Miniature) -> None:
    for path, layout in ((event_path(mini), "events"), (frame_path(mini), "frames")):
        with h5py.File(path) as file:
            assert file.attrs["format"] == "eventbench"
            assert file.attrs["layout"] == layout
            assert file.attrs["layout_version"] == 2
            assert file.attrs["complete"] == 1
            assert json.loads(file.attrs["classes"]) == ["left", "right"]
            assert file.attrs["sensor"].tolist() == [8, 6]
            ids = list(file["samples/id"].asstr()[:])
            assert ids == sorted(ids)
            account = file["account"]
            lost = sum(counts[:] for counts in account.get("lost", {}).values())
            assert (account["events"][:] == account["kept"][:] + lost).all()
            names = (
                ["events/address", "events/dt", "long/row", "long/dt"]
                if layout == "events"
                else ["frames/gap", "frames/value"]
            )
            for name in names:
                assert file[name].chunks is None
                assert file[name].compression is None


ORIGIN = {
    "raw/folder",
    "raw/changed_ns",
}  # all of a store that tells one folder of the same recordings from another


def test_the_key_holds_no_time_path_or_machine(mini: Miniature, tmp_path: Path) -> None:
    elsewhere = made(tmp_path)
    for here, there in ((event_path(mini), event_path(elsewhere)), (frame_path(mini), frame_path(elsewhere))):
        assert here.name == there.name
        contents = [payload(path) for path in (here, there)]
        differ = {
            name for name in contents[0] | contents[1] if contents[0].get(name) != contents[1].get(name)
        }
        assert differ == ORIGIN
        text = str(payload(here)["attrs"])
        assert str(mini.card.parent) not in text
        assert "/" not in json.dumps(open_any(here).made_from)


def test_a_store_says_which_files_it_was_made_from(mini: Miniature) -> None:
    raw = EventStore(event_path(mini)).raw_files()
    assert raw is not None
    assert raw == FrameStore(frame_path(mini)).raw_files()
    assert raw.folder == str(mini.raw.resolve())
    assert list(raw.files) == sorted(
        path.relative_to(mini.raw).as_posix() for path in mini.raw.rglob("*.bin")
    )
    for path, file in raw.files.items():
        stat = (mini.raw / path).stat()
        assert (file.size, file.changed_ns) == (stat.st_size, max(stat.st_mtime_ns, stat.st_ctime_ns))
        assert file.sha256 == hashlib.sha256((mini.raw / path).read_bytes()).hexdigest()
    # As LAYOUT.md defines it: split, subject, id, label; no window, no row; the hash.
    lines = [
        f"{split}  {split}/{k:05d} {(k - 1) % 2} {raw.files[mini.file(split, k).relative_to(mini.raw).as_posix()].sha256}\n"
        for split, count in (("train", 6), ("test", 4))
        for k in range(1, count + 1)
    ]
    assert raw.digest == hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def test_another_parameter_is_another_file(mini: Miniature, tmp_path: Path) -> None:
    base = frame_path(mini)
    for name in "ab":
        (tmp_path / name).mkdir()
    others = [
        write_pipeline(tmp_path / "a" / "mini_frames-v1.toml", bins=5),
        write_pipeline(tmp_path / "b" / "mini_frames-v1.toml", [{"name": "downsample", "factor": 2}]),
    ]
    card, cache = mini.named_card, mini.places.cache
    paths = {StoreKey.of(cache, card, catalog.pipeline(str(other))).path for other in others}
    assert len(paths | {base}) == 3
    frames_store(card, catalog.pipeline(str(others[0])), cache)
    assert FrameStore(StoreKey.of(cache, card, catalog.pipeline(str(others[0]))).path).shape[0] == 5
    assert FrameStore(base).shape[0] == 4


def test_comments_and_about_do_not_change_the_key(mini: Miniature, tmp_path: Path) -> None:
    before = frame_key(mini)
    copy = tmp_path / mini.pipeline.name
    copy.write_text("# a comment\n" + mini.pipeline.read_text() + '\n[about]\ntitle = "x"\n')
    assert StoreKey.of(mini.places.cache, mini.named_card, catalog.pipeline(str(copy))) == before


def test_a_store_lying_in_the_place_of_another_is_refused(mini: Miniature, tmp_path: Path) -> None:
    cache = tmp_path / "stores"
    shutil.copytree(mini.places.cache, cache)
    pipeline = write_pipeline(tmp_path / "mini_frames-v1.toml", bins=7)
    other = catalog.pipeline(str(pipeline))
    shutil.copyfile(frame_path(mini), StoreKey.of(cache, mini.named_card, other).path)
    with pytest.raises(BadStore, match=r"its key is .*; it was moved here: remove it"):
        frames_store(mini.named_card, other, cache)


@pytest.mark.parametrize("which", ["events/address", "events/dt", "frames/gap", "frames/value"])
def test_one_changed_byte_is_found_and_never_decoded(mini: Miniature, tmp_path: Path, which: str) -> None:
    path = tmp_path / "a.h5"
    shutil.copyfile(frame_path(mini) if which.startswith("frames") else event_path(mini), path)
    assert open_any(path).damaged() == []
    with h5py.File(path) as file:
        at = file[which].id.get_offset() + file[which].id.get_storage_size() - 1
    raw = bytearray(path.read_bytes())
    raw[at] ^= 255
    path.write_bytes(raw)
    store = open_any(path)
    assert store.damaged() == ["train/00006"]
    assert len(store[0])  # type: ignore[index]
    with pytest.raises(
        BadStore, match=r"sample train/00006 is damaged; eventbench preprocess --rebuild makes it again$"
    ):
        store[9]  # type: ignore[index]
    if isinstance(store, FrameStore):
        with pytest.raises(BadStore, match=r"sample train/00006 is damaged"):
            store.gather(np.array([0, 9]))


def edit(path: Path, change: Callable[[h5py.File], object]) -> Path:
    with h5py.File(path, "r+") as file:
        change(file)
    return path


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda f: f.attrs.__delitem__("complete"), "the store was never finished; remove the file and run"),
        (
            lambda f: f.attrs.__setitem__("layout_version", 3),
            "layout version 3, this version of eventbench reads 1 and 2; update eventbench, or make",
        ),
        (lambda f: f.attrs.__setitem__("format", "other"), "an HDF5 file, but no eventbench store"),
        (lambda f: f.attrs.__setitem__("layout", "voxels"), "an HDF5 file, but no eventbench store"),
        (lambda f: f.attrs.__setitem__("format", [1, 2]), "damaged: "),
        (lambda f: f.attrs.__delitem__("key"), "damaged: "),
        (lambda f: f.attrs.__setitem__("classes", "["), "damaged: "),
        (lambda f: f.__delitem__("samples/label"), "damaged: "),
        (lambda f: f.__delitem__("frames/gap"), "damaged: "),
    ],
)
def test_what_is_no_whole_store_is_refused(mini: Miniature, tmp_path: Path, change: Any, line: str) -> None:
    path = tmp_path / "a.h5"
    shutil.copyfile(frame_path(mini), path)
    edit(path, change)
    with pytest.raises(BadStore, match=r"a.h5: damaged: its labels, its ids or its structure are not what"):
        eb.open_store(path)
    seal_anew(path)
    with pytest.raises(BadStore, match=f"a.h5: {line}"):
        eb.open_store(path)


def test_what_is_no_file_or_no_hdf5_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadStore, match=r"there is no such store; make it with eventbench preprocess$"):
        eb.open_store(tmp_path / "a.h5")
    (tmp_path / "a.h5").write_bytes(b"not HDF5")
    with pytest.raises(BadStore, match="not a readable HDF5 file"):
        eb.open_store(tmp_path / "a.h5")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(data=st.data())
def test_a_store_cut_off_anywhere_is_refused(mini: Miniature, tmp_path: Path, data: Any) -> None:
    raw = frame_path(mini).read_bytes()
    path = tmp_path / "a.h5"
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw) - 1))])
    with pytest.raises(EventbenchError):
        eb.open_store(path)


def test_a_reader_ignores_what_it_does_not_know(mini: Miniature, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    shutil.copyfile(frame_path(mini), path)
    edit(path, lambda f: (f.attrs.__setitem__("more", 1), f.create_dataset("samples/more", data=[1])))
    seal_anew(path)
    assert len(eb.open_store(path)) == 10


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(data=st.data())
def test_one_flipped_bit_anywhere_in_a_store_is_found(mini: Miniature, tmp_path: Path, data: Any) -> None:
    source = data.draw(st.sampled_from([event_path(mini), frame_path(mini)]))
    raw = bytearray(source.read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / source.name
    path.write_bytes(raw)
    assert examine(CacheItem(path, STORE, path), ExpectedStores(tmp_path, [], [])).faults


def test_a_changed_layout_version_is_harm_and_not_news_from_the_future(
    mini: Miniature, tmp_path: Path
) -> None:
    path = tmp_path / frame_path(mini).name
    shutil.copyfile(frame_path(mini), path)
    edit(path, lambda f: f.attrs.__setitem__("layout_version", 3))
    assert examine(CacheItem(path, STORE, path), ExpectedStores(tmp_path, [], [])).faults
    seal_anew(path)
    assert (
        "layout version 3"
        in examine(CacheItem(path, STORE, path), ExpectedStores(tmp_path, [], [])).not_checked
    )


SPARSE = [
    np.zeros((2, 3), np.uint8),
    np.ones((2, 3), np.uint8),
    np.array([-0.0, 0.0, np.nan, 1.5], np.float32),
    np.array([0] * 255 + [7] + [0] * 256 + [8] + [0] * 257 + [9] + [0] * 511 + [1] + [0] * 900, np.int16),
    np.array([0] * 300, np.uint8),
    np.array([3] + [0] * 10_000 + [4], np.uint16),
    np.zeros((0,), np.uint8),
]


@pytest.mark.parametrize("frames", SPARSE, ids=range(len(SPARSE)))
def test_sparse_frames_are_the_frames_to_the_last_bit(frames: np.ndarray) -> None:
    gap, value = encode_sparse(frames)
    assert gap.nbytes + value.nbytes <= frames.nbytes
    out = np.full_like(frames, 1)
    assert decode_sparse(gap, value, out)
    assert out.tobytes() == frames.tobytes()


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(1, 255)), max_size=30),
    st.integers(0, 600),
    st.sampled_from(["u1", "i2", "u4", "f4", "f8"]),
)
def test_sparse_frames_of_any_gaps_come_back(entries: list[tuple[int, int]], tail: int, kind: str) -> None:
    cells = [cell for zeros, value in entries for cell in [0] * zeros + [value]] + [0] * tail
    frames = np.array(cells, kind)
    gap, value = encode_sparse(frames)
    out = np.full_like(frames, 1)
    assert decode_sparse(gap, value, out)
    assert np.array_equal(out, frames)


@settings(deadline=None)
@given(st.binary(max_size=40), st.binary(max_size=40), st.integers(0, 300))
def test_entries_that_do_not_fit_are_told_and_never_written_beyond(
    gap: bytes, value: bytes, cells: int
) -> None:
    gaps, values = np.frombuffer(gap, np.uint8), np.frombuffer(value, np.uint8)
    room = np.full(cells + 64, 99, np.uint8)
    fits = decode_sparse(gaps, values, room[:cells])
    assert (room[cells:] == 99).all()
    dense = not len(gaps) and len(values) == cells
    assert fits == (dense or (len(gaps) == len(values) and int(gaps.sum()) + len(gaps) <= cells))


FIXTURE = Path(__file__).parent / "fixtures" / "store_v1"


def test_a_store_of_layout_version_1_opens_for_ever() -> None:
    wanted = json.loads((FIXTURE / "content.json").read_text())
    events = open_any(next(FIXTURE.glob("events-*.h5")))
    frames = open_any(next(FIXTURE.glob("mini_frames-*.h5")))
    assert isinstance(events, EventStore) and isinstance(frames, FrameStore)
    for store in (events, frames):
        assert (store.ids, store.splits, store.labels.tolist()) == (
            wanted["ids"],
            wanted["splits"],
            wanted["labels"],
        )
        assert store.layout_version == 1
        assert store.damaged() == []
    for i, columns in enumerate(wanted["events"]):
        assert [getattr(events[i], name).tolist() for name in "txyp"] == columns
    for i, cells in enumerate(wanted["frames"]):
        dense = np.zeros(wanted["frames_shape"], np.uint8)
        for cell, count in cells:
            dense.flat[cell] = count
        assert np.array_equal(frames[i], dense)
    assert np.array_equal(frames.gather(np.array([7, 2])), np.stack([frames[7], frames[2]]))
    assert len(eb.open_store(frames.path)) == 8


def test_a_harmed_sample_of_layout_version_1_is_found(tmp_path: Path) -> None:
    source = next(FIXTURE.glob("mini_frames-*.h5"))
    path = tmp_path / source.name
    with h5py.File(source) as file:
        at = file["frames/data"].id.get_offset()
    raw = bytearray(source.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)
    assert open_any(path).damaged() == ["test/00001"]


def test_a_store_is_a_torch_dataset(mini: Miniature) -> None:
    dataset = eb.open_store(str(frame_path(mini)))
    frames, label = dataset[1]
    assert frames.dtype == torch.uint8
    assert frames.shape == (4, 2, 6, 8)
    assert label == 1
    frames += 1  # a copy: the file is not written to
    assert not torch.equal(frames, dataset[1][0])
    expected = eb.frames(eb.read(mini.file("test", 2), sensor=(8, 6)), bins=4, split_by="time", dtype="uint8")
    assert np.array_equal(dataset[1][0], expected)


def test_one_split_of_a_store(mini: Miniature) -> None:
    train = eb.open_store(frame_path(mini), split="train")
    assert len(train) == 6
    assert [train.store.ids[row] for row in train.rows] == [f"train/{k:05d}" for k in range(1, 7)]
    with pytest.raises(BadStore, match=r"no split 'trian'; allowed: test, train$"):
        eb.open_store(frame_path(mini), split="trian")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_workers_of_a_data_loader_give_what_the_process_itself_gives(mini: Miniature) -> None:
    dataset = eb.open_store(frame_path(mini))
    here, there = (list(DataLoader(dataset, 3, num_workers=n)) for n in (0, 2))
    assert [len(labels) for _, labels in here] == [3, 3, 3, 1]
    for (a, la), (b, lb) in zip(here, there, strict=True):
        assert torch.equal(a, b)
        assert torch.equal(la, lb)


def test_a_store_of_events_is_no_dataset_of_frames(mini: Miniature) -> None:
    with pytest.raises(
        BadStore,
        match=r"holds events, not frames; give pipeline=, or run eventbench preprocess mini --pipeline P$",
    ):
        eb.open_store(event_path(mini))
