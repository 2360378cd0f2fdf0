"""Events on the device, binned there: to the last count what the CPU makes, for every way of cutting and every type."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench.augmentations.nda import Nda
from eventbench.errors import BadEvents, BadSpec, EventbenchError
from eventbench.events import Events
from eventbench.events.packed import PackedEvents
from eventbench.loading import _packed_recordings
from eventbench.loading.resident_events import ResidentEvents
from eventbench.loading.resident_frames import ResidentFrames
from eventbench.preprocess.events_store import events_store
from eventbench.preprocess.frames_store import frames_store
from eventbench.representations.base import Representation
from eventbench.representations.binary import Binary
from eventbench.representations.frames import CELLS, Frames
from eventbench.representations.voxel_grid import VoxelGrid
from eventbench.store.read import EventStore, FrameStore
from tests.support.miniatures import miniature
from tests.support.recordings import fixed, recordings
from tests.support.stores import event_path, frame_path

CPU = torch.device("cpu")
SPLITS = ("time", "count", "tonic_time", "tonic_count", "spikingjelly_count")


def store_of(many: list[Events]) -> Any:
    """What ResidentEvents asks of an EventStore, around a list of recordings of one sensor."""
    columns = [PackedEvents.of(events) for events in many]
    return SimpleNamespace(
        ids=[f"s{k}" for k in range(len(many))],
        labels=np.arange(len(many), dtype=np.int32),
        classes=[f"c{k}" for k in range(len(many))],
        sensor=many[0].sensor,
        columns=columns.__getitem__,
    )


@st.composite
def samples(draw: st.DrawFn) -> list[Events]:
    """One to four recordings of one sensor, some of them empty."""
    many = draw(st.lists(recordings(), min_size=1, max_size=4))
    width, height = sensor = many[0].sensor
    return [Events(t=one.t, x=one.x % width, y=one.y % height, p=one.p, sensor=sensor) for one in many]


def resident(
    many: list[Events], representation: Representation, device: torch.device = CPU
) -> ResidentEvents:
    return ResidentEvents(store_of(many), np.arange(len(many)), representation, device)


def check(many: list[Events], representation: Representation, device: torch.device = CPU) -> None:
    """Every sample, in batches of three, against `apply` on the CPU."""
    split, done = resident(many, representation, device), 0
    for frames, labels in split.batches(3):
        assert frames.dtype == torch.float32
        for sample, label in zip(frames.transpose(0, 1), labels, strict=True):
            wanted, _ = representation.apply(many[int(label)])
            assert np.array_equal(sample.cpu(), wanted.astype(np.float32))
            done += 1
    assert done == len(many)


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(samples(), st.sampled_from(SPLITS), st.integers(1, 20), st.sampled_from(sorted(CELLS)))
def test_frames_are_those_of_the_cpu(many: list[Events], split_by: str, bins: int, dtype: str) -> None:
    check(many, Frames(bins=bins, split_by=split_by, dtype=dtype))


@settings(deadline=None, max_examples=30)
@given(samples(), st.sampled_from(SPLITS), st.integers(1, 20))
def test_binary_frames_are_those_of_the_cpu(many: list[Events], split_by: str, bins: int) -> None:
    check(many, Binary(bins=bins, split_by=split_by))


@settings(deadline=None, max_examples=30)
@given(samples(), st.integers(1, 4), st.sampled_from([Frames, Binary]))
def test_a_window_that_spikingjelly_cannot_split_is_refused_as_on_the_cpu(
    many: list[Events], bins: int, kind: Any
) -> None:
    representation = kind(bins=bins, split_by="spikingjelly_time")
    try:
        for one in many:
            representation.apply(one)
    except BadEvents:
        with pytest.raises(BadEvents, match=r"s\d: no event in frame \d of \d: SpikingJelly"):
            resident(many, representation)
    else:
        check(many, representation)


@settings(deadline=None, max_examples=20)
@given(samples(), st.integers(1, 9), st.integers(1, 50))
def test_times_are_summed_up_a_block_at_a_time_with_the_same_result(
    many: list[Events], bins: int, block: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_packed_recordings, "BLOCK", block)
        check(many, Frames(bins=bins))


def test_any_two_times_of_64_bits_are_told_apart() -> None:
    low, high = -(2**63), 2**63 - 1
    for t in ([low, -5, 7, high], [low, high], [low, low, high, high], [0, 2**62, high], [high] * 3):
        n = len(t)
        events = Events(t=np.array(t), x=[0] * n, y=[0] * n, p=[1] * n, sensor=(1, 1))
        for bins in (1, 2, 3, 7):
            for split_by in ("time", "tonic_time"):
                check([events, events], Frames(bins=bins, split_by=split_by))


def test_addresses_of_32_bits_and_counts_over_255() -> None:
    many = [fixed(3000, (400, 300)), fixed(0, (400, 300)), fixed(5003, (400, 300))]
    assert PackedEvents.of(many[0]).address.dtype == np.uint32
    for dtype in ("uint8", "float32"):
        check(many, Frames(bins=2, dtype=dtype))
    assert next(resident(many, Frames(bins=2)).batches(3))[0].max() == 255
    assert next(resident(many, Frames(bins=2, dtype="uint16")).batches(3))[0].max() > 255


def test_another_binning_shares_the_events_in_memory() -> None:
    many = [fixed(500), fixed(900)]
    first = resident(many, Frames(bins=4))
    second = first.rebinned(Binary(bins=7, split_by="count"))
    assert second._recordings.address.data_ptr() == first._recordings.address.data_ptr()
    assert first.nbytes == second.nbytes
    assert 4 * 1400 <= first.nbytes < 4 * 1400 + 100  # two bytes of address, two of time
    frames, _ = next(second.batches(2))
    assert np.array_equal(frames[:, 1], Binary(bins=7, split_by="count").apply(many[1])[0])
    assert next(first.batches(2))[0].shape[0] == 4


def test_a_count_that_is_to_be_refused_is_refused_when_the_split_is_made() -> None:
    many = [fixed(90), fixed(5003)]
    with pytest.raises(EventbenchError, match=r"^s1: \d+ events in one cell; allowed: 255 in uint8; take a"):
        resident(many, Frames(bins=2, overflow="refuse"))
    check(many[:1], Frames(bins=2, overflow="refuse"))
    check(many, Frames(bins=2, dtype="uint16", overflow="refuse"))


@pytest.mark.parametrize(
    "representation", [VoxelGrid(), Frames(bins=None, split_by="duration", duration_us=5)]
)
def test_what_is_made_on_the_cpu_only_is_refused(representation: Representation) -> None:
    with pytest.raises(BadSpec, match=r"resident events: .* allowed: Frames or Binary, .*; stream it: "):
        resident([fixed(9)], representation)


def test_batches_are_those_of_a_store_of_frames_for_an_equal_generator(tmp_path: Path) -> None:
    mini = miniature(tmp_path, train=9, test=2)
    events_store(mini.named_card, mini.places.data, mini.places.cache)
    frames_store(mini.named_card, mini.named_pipeline, mini.places.cache)
    events, frames = EventStore(event_path(mini)), FrameStore(frame_path(mini))
    rows = frames.rows("train")[::-1].copy()
    representation = Frames(bins=frames.shape[0])
    one, two = ResidentEvents(events, rows, representation, CPU), ResidentFrames(frames, rows, CPU)
    assert (one.ids, len(one), one.classes) == (two.ids, len(two), two.classes)
    assert torch.equal(one.labels, two.labels)
    for augment in ((), (Nda(roll_px=1, cut_px=2),)):
        for (a, la), (b, lb) in zip(
            one.batches(4, torch.Generator().manual_seed(3), 1, augment),
            two.batches(4, torch.Generator().manual_seed(3), 1, augment),
            strict=True,
        ):
            assert torch.equal(a, b)
            assert torch.equal(la, lb)


@pytest.mark.gpu
def test_on_the_gpu_the_frames_are_those_of_the_cpu() -> None:
    many = [fixed(3000, (400, 300)), fixed(0, (400, 300)), fixed(5003, (400, 300)), fixed(7, (400, 300))]
    device = torch.device("cuda")
    for split_by in SPLITS:
        for dtype in sorted(CELLS):
            check(many, Frames(bins=5, split_by=split_by, dtype=dtype), device)
        check(many, Binary(bins=5, split_by=split_by), device)


@pytest.mark.gpu
def test_on_the_gpu_no_batch_waits_for_the_device() -> None:
    split = resident([fixed(900), fixed(40), fixed(700)], Frames(bins=5), torch.device("cuda"))
    batches = split._gather(torch.arange(3), 2)
    next(batches)  # the order of an epoch crosses the bus before its first batch, and may wait
    torch.cuda.set_sync_debug_mode("error")
    try:
        next(batches)
    finally:
        torch.cuda.set_sync_debug_mode("default")
