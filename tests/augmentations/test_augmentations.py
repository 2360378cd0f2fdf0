"""Augmentations of frames: each move against a slow version, mixtures made of nothing but their two parts."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench import registry
from eventbench.augmentations._moves import mapped, rolled, without_squares
from eventbench.augmentations.event_mix import EventMix, _beta
from eventbench.augmentations.nda import Nda
from eventbench.augmentations.random_steps import RandomSteps
from eventbench.errors import BadSpec

generated = partial(settings, deadline=None, max_examples=30)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def counts(
    n: int = 6, shape: tuple[int, ...] = (3, 2, 8, 10), seed: int = 1, dtype=torch.uint8
) -> torch.Tensor:
    return torch.randint(0, 5, (n, *shape), generator=seeded(seed)).to(dtype)


def one_hot(n: int, classes: int = 4) -> torch.Tensor:
    return torch.eye(classes)[torch.arange(n) % classes]


SETTINGS = {
    "random_steps": {"steps": 3}
}  # of those without defaults; all three steps, so that the shape stays


@pytest.mark.parametrize("name", registry.augmentations.names())
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.float32])
def test_every_augmentation_keeps_type_and_shape_and_writes_to_nothing_of_the_callers(name, dtype):
    augmentation = registry.augmentations.build({"name": name, **SETTINGS.get(name, {})}, where="test")
    frames, labels = counts(dtype=dtype), one_hot(6)
    before = frames.clone(), labels.clone()
    for seed in range(8):
        out, its = augmentation.apply(frames, labels, seeded(seed))
        assert (out.dtype, out.shape) == (dtype, frames.shape)
        assert its.shape == labels.shape
        assert torch.allclose(its.sum(1), torch.ones(6))
        assert (its >= 0).all()
        assert torch.equal(frames, before[0]) and torch.equal(labels, before[1])
        again, _ = augmentation.apply(frames, labels, seeded(seed))
        assert torch.equal(out, again)  # the generator is all that is random


@given(st.integers(-20, 20), st.integers(-20, 20))
@generated()
def test_rolling_is_numpys(down, right):
    frames = counts(2)
    out = rolled(frames, torch.tensor([[down, right], [0, 0]]))
    assert np.array_equal(out[0], np.roll(frames[0].numpy(), (down, right), (2, 3)))
    assert torch.equal(out[1], frames[1])


@pytest.mark.parametrize(("quarters", "sign"), [(0, 1), (1, 1), (2, 1), (3, 1)])
def test_turning_by_quarters_is_exact(quarters, sign):
    frames = counts(2, (2, 2, 7, 7))
    angle = torch.tensor(quarters * np.pi / 2)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).reshape(1, 2, 2).repeat(2, 1, 1)
    assert torch.equal(mapped(frames, turn.float()), torch.rot90(frames, quarters, (-2, -1)))


@given(
    st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.integers(0, 9)
)
@generated()
def test_any_linear_map_takes_each_cell_from_where_it_says(a, b, c, d, seed):
    frames = counts(1, (1, 1, 6, 9), seed)
    matrix = torch.tensor([[[a, b], [c, d]]])
    out = mapped(frames, matrix)[0, 0, 0]
    for y in range(6):
        for x in range(9):
            from_middle = np.array([x - 4.0, y - 2.5])
            u, v = np.array([[a, b], [c, d]]) @ from_middle + np.array([4.0, 2.5])
            if min(abs(u % 1 - 0.5), abs(v % 1 - 0.5)) < 1e-3:
                continue  # half-way between two cells, either is nearest
            column, row = round(u), round(v)
            inside = 0 <= column < 9 and 0 <= row < 6
            assert out[y, x] == (frames[0, 0, 0, row, column] if inside else 0)


@given(st.integers(-4, 12), st.integers(-4, 12), st.integers(0, 9))
@generated()
def test_a_square_cut_out_is_zero_and_the_rest_is_untouched(row, column, side):
    frames = counts(1)
    out = without_squares(frames, torch.tensor([[row, column]]), torch.tensor([side]))
    wanted = frames.clone()
    wanted[..., max(row, 0) : max(row + side, 0), max(column, 0) : max(column + side, 0)] = 0
    assert torch.equal(out, wanted)


def test_nda_leaves_labels_alone_and_can_do_nothing_at_all():
    frames, labels = counts(), one_hot(6)
    out, its = Nda(flip=0, roll_px=0, rotate_deg=0, shear=0, cut_px=0).apply(frames, labels, seeded())
    assert torch.equal(out, frames)
    assert its is labels


def test_nda_does_each_of_its_moves_to_about_a_quarter_of_the_samples():
    frames = torch.ones(4000, 1, 1, 9, 9)
    out, _ = Nda(flip=0, roll_px=0, rotate_deg=0, shear=0, cut_px=4).apply(frames, one_hot(4000), seeded())
    cut = (out.sum((1, 2, 3, 4)) < 81).sum()  # a side of 0 cuts nothing: 4 of 5 drawn sides do
    assert 4000 * 0.25 * 0.8 * 0.85 < cut < 4000 * 0.25 * 0.8 * 1.1


def test_all_frames_of_a_sample_are_moved_alike():
    frames = counts(8, (1, 1, 8, 10)).repeat(1, 5, 2, 1, 1)
    out, _ = Nda().apply(frames, one_hot(8), seeded(3))
    assert torch.equal(out, out[:, :1, :1].expand_as(out))


@given(st.integers(0, 500), st.floats(0.1, 5))
@generated()
def test_a_mixture_has_cells_of_its_two_samples_only_and_labels_by_their_events(seed, alpha):
    n, augmentation = 5, EventMix(alpha=alpha, probability=1)
    # Sample k is full of k + 1, so that each cell of a mixture tells where it came from.
    frames = (torch.arange(n) + 1)[:, None, None, None, None].expand(n, 4, 2, 6, 6).to(torch.uint8)
    out, labels = augmentation.apply(frames, torch.eye(n), seeded(seed))
    for k in range(n):
        values, cells = out[k].unique(return_counts=True)
        assert k + 1 in values or labels[k, k] == 0
        assert len(values) <= 2
        weights = {
            int(v) - 1: float(v) * int(c) / float(out[k].sum()) for v, c in zip(values, cells, strict=True)
        }
        for label, weight in weights.items():
            assert labels[k, label] == pytest.approx(weight, abs=1e-5)


def test_the_parts_of_a_mixture_are_as_large_as_beta_says_and_one_piece_of_space_and_time():
    own = EventMix(blobs=1)._masks(400, (8, 12, 12), seeded())
    share = own.float().mean((1, 2, 3))
    assert 0.45 < share.mean() < 0.55  # Beta(1, 1) is even
    assert share.std() == pytest.approx(12**-0.5, abs=0.03)
    # A single Gaussian above a level is a box-convex blob: along every axis its cells stand together.
    for axis in (1, 2, 3):
        steps = own.int().diff(dim=axis)
        assert ((steps == 1).sum(axis) <= 1).all() and ((steps == -1).sum(axis) <= 1).all()


def test_beta_draws_have_the_moments_of_beta():
    drawn = _beta(0.5, 20_000, seeded())
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)
    assert drawn.var() == pytest.approx(0.125, abs=0.005)


def test_a_batch_is_mixed_as_often_as_asked():
    frames, labels = counts(), one_hot(6)
    generator = seeded()
    mixed = sum(
        EventMix(probability=0.3).apply(frames, labels, generator)[0] is not frames for _ in range(500)
    )
    assert 110 < mixed < 190


def test_samples_without_events_share_their_labels_evenly():
    frames = torch.zeros(2, 2, 2, 4, 4)
    _, labels = EventMix(probability=1).apply(frames, torch.eye(2), seeded(1))
    assert torch.allclose(labels.sum(1), torch.ones(2))
    assert set(labels.unique().tolist()) <= {0.0, 0.5, 1.0}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Nda(flip=1.5), "flip is 1.5"),
        (lambda: Nda(roll_px=-1), "roll_px is -1"),
        (lambda: EventMix(alpha=0), "alpha is 0"),
        (lambda: EventMix(blobs=0), "blobs is 0"),
        (lambda: EventMix(probability=2), "probability is 2"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(make, message):
    with pytest.raises(BadSpec, match=message):
        make()


@given(st.integers(1, 9), st.data(), st.integers(0, 99))
@generated()
def test_random_steps_are_different_steps_in_order_and_the_same_for_the_whole_batch(T, data, seed):
    steps = data.draw(st.integers(1, T))
    frames = torch.arange(T)[None, :, None, None, None].expand(4, T, 2, 3, 3)
    out, labels = RandomSteps(steps=steps).apply(frames, one_hot(4), seeded(seed))
    assert out.shape == (4, steps, 2, 3, 3) and torch.equal(labels, one_hot(4))
    kept = out[0, :, 0, 0, 0].tolist()
    assert kept == sorted(set(kept)) and set(kept) <= set(range(T))
    assert torch.equal(out, torch.tensor(kept)[None, :, None, None, None].expand_as(out))


def test_every_step_is_kept_as_often_as_every_other():
    frames, generator = torch.arange(16).view(1, 16, 1, 1, 1), seeded()
    kept = [RandomSteps(steps=12).apply(frames, one_hot(1), generator)[0].flatten() for _ in range(2000)]
    share = torch.bincount(torch.cat(kept), minlength=16) / 2000
    assert bool(((share - 0.75).abs() < 0.05).all())


def test_more_random_steps_than_there_are_or_none_are_refused():
    with pytest.raises(BadSpec, match="steps is 5; allowed: 1 to 3"):
        RandomSteps(steps=5).apply(counts(2), one_hot(2), seeded())
    with pytest.raises(BadSpec, match="steps is 0; allowed: 1 or more"):
        RandomSteps(steps=0)
