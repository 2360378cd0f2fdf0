"""A split on the device: every sample once, in the axes of a network, and moved only where it is trained on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench.augmentations.base import Augmentation
from eventbench.augmentations.event_mix import EventMix
from eventbench.augmentations.nda import Nda
from eventbench.errors import BadSpec
from eventbench.loading.loader import _shifted
from eventbench.loading.resident_frames import ResidentFrames

CPU = torch.device("cpu")


def split(
    n: int = 7, shape: tuple[int, int, int, int] = (3, 2, 4, 5), dtype: str = "uint8"
) -> tuple[ResidentFrames, np.ndarray]:
    """Rows 1 to n of a store with n + 2 samples, each cell telling which it is."""
    frames = (np.arange((n + 2) * np.prod(shape)) % 251).astype(dtype).reshape(n + 2, *shape)
    store: Any = SimpleNamespace(
        ids=[f"s{k}" for k in range(n + 2)],
        gather=lambda rows: frames[rows],
        labels=np.arange(n + 2, dtype=np.int32),
        classes=[f"c{k}" for k in range(n + 2)],
    )
    return ResidentFrames(store, np.arange(1, n + 1), CPU), frames[1 : n + 1]


def moved(frame: np.ndarray, down: int, right: int) -> np.ndarray:
    """(T, P, H, W) moved by whole pixels, cell by cell, zeros coming in."""
    out = np.zeros_like(frame)
    height, width = frame.shape[-2:]
    for y in range(height):
        for x in range(width):
            if 0 <= y - down < height and 0 <= x - right < width:
                out[..., y, x] = frame[..., y - down, x - right]
    return out


def test_evaluation_gives_every_sample_once_in_order_and_unchanged() -> None:
    resident, frames = split()
    batches = list(resident.batches(3, shift=2))
    assert [tuple(x.shape) for x, _ in batches] == [(3, 3, 2, 4, 5)] * 2 + [(3, 1, 2, 4, 5)]
    assert all(x.dtype == torch.float32 for x, _ in batches)
    together = torch.cat([x for x, _ in batches], 1).transpose(0, 1)
    assert np.array_equal(together, frames)
    assert torch.cat([labels for _, labels in batches]).tolist() == list(range(1, 8))
    assert resident.ids == [f"s{k}" for k in range(1, 8)]


@given(st.integers(1, 9), st.integers(1, 10), st.integers(0, 10))
def test_training_gives_every_sample_once_whatever_the_batch(n: int, size: int, seed: int) -> None:
    resident, frames = split(n)
    batches = list(resident.batches(size, torch.Generator().manual_seed(seed)))
    labels = torch.cat([labels for _, labels in batches])
    assert sorted(labels.tolist()) == list(range(1, n + 1))
    together = torch.cat([x for x, _ in batches], 1).transpose(0, 1)
    assert np.array_equal(together, frames[labels.numpy() - 1])


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(0, 5), st.integers(1, 5), st.integers(1, 5))
def test_a_training_sample_is_moved_whole_and_by_no_more_than_asked(
    shift: int, seed: int, h: int, w: int
) -> None:
    resident, frames = split(5, (2, 2, h, w))
    for x, labels in resident.batches(2, torch.Generator().manual_seed(seed), shift):
        for sample, label in zip(x.transpose(0, 1), labels, strict=True):
            original = frames[int(label) - 1]
            steps = range(-shift, shift + 1)
            assert any(np.array_equal(sample, moved(original, dy, dx)) for dy in steps for dx in steps)


def test_the_shift_is_drawn_for_each_sample_and_both_ways() -> None:
    resident, frames = split(60, (1, 1, 5, 5), "float32")
    frames[:] = resident.frames[:] = 0
    resident.frames[:, :, :, 2, 2] = 1
    x, _ = next(resident.batches(60, torch.Generator().manual_seed(0), 1))
    places = {tuple(int(k) for k in torch.nonzero(sample[0])[0]) for sample in x[0]}
    assert places == {(y, x) for y in (1, 2, 3) for x in (1, 2, 3)}


def test_the_same_generator_gives_the_same_batches_and_another_another() -> None:
    resident, _ = split()
    runs = [
        [(x.clone(), y) for x, y in resident.batches(3, torch.Generator().manual_seed(seed), 1)]
        for seed in (5, 5, 6)
    ]
    for (a, la), (b, lb) in zip(runs[0], runs[1], strict=True):
        assert torch.equal(a, b)
        assert torch.equal(la, lb)
    assert any(not torch.equal(a, b) for (a, _), (b, _) in zip(runs[0], runs[2], strict=True))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_network_that_writes_into_its_frames_does_not_change_the_split(dtype: str) -> None:
    resident, frames = split(dtype=dtype)
    for x, _ in resident.batches(3):
        x.zero_()
    assert np.array_equal(resident.frames, frames)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_frames_are_held_in_the_stores_own_type(dtype: str) -> None:
    resident, frames = split(dtype=dtype)
    assert str(resident.frames.dtype) == f"torch.{dtype}"
    assert np.array_equal(next(resident.batches(7))[0].transpose(0, 1), frames)


def test_an_epoch_draws_what_it_drew_batch_by_batch() -> None:
    """Records of earlier versions were trained on this order of draws."""
    resident, frames = split(7)
    generator = torch.Generator().manual_seed(4)
    expected = []
    for rows in torch.randperm(7, generator=generator).split(3):
        by = torch.randint(-2, 3, (len(rows), 2), generator=generator)
        expected.append(_shifted(torch.from_numpy(frames)[rows], by, 2))
    found = resident.batches(3, torch.Generator().manual_seed(4), 2)
    for one, (x, _) in zip(expected, found, strict=True):
        assert torch.equal(one.transpose(0, 1).float(), x)


class Doubled(Augmentation, frozen=True):
    """Frames twice as bright, and labels of the class after: what was done can be seen."""

    def apply(self, frames: torch.Tensor, labels: torch.Tensor, generator: torch.Generator) -> Any:
        assert labels.dtype == torch.float32
        assert torch.equal(labels.sum(1), torch.ones(len(labels)))
        return frames * 2, labels.roll(1, 1)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_augmentations_are_applied_in_turn_to_frames_and_one_hot_labels(dtype: str) -> None:
    resident, frames = split(dtype=dtype)
    frames //= 8
    resident.frames = torch.from_numpy(frames)
    plain = list(resident.batches(3, torch.Generator().manual_seed(2)))
    changed = list(resident.batches(3, torch.Generator().manual_seed(2), augment=[Doubled(), Doubled()]))
    for (x, labels), (y, soft) in zip(plain, changed, strict=True):
        assert torch.equal(y, 4 * x)
        assert torch.equal(soft, torch.nn.functional.one_hot((labels + 2) % 9, 9).float())
    assert np.array_equal(resident.frames, frames)


def test_what_an_augmentation_draws_follows_the_generator() -> None:
    resident, frames = split(7, (3, 2, 16, 16))
    augment = [Nda(), EventMix(probability=1.0)]

    def epoch(seed: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        return list(resident.batches(3, torch.Generator().manual_seed(seed), 1, augment))

    one, same, other = epoch(0), epoch(0), epoch(1)
    assert all(torch.equal(a, b) and torch.equal(c, d) for (a, c), (b, d) in zip(one, same, strict=True))
    assert any(not torch.equal(a, b) for (a, _), (b, _) in zip(one, other, strict=True))
    for x, labels in one:
        assert x.dtype == labels.dtype == torch.float32
        assert torch.allclose(labels.sum(1), torch.ones(len(labels)))
    assert any(((labels > 0) & (labels < 1)).any() for _, labels in one)
    assert np.array_equal(resident.frames, frames)


def test_evaluation_cannot_be_augmented() -> None:
    resident, _ = split()
    with pytest.raises(BadSpec, match=r"^batches: augment without a generator; allowed: augment with"):
        resident.batches(3, augment=[Nda()])


def test_two_passes_over_what_is_evaluated_are_equal_to_the_byte_whatever_was_trained_between() -> None:
    resident, _ = split(7, (3, 2, 16, 16))

    def passed() -> bytes:
        return b"".join(x.numpy().tobytes() + y.numpy().tobytes() for x, y in resident.batches(3))

    before = passed()
    list(resident.batches(3, torch.Generator().manual_seed(0), 2, [Nda(), EventMix(probability=1.0)]))
    assert passed() == before


@pytest.mark.parametrize(
    ("size", "shift", "says"),
    [
        (0, 0, "size is 0; allowed: a whole number of 1 or more"),
        (2.5, 0, "size is 2.5; allowed: a whole number of 1 or more"),
        (3, -1, "shift is -1; allowed: a whole number of 0 or more"),
    ],
)
def test_a_batch_size_or_shift_that_is_none_is_refused(size: Any, shift: Any, says: str) -> None:
    with pytest.raises(BadSpec, match=says):
        split()[0].batches(size, torch.Generator(), shift)


def test_a_split_without_samples_is_refused() -> None:
    with pytest.raises(BadSpec, match="ResidentFrames: no samples; allowed: one row of the store or more"):
        split(0)
