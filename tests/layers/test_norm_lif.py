"""Norm, LIF and pool in one pass against the three layers called one after the other."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers import LIF, norm_lif
from eventbench.layers._lif import norm_fused
from eventbench.layers._lif import threads as _threads
from eventbench.layers._lif.neuron import FIRES_AT
from eventbench.models.conv_snn import ConvSNN

POOLS = {"none": None, "floor": nn.MaxPool2d(2), "ceil": nn.MaxPool2d((2, 2), stride=2, ceil_mode=True)}
NEURONS: tuple[dict[str, Any], ...] = (
    {},
    {"reset": None, "surrogate": "triangle", "alpha": 1.0, "detach_reset": False},
    {"tau": 4.0, "decay_input": False, "reset": -0.5, "surrogate": "sigmoid"},
    {"fires_at": "at_or_above", "detach_reset": False},
)


def one_by_one(x, norm, lif, pool):
    spikes = lif(norm(x.flatten(0, 1)).unflatten(0, x.shape[:2]))
    return spikes if pool is None else pool(spikes.flatten(0, 1)).unflatten(0, x.shape[:2])


def made(shape, dtype=torch.float64, seed=0, **neuron):
    """Currents whose channels have means of their own, a norm and neurons that fire about half of the time."""
    generator = torch.Generator().manual_seed(seed)
    C = shape[2]
    x = 3 * torch.randn(shape, generator=generator, dtype=dtype)
    x += 10 * torch.randn(C, 1, 1, generator=generator, dtype=dtype)
    norm = nn.BatchNorm2d(C).to(dtype)
    with torch.no_grad():
        norm.weight.copy_(torch.rand(C, generator=generator, dtype=dtype) + 0.2)
        norm.bias.copy_(torch.rand(C, generator=generator, dtype=dtype) + 0.5)
    return x, norm, LIF(**neuron)


def fused(monkeypatch):
    """A list that grows by one each time the one pass is taken."""
    calls: list[int] = []
    apply = norm_fused._NormLIF.apply

    def counted(*arguments: Any) -> Any:
        calls.append(1)
        return apply(*arguments)

    monkeypatch.setattr(norm_fused._NormLIF, "apply", counted, raising=False)
    return calls


def hold_equal(x, norm, lif, pool, lay=lambda x: x):
    """Spikes, all gradients and the running statistics of two training steps."""
    norm_alone = copy.deepcopy(norm)
    fused_input, plain_input = (lay(x.clone()).requires_grad_() for _ in range(2))
    for seed in range(2):
        got, expected = norm_lif(fused_input, norm, lif, pool), one_by_one(plain_input, norm_alone, lif, pool)
        assert torch.equal(got, expected)
        g = torch.randn(expected.shape, generator=torch.Generator().manual_seed(seed), dtype=x.dtype)
        got.backward(g)
        expected.backward(g)
    for a, b in (
        (fused_input.grad, plain_input.grad),
        (norm.weight.grad, norm_alone.weight.grad),
        (norm.bias.grad, norm_alone.bias.grad),
    ):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)
    for name, buffer in norm_alone.named_buffers():
        torch.testing.assert_close(norm.get_buffer(name), buffer)


@pytest.mark.slow
@given(
    st.tuples(*(st.integers(1, most) for most in (6, 3, 9, 9, 9))),
    st.sampled_from(list(POOLS)),
    st.sampled_from(NEURONS),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=150)
def test_spikes_gradients_and_statistics_equal_the_layers_one_by_one(shape, pool, neuron, seed):
    if shape[0] * shape[1] * shape[3] * shape[4] < 2 or (pool == "floor" and min(shape[3:]) < 2):
        return  # torch refuses both
    x, norm, lif = made(shape, seed=seed, **neuron)
    hold_equal(x, norm, lif, POOLS[pool])


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("surrogate", ["atan", "sigmoid", "super", "super_alpha", "tanh", "triangle"])
def test_every_surrogate_where_rows_are_cut_into_strips_and_shared_between_threads(
    pool, surrogate, monkeypatch
):
    monkeypatch.setattr(norm_fused, "STRIP_BYTES", 4 * 2 * 2 * 40 * 8 * 3)
    monkeypatch.setattr(_threads, "ELEMENTS_PER_THREAD", 100)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    x, norm, lif = made((4, 2, 40, 7, 11), surrogate=surrogate)
    hold_equal(x, norm, lif, POOLS[pool])


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("reset", [None, 0.0])
@pytest.mark.parametrize("fires_at", FIRES_AT)
def test_ties_fire_or_not_as_said_and_the_pool_s_gradient_knows_it(pool, reset, fires_at):
    x, norm, lif = made((5, 2, 6, 5, 4), fires_at=fires_at, reset=reset)
    with torch.no_grad():  # the currents of a channel are its bias: ties at 2 from the first step on
        norm.weight[:4] = 0.0
        norm.bias[:4] = torch.tensor([2.0, 1.0, 3.0, 4.0])
    hold_equal(x, norm, lif, POOLS[pool])
    fired = norm_lif(x, norm, lif)[0, :, 0]
    assert bool((fired == (fires_at == "at_or_above")).all())


@pytest.mark.parametrize("pool", POOLS)
def test_any_layout_in_memory_and_other_settings_of_the_norm(pool):
    for lay in (
        lambda x: x.contiguous(),
        lambda x: x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, x.shape[:2]),
        lambda x: x.transpose(3, 4).contiguous().transpose(3, 4),
    ):
        x, norm, lif = made((5, 2, 6, 4, 6))
        norm.momentum, norm.eps = None, 0.3
        hold_equal(x, norm, lif, POOLS[pool], lay)
    x, _, lif = made((5, 2, 6, 4, 6))
    hold_equal(x, nn.BatchNorm2d(6, track_running_stats=False).double(), lif, POOLS[pool])


def test_means_far_from_zero_do_not_cancel_the_variance():
    x, norm, lif = made((8, 4, 3, 40, 40))
    x = x + 1e5
    mean, variance = norm_lif_statistics(x.float(), norm.float(), lif)
    expected = x.float().double()
    torch.testing.assert_close(mean.double(), expected.mean((0, 1, 3, 4)), rtol=1e-7, atol=0)
    torch.testing.assert_close(variance.double(), expected.var((0, 1, 3, 4), correction=0), rtol=2e-5, atol=0)


def norm_lif_statistics(x, norm, lif):
    norm.momentum = 1.0
    norm_lif(x.requires_grad_(), norm, lif)
    rows = x.numel() // x.shape[2]
    return norm.running_mean, norm.running_var * (rows - 1) / rows


def test_what_is_taken_in_one_pass_and_what_layer_by_layer(monkeypatch):
    calls = fused(monkeypatch)
    x, norm, lif = made((4, 2, 3, 6, 6), torch.float32)
    pool = nn.MaxPool2d(2)
    norm_lif(x, norm, lif, pool)
    assert len(calls) == 1
    assert lif.last_backend == "numba"
    with torch.no_grad():
        norm_lif(x, norm, lif, pool)
    for another_lif in (LIF(learn_tau=True), LIF(tau=[2.0, 3, 4], channels=3), LIF(backend="norse")):
        norm_lif(x, norm, another_lif, pool)
    norm_lif(x, norm, lif, nn.MaxPool2d(3))
    norm_lif(x, norm, lif, nn.MaxPool2d(2, stride=1))
    norm_lif(x, norm, lif, nn.MaxPool2d(2, padding=1))
    norm_lif(x, nn.BatchNorm2d(3, affine=False), lif, pool)
    another_norm: Any = nn.SyncBatchNorm(3).eval()
    norm_lif(x, another_norm, lif, pool)
    norm_lif(x.bfloat16(), norm, lif, pool)
    assert len(calls) == 1
    norm.eval()
    torch.testing.assert_close(norm_lif(x, norm, lif, pool), one_by_one(x, norm, lif, pool))
    assert len(calls) == 1


def test_hooks_on_the_layers_are_called_as_ever(monkeypatch):
    calls, shapes = fused(monkeypatch), []
    x, norm, lif = made((4, 2, 3, 6, 6))
    handle = lif.register_forward_hook(lambda module, inputs, out: shapes.append(out.shape))
    norm_lif(x, norm, lif, nn.MaxPool2d(2))
    assert (shapes, calls) == ([torch.Size([4, 2, 3, 6, 6])], [])
    handle.remove()
    norm_lif(x, norm, lif, nn.MaxPool2d(2))
    assert len(calls) == 1


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused_with_its_place(bad):
    x, norm, lif = made((4, 2, 3, 6, 6))
    x[1, 0, 2, 3, 4] = bad
    with pytest.raises(BadSpec, match=re.escape("inputs are NaN or infinite, the first at")):
        norm_lif(x, norm, lif)


def test_only_the_currents_are_kept_for_the_way_back():
    x, norm, lif = made((8, 2, 16, 12, 12), torch.float32)
    kept: list[int] = []

    def pack(saved: torch.Tensor) -> torch.Tensor:
        kept.append(saved.nbytes)
        return saved

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved):
        norm_lif(x.requires_grad_(), norm, lif, nn.MaxPool2d(2))
    assert sum(kept) == x.nbytes


def test_a_network_trains_through_it(monkeypatch):
    calls = fused(monkeypatch)
    torch.manual_seed(0)
    network = ConvSNN(sensor=(34, 34), time_steps=4, classes=3)
    frames = torch.poisson(torch.full((4, 6, 2, 34, 34), 0.5))
    network(frames).square().sum().backward()
    assert len(calls) == 3
    assert all(bool(p.grad.abs().max() > 0) for p in network.parameters())
