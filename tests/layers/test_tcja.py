"""TCJA against the authors' module and against loops written from the definition."""

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
from eventbench.layers import TCJA
from tests.support.golden import arrays

BRANCH_OF_CLASS = {"TCJA": "both", "TLA": "time", "CLA": "channels"}


def slow_gate(x, over_time, over_channels):
    """The definition, sum by sum; None for an absent branch. x (T, N, C, H, W) -> (T, N, C)."""
    T, N, C, _, _ = x.shape
    z = np.array([[[x[t, n, c].mean() for c in range(C)] for n in range(N)] for t in range(T)])
    P, Q = np.ones((T, N, C)), np.ones((T, N, C))
    for t in range(T):
        for n in range(N):
            for c in range(C):
                if over_channels is not None:
                    k = over_channels.shape[2]
                    P[t, n, c] = sum(
                        over_channels[t, s, m] * z[s, n, c + m - (k - 1) // 2]
                        for s in range(T)
                        for m in range(k)
                        if 0 <= c + m - (k - 1) // 2 < C
                    )
                if over_time is not None:
                    k = over_time.shape[2]
                    Q[t, n, c] = sum(
                        over_time[c, d, m] * z[t + m - (k - 1) // 2, n, d]
                        for d in range(C)
                        for m in range(k)
                        if 0 <= t + m - (k - 1) // 2 < T
                    )
    return 1 / (1 + np.exp(-P * Q))


@settings(max_examples=50, deadline=None)
@given(
    T=st.integers(1, 5),
    N=st.integers(1, 3),
    C=st.integers(1, 5),
    H=st.integers(1, 3),
    W=st.integers(1, 3),
    k_time=st.integers(1, 6),
    k_channels=st.integers(1, 6),
    branches=st.sampled_from(["both", "time", "channels"]),
    seed=st.integers(0, 99),
)
def test_the_output_is_the_input_times_the_gate_of_the_definition(
    T, N, C, H, W, k_time, k_channels, branches, seed
):
    rng = np.random.default_rng(seed)
    layer = TCJA(T, C, k_time, k_channels, branches).double()
    x = rng.normal(size=(T, N, C, H, W))
    time = layer.conv_over_time.weight.detach().numpy() if branches != "channels" else None
    channels = layer.conv_over_channels.weight.detach().numpy() if branches != "time" else None
    expected = x * slow_gate(x, time, channels)[..., None, None]
    np.testing.assert_allclose(layer(torch.as_tensor(x)).detach(), expected, rtol=0, atol=1e-12)


def test_the_authors_outputs_and_gradients_are_reproduced(golden: Path):
    files = sorted(file for kind in ("tcja", "tla", "cla") for file in golden.glob(f"{kind}_*.npz"))
    assert files
    for file in files:
        data = arrays(file)
        meta = json.loads(str(data["meta"]))
        branches = BRANCH_OF_CLASS[meta["cls"]]
        # their kernel_size_t slides over channels and kernel_size_c over time: the naming trap
        layer = TCJA(meta["T"], meta["C"], meta["kernel_size_c"], meta["kernel_size_t"], branches).double()
        weights = {"conv_over_channels": "conv_weight_TTk", "conv_over_time": "conv_c_weight_CCk"}
        layer.load_state_dict(
            {
                f"{ours}.weight": torch.as_tensor(data[theirs])
                for ours, theirs in weights.items()
                if theirs in data
            }
        )
        assert sum(p.numel() for p in layer.parameters()) == meta["n_params"]
        x = torch.as_tensor(data["x"]).requires_grad_()
        y = layer(x)
        y.backward(torch.as_tensor(data["g"]))
        expected = {"y": y, "grad_x": x.grad, "attn_NTC": layer.gate(x).transpose(0, 1)}
        if branches != "time":
            expected["grad_conv_weight"] = layer.conv_over_channels.weight.grad
        if branches != "channels":
            grad = layer.conv_over_time.weight.grad
            assert grad is not None
            expected["grad_conv_c_weight"] = grad
            expected["grad_conv_c_weight_sum_over_in"] = grad.sum(1)
            expected["grad_conv_c_weight_sum_over_out"] = grad.sum(0)
        for key in expected.keys() & set(data):
            np.testing.assert_allclose(
                expected[key].detach(), data[key], rtol=0, atol=1e-10, err_msg=f"{file.stem} {key}"
            )
        assert {"y", "grad_x"} <= set(data)


@pytest.mark.parametrize("branches", ["both", "time", "channels"])
def test_gradients_are_the_derivatives(branches):
    layer = TCJA(3, 2, 2, 3, branches).double()
    x = torch.randn(3, 2, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x, *weights: torch.func.functional_call(
            layer, dict(zip(dict(layer.named_parameters()), weights, strict=True)), x
        ),
        (x, *layer.parameters()),
    )


def test_a_kernel_is_named_by_the_axis_it_slides_along():
    layer = TCJA(5, 3, kernel_over_time=4, kernel_over_channels=2)
    assert layer.conv_over_time.weight.shape == (3, 3, 4) and layer.conv_over_time.bias is None
    assert layer.conv_over_channels.weight.shape == (5, 5, 2) and layer.conv_over_channels.bias is None
    assert sum(p.numel() for p in TCJA(20, 128).parameters()) == 67_136


def test_the_convolution_of_an_absent_branch_does_not_exist():
    assert list(TCJA(5, 3, branches="time").state_dict()) == ["conv_over_time.weight"]
    assert list(TCJA(5, 3, branches="channels").state_dict()) == ["conv_over_channels.weight"]
    assert not hasattr(TCJA(5, 3, branches="time"), "conv_over_channels")


def test_an_even_kernel_sees_one_step_back_and_two_ahead():
    layer = TCJA(8, 1, kernel_over_time=4, branches="time")
    torch.nn.init.ones_(layer.conv_over_time.weight)
    x = torch.zeros(8, 1, 1, 1, 1)
    x[4] = 1
    seen = (layer.gate(x).flatten() > 0.5).nonzero().flatten().tolist()
    assert seen == [2, 3, 4, 5]


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
        TCJA(16, 8)(torch.zeros(shape))


@pytest.mark.parametrize(
    "arguments",
    [
        {"branches": "neither"},
        {"kernel_over_time": 0},
        {"kernel_over_channels": 2.0},
        {"time_steps": 0},
        {"channels": True},
    ],
)
def test_a_parameter_out_of_range_is_refused(arguments):
    with pytest.raises(EventbenchError, match="allowed"):
        TCJA(**{"time_steps": 4, "channels": 3, **arguments})


def test_an_empty_batch_passes_and_integers_are_refused():
    assert TCJA(4, 3)(torch.zeros(4, 0, 3, 2, 2)).shape == (4, 0, 3, 2, 2)
    with pytest.raises(EventbenchError, match="float"):
        TCJA(4, 3)(torch.zeros(4, 1, 3, 2, 2, dtype=torch.uint8))
