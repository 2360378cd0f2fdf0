"""A split read ahead by a thread: the batches of a resident one, errors where they are asked for, and no thread left."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench.augmentations.nda import Nda
from eventbench.errors import BadSpec, BadStore
from eventbench.loading.binned import BinnedStore
from eventbench.loading.choose import fits, loader_for
from eventbench.loading.loader import Loader
from eventbench.loading.resident_events import ResidentEvents
from eventbench.loading.resident_frames import ResidentFrames
from eventbench.loading.streamed import BATCHES_AHEAD, StreamedLoader
from eventbench.preprocess.binning import Binning
from eventbench.preprocess.events_store import events_store
from eventbench.preprocess.frames_store import frames_store
from eventbench.representations.frames import Frames
from eventbench.representations.voxel_grid import VoxelGrid
from eventbench.store.read import EventStore, FrameStore
from tests.support.miniatures import miniature
from tests.support.stores import event_path, frame_path

CPU = torch.device("cpu")


class Frames9:
    """A store of frames in memory that counts what is read, and can fail at one batch."""

    def __init__(self, n: int = 9, dtype: str = "uint8", fail_at: int = -1) -> None:
        self.shape, self.dtype = (2, 2, 6, 5), np.dtype(dtype)
        frames = np.arange(n * 120) % 251
        self.frames = frames.astype(dtype).reshape(n, *self.shape)
        self.ids, self.labels = [f"s{k}" for k in range(n)], np.arange(n, dtype=np.int32)
        self.classes = [f"c{k}" for k in range(n)]
        self.fail_at, self.calls, self.threads = fail_at, 0, set[str]()

    def gather(self, rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        self.threads.add(threading.current_thread().name)
        self.calls += 1
        if self.calls == self.fail_at + 1:
            raise BadStore("sample s3 is damaged", where="here")
        if out is None:
            return self.frames[rows]
        out[...] = self.frames[rows]
        return out


def streams() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "eventbench-stream"]


def fail_at_the_first(split: Loader) -> None:
    for frames, _ in split.batches(1):
        frames / (1 // 0)


def equal(one: Loader, two: Loader, size: int, **more: Any) -> None:
    def generator() -> torch.Generator | None:
        return torch.Generator().manual_seed(more["seed"]) if "seed" in more else None

    options = more.get("shift", 0), more.get("augment", ())
    pairs = zip(
        one.batches(size, generator(), *options), two.batches(size, generator(), *options), strict=True
    )
    for (a, la), (b, lb) in pairs:
        assert torch.equal(a, b)
        assert torch.equal(la, lb)
        assert a.dtype == torch.float32


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 12), st.integers(0, 9), st.sampled_from(["uint8", "uint16", "float32"]), st.booleans())
def test_the_batches_are_those_of_a_resident_split(size: int, seed: int, dtype: str, mixed: bool) -> None:
    store: Any = Frames9(dtype=dtype)
    rows = np.array([8, 2, 5, 0, 1, 7, 3])
    one, two = StreamedLoader(store, rows, CPU), ResidentFrames(store, rows, CPU)
    assert (one.ids, len(one), one.classes) == (two.ids, len(two), two.classes)
    equal(one, two, size)
    equal(one, two, size, seed=seed, shift=2, augment=[Nda(cut_px=2)] if mixed else ())
    assert streams() == []


def test_it_is_another_thread_that_reads_and_not_far_ahead() -> None:
    store: Any = Frames9()
    batches = StreamedLoader(store, np.arange(9), CPU).batches(1)
    for k in range(3):
        next(batches)
        assert k + 1 <= store.calls <= k + 1 + BATCHES_AHEAD
    batches.close()
    assert store.threads == {"eventbench-stream"}
    assert streams() == []


def test_a_network_that_writes_into_its_frames_changes_no_other_batch() -> None:
    store: Any = Frames9(dtype="float32")
    original = store.frames.copy()
    for x, _ in StreamedLoader(store, np.arange(9), CPU).batches(2):
        x.fill_(-1)
    assert np.array_equal(store.frames, original)
    found = torch.cat([x for x, _ in StreamedLoader(store, np.arange(9), CPU).batches(2)], 1)
    assert np.array_equal(found.transpose(0, 1), original)


@pytest.mark.parametrize("at", [0, 2])
def test_what_fails_while_reading_is_raised_where_the_batch_is_asked_for(at: int) -> None:
    store: Any = Frames9(fail_at=at)
    batches = StreamedLoader(store, np.arange(9), CPU).batches(2)
    for _ in range(at):
        next(batches)
    with pytest.raises(BadStore, match=r"^here: sample s3 is damaged$"):
        next(batches)
    assert streams() == []


def test_leaving_early_leaves_no_thread() -> None:
    split = StreamedLoader(Frames9(), np.arange(9), CPU)  # type: ignore[arg-type]
    next(split.batches(2))  # dropped at once, as `next(split.batches(16))` does
    assert streams() == []
    batches = split.batches(1)
    next(batches)
    assert streams() == ["eventbench-stream"]
    batches.close()
    assert streams() == []
    with pytest.raises(ZeroDivisionError):
        fail_at_the_first(split)
    assert streams() == []
    never_begun = split.batches(3)
    assert streams() == []
    never_begun.close()
    assert len(list(split.batches(4))) == 3


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[EventStore, FrameStore]:
    mini = miniature(tmp_path_factory.mktemp("streamed"), train=8, test=2)
    events_store(mini.named_card, mini.places.data, mini.places.cache)
    frames_store(mini.named_card, mini.named_pipeline, mini.places.cache)
    return EventStore(event_path(mini)), FrameStore(frame_path(mini))


def test_real_stores_are_streamed_as_frames_or_binned_on_the_way(stores) -> None:  # type: ignore[no-untyped-def]
    events, frames = stores
    rows = frames.rows("train")
    representation = Frames(bins=frames.shape[0])
    wanted = ResidentFrames(frames, rows, CPU)
    for split in (
        StreamedLoader(frames, rows, CPU),
        StreamedLoader(BinnedStore(events, Binning(representation)), rows, CPU),
        ResidentEvents(events, rows, representation, CPU),
    ):
        equal(split, wanted, 3, seed=1, shift=1)


def test_samples_are_resident_where_the_budget_holds_them_and_streamed_where_not(stores) -> None:  # type: ignore[no-untyped-def]
    events, frames = stores
    rows = frames.rows("train")
    size = len(rows) * int(np.prod(frames.shape))
    representation = Frames(bins=frames.shape[0])
    assert isinstance(loader_for(frames, rows, CPU, budget=size), ResidentFrames)
    assert isinstance(loader_for(frames, rows, CPU, budget=size - 1), StreamedLoader)
    assert isinstance(loader_for(frames, rows, CPU), ResidentFrames)
    resident = loader_for(BinnedStore(events, Binning(representation)), rows, CPU)
    assert isinstance(resident, ResidentEvents)
    short = sum(4 * len(events.columns(int(row)).dt) for row in rows)
    assert isinstance(
        loader_for(BinnedStore(events, Binning(representation)), rows, CPU, budget=short), ResidentEvents
    )
    streamed = loader_for(BinnedStore(events, Binning(representation)), rows, CPU, budget=short - 1)
    assert isinstance(streamed, StreamedLoader)
    equal(streamed, resident, 3, seed=5)
    binned = BinnedStore(events, Binning(VoxelGrid(bins=3)))
    voxels = loader_for(binned, rows, CPU, budget=0)
    assert isinstance(voxels, StreamedLoader)
    binned_once = loader_for(binned, rows, CPU)
    assert isinstance(binned_once, ResidentFrames)
    equal(voxels, binned_once, 3, seed=5)
    assert next(voxels.batches(2))[0].shape[1] == 2


def test_a_budget_or_a_store_that_makes_no_sense_is_refused(stores) -> None:  # type: ignore[no-untyped-def]
    events, frames = stores
    with pytest.raises(BadSpec, match=r"^fits: budget is -1 bytes; allowed: 0 or more, or None$"):
        fits(1, CPU, -1)
    with pytest.raises(
        BadSpec, match="it holds events, and there is no binning; allowed: a store of frames, or"
    ):
        loader_for(events, np.arange(2), CPU)  # type: ignore[arg-type]
    with pytest.raises(
        BadSpec, match="holds frames, which cannot be binned again; allowed: a store of events"
    ):
        BinnedStore(frames, Binning(Frames()))  # type: ignore[arg-type]


def test_what_fits_is_at_most_the_budget_or_half_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fits(10, CPU, 10)
    assert not fits(11, CPU, 10)
    assert fits(0, CPU)
    monkeypatch.setattr("eventbench.loading.choose.free_bytes", lambda device: 100)
    assert fits(50, CPU)
    assert not fits(51, CPU)


def test_a_split_reads_from_its_own_rows_alone() -> None:
    store: Any = SimpleNamespace(**vars(Frames9()), gather=None)
    seen: list[int] = []

    def gather(rows: np.ndarray, out: np.ndarray) -> np.ndarray:
        seen.extend(rows.tolist())
        out[...] = 0
        return out

    store.gather = gather
    list(StreamedLoader(store, np.array([4, 2, 6]), CPU).batches(2, torch.Generator().manual_seed(0)))
    assert sorted(seen) == [2, 4, 6]


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_on_the_gpu_the_batches_are_those_of_a_resident_split(dtype: str) -> None:
    store: Any = Frames9(200, dtype)
    device = torch.device("cuda")
    one, two = StreamedLoader(store, np.arange(200), device), ResidentFrames(store, np.arange(200), device)
    for seed in range(3):
        equal(one, two, 7, seed=seed, shift=1)
    next(one.batches(7))
    assert streams() == []
