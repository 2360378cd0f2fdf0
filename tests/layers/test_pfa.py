"""PFA against the authors' three variants and against loops written from the definition."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench.errors import EventbenchError
from eventbench.layers import PFA
from eventbench.layers.pfa import COMPOSITIONS, FUSIONS
from tests.support.golden import arrays

PRESETS = {
    "cifar": ("mean", "multiply_relu"),
    "fmnist": ("sum", "add_relu"),
    "generation": ("sum", "multiply_relu"),
}
NAMES = {"TC_FC": "time_projection", "SC_FC": "channel_projection", "TS_conv": "space_projection"}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def slow_map(x, p, lambdas):
    """The definition, rank by rank and pixel by pixel. x and the result (T, N, C, H, W)."""
    _, N, _, H, W = x.shape
    k = p["space_projection.weight"].shape[2]
    M = np.zeros_like(x)
    for n in range(N):
        z = x[:, n].mean((2, 3))
        for r in range(len(lambdas)):
            v_t = sigmoid(z @ p["time_projection.weight"][r] + p["time_projection.bias"][r])
            v_c = sigmoid(z.T @ p["channel_projection.weight"][r] + p["channel_projection.bias"][r])
            padded = np.pad(x[:, n].mean(1), ((0, 0), (k // 2, k // 2), (k // 2, k // 2)))
            for h in range(H):
                for w in range(W):
                    patch = padded[:, h : h + k, w : w + k]
                    u = (p["space_projection.weight"][r] * patch).sum() + p["space_projection.bias"][r]
                    M[:, n, :, h, w] += lambdas[r] * sigmoid(u) * np.outer(v_t, v_c)
    return M


@settings(max_examples=40, deadline=None)
@given(
    T=st.integers(1, 4),
    N=st.integers(1, 3),
    C=st.integers(1, 4),
    H=st.integers(1, 4),
    W=st.integers(1, 4),
    rank=st.integers(1, 5),
    k=st.sampled_from([1, 3, 5]),
    composition=st.sampled_from(COMPOSITIONS),
    fusion=st.sampled_from(FUSIONS),
    seed=st.integers(0, 99),
)
def test_the_output_is_the_definition(T, N, C, H, W, rank, k, composition, fusion, seed):
    rng = np.random.default_rng(seed)
    layer = PFA(T, C, rank, composition, fusion, k).double()
    lambdas = np.full(rank, {"mean": 1 / rank, "sum": 1.0, "learned": 0.0}[composition])
    if composition == "learned":
        weights = rng.normal(size=rank)
        layer.rank_weights.data = torch.as_tensor(weights)
        lambdas = np.exp(weights) / np.exp(weights).sum()
    x = rng.normal(size=(T, N, C, H, W))
    M = slow_map(x, {k: v.detach().numpy() for k, v in layer.named_parameters()}, lambdas)
    expected = x + M if fusion == "add_relu" else x * M
    expected = expected if fusion == "multiply" else np.maximum(expected, 0)
    np.testing.assert_allclose(layer(torch.as_tensor(x)).detach(), expected, rtol=0, atol=1e-12)


def _golden_layer(data, meta, composition, fusion):
    layer = PFA(meta["T"], meta["C"], meta["R"], composition, fusion, meta["kernel_TS"]).double()
    state = {
        f"{ours}.{part}": torch.as_tensor(data[f"{theirs}_{part}"])
        for theirs, ours in NAMES.items()
        for part in ("weight", "bias")
    }
    if composition == "learned":
        state["rank_weights"] = torch.as_tensor(data["weight_before"])
    layer.load_state_dict(state)
    return layer


def _as_tnchw(a, layout):
    a = torch.as_tensor(a)
    return a.permute(4, 0, 1, 2, 3) if layout == "N,C,H,W,T" else a


def test_the_authors_outputs_and_gradients_are_reproduced(golden: Path):
    files = [f for f in sorted(golden.glob("pfa_*.npz")) if "weight_before" not in arrays(f)]
    assert files
    for file in files:
        data = arrays(file)
        meta = json.loads(str(data["meta"]))
        layer = _golden_layer(data, meta, *PRESETS[meta["variant"]])
        inert = meta["R"] if "weight_after" in data else 0
        assert sum(p.numel() for p in layer.parameters()) == meta["n_params"] - inert
        x = _as_tnchw(data["x"], meta["layout"]).clone().requires_grad_()
        y = layer(x)
        y.backward(_as_tnchw(data["g"], meta["layout"]))
        pairs = {
            "y": (y, _as_tnchw(data["y"], meta["layout"])),
            "grad_x": (x.grad, _as_tnchw(data["grad_x"], meta["layout"])),
            "attention": (layer.gate(x).transpose(0, 1), data["attn_NTCHW"]),
        }
        for theirs, ours in NAMES.items():
            for part in ("weight", "bias"):
                grad = getattr(getattr(layer, ours), part).grad
                pairs[f"grad_{theirs}_{part}"] = (grad, data[f"grad_{theirs}_{part}"])
        for key, (got, expected) in pairs.items():
            np.testing.assert_allclose(
                got.detach(), expected, rtol=0, atol=1e-10, err_msg=f"{file.stem} {key}"
            )


def test_learned_weights_stand_still_in_a_forward_where_the_authors_drift_to_uniform(golden: Path):
    files = [f for f in sorted(golden.glob("pfa_*.npz")) if "weight_before" in arrays(f)]
    assert files
    for file in files:
        data = arrays(file)
        meta = json.loads(str(data["meta"]))
        layer = _golden_layer(data, meta, "learned", PRESETS[meta["variant"]][1])
        x = _as_tnchw(data["x"], meta["layout"])
        for forward in range(1, meta["forwards"] + 1):
            assert torch.equal(layer(x), layer(x))
            expected = _as_tnchw(data[f"y_fwd{forward}"], meta["layout"])
            np.testing.assert_allclose(layer(x).detach(), expected, rtol=0, atol=1e-10, err_msg=file.stem)
            # what their forward left behind is what their next one starts from
            np.testing.assert_allclose(
                layer.lambdas().detach(), data[f"weight_after_fwd{forward}"], atol=1e-10
            )
            layer.rank_weights.data = layer.lambdas().detach()


@pytest.mark.slow
@pytest.mark.parametrize("composition", COMPOSITIONS)
@pytest.mark.parametrize("fusion", FUSIONS)
def test_gradients_are_the_derivatives(composition, fusion):
    torch.manual_seed(1)
    layer = PFA(3, 2, 2, composition, fusion).double()
    x = torch.randn(3, 2, 2, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x, *weights: torch.func.functional_call(
            layer, dict(zip(dict(layer.named_parameters()), weights, strict=True)), x
        ),
        (x, *layer.parameters()),
    )


def test_learned_starts_as_the_mean_and_its_weights_train():
    torch.manual_seed(0)
    layer, mean = PFA(3, 2, 4, "learned"), PFA(3, 2, 4, "mean")
    mean.load_state_dict({k: v for k, v in layer.state_dict().items() if k != "rank_weights"})
    x = torch.rand(3, 2, 2, 4, 4)
    torch.testing.assert_close(layer(x), mean(x))
    optimiser = torch.optim.SGD(layer.parameters(), lr=1.0)
    before = layer.rank_weights.detach().clone()
    (layer(x) - 2 * x).square().sum().backward()
    grad = layer.rank_weights.grad
    assert grad is not None and grad.abs().min() > 0
    optimiser.step()
    assert (layer.rank_weights.detach() != before).all()
    assert torch.as_tensor(layer.lambdas()).sum().item() == pytest.approx(1)


def test_an_eval_forward_changes_nothing_in_the_layer():
    layer = PFA(3, 2, 4, "learned").eval()
    layer.rank_weights.data = torch.tensor([1.0, 0.0, -1.0, 2.0])
    before = {k: v.clone() for k, v in layer.state_dict().items()}
    layer(torch.rand(3, 2, 2, 4, 4))
    assert all(torch.equal(v, before[k]) for k, v in layer.state_dict().items())


@pytest.mark.parametrize("fusion", FUSIONS)
def test_the_memory_layout_is_that_of_the_input(fusion):
    x = torch.rand(3, 2, 4, 5, 6)
    assert PFA(3, 4, 2, fusion=fusion)(x).is_contiguous()


def test_only_t_and_c_live_in_the_weights():
    T, C, R = 12, 64, 8
    assert sum(p.numel() for p in PFA(T, C, R).parameters()) == R * (10 * T + C + 3)
    for size in ((1, 1), (2, 7), (9, 4)):
        assert PFA(2, 3, 4)(torch.rand(2, 1, 3, *size)).shape == (2, 1, 3, *size)
    assert PFA(2, 3, 4)(torch.rand(2, 0, 3, 4, 4)).shape == (2, 0, 3, 4, 4)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((10, 2, 8, 3, 3), "made for T=16, got T=10"),
        ((16, 2, 4, 3, 3), "made for C=8, got C=4"),
        ((16, 2, 8, 3), "got 4 dimensions"),
    ],
)
def test_an_input_that_does_not_fit_is_refused_naming_both_sides(shape, message):
    with pytest.raises(EventbenchError, match=re.escape(message)):
        PFA(16, 8, 2)(torch.zeros(shape))


@pytest.mark.parametrize(
    "arguments",
    [
        {"composition": "softmax"},
        {"fusion": "add"},
        {"rank": 0},
        {"kernel_over_space": 2},
        {"kernel_over_space": -1},
        {"time_steps": 1.5},
    ],
)
def test_a_parameter_out_of_range_is_refused(arguments):
    with pytest.raises(EventbenchError, match="allowed"):
        PFA(**{"time_steps": 4, "channels": 3, "rank": 2, **arguments})
