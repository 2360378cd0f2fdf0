"""LIF against a slow loop and Norse's own step; what the memory layout and threads must not change.

The backends against each other, and the authors' neurons: conformance/test_lif_backends.py.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench.errors import EventbenchError
from eventbench.layers import LIF
from eventbench.layers._lif import threads as _threads
from eventbench.layers._lif.neuron import FIRES_AT
from eventbench.layers._lif.norse_step import (
    LIFBoxFeedForwardState,
    LIFBoxParameters,
    lif_box_feed_forward_step,
    reset_subtract,
    reset_value,
)
from eventbench.layers.surrogate import SURROGATES


def slow_lif(x, g, *, tau, threshold, reset, slope, detach_reset, decay_input, fires_at="above"):
    """Spikes and the gradient of sum(spikes · g), one neuron and one step at a time, float64."""
    T, M = x.shape
    leak = 0.0 if reset is None else reset
    spikes, grad, h = np.zeros((T, M)), np.zeros((T, M)), np.zeros((T, M))
    for m in range(M):
        v = leak
        for t in range(T):
            drive = x[t, m] / tau if decay_input else x[t, m]
            h[t, m] = v + drive - (v - leak) / tau
            spikes[t, m] = h[t, m] >= threshold if fires_at == "at_or_above" else h[t, m] > threshold
            after_spike = h[t, m] - threshold if reset is None else reset
            v = after_spike if spikes[t, m] else h[t, m]
        gv = 0.0
        for t in reversed(range(T)):
            ds = slope(h[t, m] - threshold)
            gh = g[t, m] * ds
            if reset is None:
                gh += gv - (0.0 if detach_reset else gv * threshold * ds)
            else:
                gh += gv * (1 - spikes[t, m]) + (0.0 if detach_reset else gv * (reset - h[t, m]) * ds)
            grad[t, m] = gh / tau if decay_input else gh
            gv = gh * (1 - 1 / tau)
    return spikes, grad


SLOPES = {
    "atan": lambda u, a: a / 2 / (1 + (np.pi / 2 * a * u) ** 2),
    "sigmoid": lambda u, a: a / (2 + np.exp(a * u) + np.exp(-a * u)),
    "super": lambda u, a: 1 / (1 + abs(u)) ** 2,
    "super_alpha": lambda u, a: 1 / (1 + a * abs(u)) ** 2,
    "tanh": lambda u, a: 1 - np.tanh(a * u) ** 2,
    "triangle": lambda u, a: a * max(0.0, 1 - abs(u)),
}


def run(layer: LIF, x, g):
    x = torch.as_tensor(x).clone().requires_grad_()
    spikes = layer(x)
    (grad,) = torch.autograd.grad(spikes, x, torch.as_tensor(g))
    return spikes.detach(), grad


parameters = st.fixed_dictionaries(
    {
        "tau": st.sampled_from([1.0, 1.3, 2.0, 4.0, 10.0]),
        "threshold": st.sampled_from([0.5, 1.0, 1.7]),
        "reset": st.sampled_from([None, 0.0, -0.3, 0.25]),
        "surrogate": st.sampled_from(SURROGATES),
        "alpha": st.sampled_from([0.5, 1.0, 2.0, 4.0]),
        "detach_reset": st.booleans(),
        "decay_input": st.booleans(),
        "fires_at": st.sampled_from(FIRES_AT),
    }
)
# Membranes stay on a binary grid that has the threshold on it, so that many of them lie exactly at the threshold.
with_ties = st.fixed_dictionaries(
    {
        "tau": st.sampled_from([1.0, 2.0, 4.0]),
        "threshold": st.sampled_from([0.5, 1.0, 1.75]),
        "reset": st.sampled_from([None, 0.0, -0.5, 0.25]),
        "surrogate": st.sampled_from(SURROGATES),
        "alpha": st.sampled_from([0.5, 2.0]),
        "detach_reset": st.booleans(),
        "decay_input": st.booleans(),
        "fires_at": st.sampled_from(FIRES_AT),
    }
)


def drawn(shape, seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return rng.normal(0.8, 1.5, shape).astype(dtype), rng.normal(size=shape).astype(dtype)


BACKENDS = ["norse", "numba"]


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=60, deadline=None)
@given(p=parameters, T=st.integers(1, 9), M=st.integers(0, 7), seed=st.integers(0, 999))
def test_spikes_and_gradients_are_those_of_the_slow_loop(backend, p, T, M, seed):
    x, g = drawn((T, M), seed)
    slope = SLOPES[p["surrogate"]]
    rest = {k: value for k, value in p.items() if k not in ("surrogate", "alpha")}
    expected, want_grad = slow_lif(x, g, slope=lambda u: slope(u, p["alpha"]), **rest)
    spikes, grad = run(LIF(**p, backend=backend), x, g)
    np.testing.assert_array_equal(spikes, expected)
    np.testing.assert_allclose(grad, want_grad, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@settings(max_examples=60, deadline=None)
@given(p=with_ties, T=st.integers(1, 9), M=st.integers(1, 7), seed=st.integers(0, 999))
def test_membranes_exactly_at_the_threshold_fire_or_not_as_said(backend, dtype, p, T, M, seed):
    x, g = drawn((T, M), seed, dtype)
    x = (np.round(4 * x) / 4).astype(dtype)
    slope = SLOPES[p["surrogate"]]
    rest = {k: value for k, value in p.items() if k not in ("surrogate", "alpha")}
    expected, want_grad = slow_lif(x, g, slope=lambda u: slope(u, p["alpha"]), **rest)
    spikes, grad = run(LIF(**p, backend=backend), x, g)
    np.testing.assert_array_equal(spikes, expected)
    rtol, atol = (1e-10, 1e-12) if dtype == np.float64 else (1e-4, 1e-5)
    np.testing.assert_allclose(grad, want_grad, rtol=rtol, atol=atol)


@settings(max_examples=40, deadline=None)
@given(
    p=parameters.filter(lambda p: p["surrogate"] in ("super", "tanh", "triangle")),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 999),
)
def test_the_loop_is_norses_step_with_norses_own_reset(p, dtype, seed):
    x, g = drawn((7, 5), seed, dtype)
    p = {**p, "detach_reset": False, "decay_input": True, "fires_at": "above"}
    leak = p["reset"] or 0.0
    norse = LIFBoxParameters(
        tau_mem_inv=torch.tensor(1 / p["tau"] * 1000, dtype=torch.float64),
        v_leak=torch.tensor(leak),
        v_th=torch.tensor(p["threshold"], dtype=torch.float64),
        v_reset=torch.tensor(leak),
        method=p["surrogate"],
        alpha=p["alpha"],
        reset_method=reset_subtract if p["reset"] is None else reset_value,
    )
    inputs = torch.as_tensor(x).requires_grad_()
    state = LIFBoxFeedForwardState(v=torch.full(x.shape[1:], leak, dtype=inputs.dtype))
    spikes = []
    for current in inputs:
        z, state = lif_box_feed_forward_step(current, state, norse, dt=0.001)
        spikes.append(z)
    expected = torch.stack(spikes)
    (want_grad,) = torch.autograd.grad(expected, inputs, torch.as_tensor(g))
    got, grad = run(LIF(**p, backend="norse"), x, g)
    assert torch.equal(got, expected.detach())
    torch.testing.assert_close(grad, want_grad)


@settings(max_examples=150, deadline=None)
@given(
    p=parameters,
    dtype=st.sampled_from([np.float32, np.float64]),
    T=st.integers(1, 20),
    M=st.sampled_from([0, 1, 7, 64, 1025, 4095, 4096, 4097, 9000]),
    seed=st.integers(0, 999),
)
def test_the_fused_backend_gives_norses_spikes_to_the_bit_and_its_gradients(p, dtype, T, M, seed):
    x, g = drawn((T, M), seed, dtype)
    expected, want_grad = run(LIF(**p, backend="norse"), x, g)
    got, grad = run(LIF(**p, backend="numba"), x, g)
    assert torch.equal(got, expected)
    rtol, atol = (1e-12, 1e-12) if dtype == np.float64 else (1e-4, 1e-5)
    torch.testing.assert_close(grad, want_grad, rtol=rtol, atol=atol)
    with torch.no_grad():
        assert torch.equal(LIF(**p, backend="numba")(torch.as_tensor(x)), expected)


def _layouts(shape):
    """Tensors of one shape and content that lie differently in memory."""
    T, N, C, H, W = shape
    x = torch.as_tensor(drawn(shape, 3, np.float32)[0])
    channels_last = x.view(T * N, C, H, W).contiguous(memory_format=torch.channels_last).view(shape)
    batch_first = x.transpose(0, 1).contiguous().transpose(0, 1)
    strided = torch.zeros(T, N, C, H, 2 * W)[..., ::2].copy_(x)
    sliced = torch.cat([x, x])[:T]
    wide = torch.zeros(T, N + 1, C, H, W)[:, 1:].copy_(x)
    return {
        "contiguous": x,
        "channels_last": channels_last,
        "batch_first": batch_first,
        "strided": strided,
        "sliced": sliced,
        "wide": wide,
    }


@pytest.mark.parametrize("shape", [(5, 2, 3, 4, 6), (5, 1, 3, 4, 1), (1, 2, 1, 3, 2)])
def test_the_memory_layout_changes_no_result_and_channels_last_is_kept(shape):
    layouts = _layouts(shape)
    g = torch.as_tensor(drawn(shape, 4, np.float32)[1])
    expected, want_grad = run(LIF(backend="norse"), layouts["contiguous"], g)
    for name, x in layouts.items():
        x = x.detach().requires_grad_()
        spikes = LIF(backend="numba")(x)
        assert torch.equal(spikes, expected), name
        for cotangent in (g, g.transpose(0, 1).contiguous().transpose(0, 1)):
            (grad,) = torch.autograd.grad(spikes, x, cotangent, retain_graph=True)
            torch.testing.assert_close(grad, want_grad)
        (grad,) = torch.autograd.grad(spikes.sum(), x)  # an expanded cotangent, all strides 0
        assert grad.shape == x.shape
    last = layouts["channels_last"]
    assert LIF(backend="numba")(last).stride() == last.stride()


def test_the_number_of_threads_changes_no_bit(monkeypatch):
    monkeypatch.setattr(_threads, "ELEMENTS_PER_THREAD", 1000)
    x, g = drawn((12, 10_001), 5, np.float32)
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            results.append(run(LIF(surrogate="sigmoid", backend="numba"), x, g))
    finally:
        torch.set_num_threads(threads)
    for spikes, grad in results[1:]:
        assert torch.equal(spikes, results[0][0]) and torch.equal(grad, results[0][1])


def test_the_backend_in_use_can_be_asked_for_and_a_forced_one_without_support_is_refused():
    assert LIF().backend_used(torch.zeros(2, 3)) == "numba"
    assert LIF(backend="norse").backend_used(torch.zeros(2, 3)) == "norse"
    assert LIF().backend_used(torch.zeros(2, 3, dtype=torch.bfloat16)) == "numba"
    elsewhere = torch.zeros(2, 3, device="meta")
    assert LIF().backend_used(elsewhere) == "norse"
    with pytest.raises(EventbenchError, match="numba backend does not support"):
        LIF(backend="numba")(elsewhere)


def test_the_fused_backward_can_run_twice_and_accumulates():
    x = torch.as_tensor(drawn((4, 6), 7)[0]).requires_grad_()
    spikes = LIF(backend="numba")(x)
    (once,) = torch.autograd.grad(spikes.sum(), x, retain_graph=True)
    spikes.sum().backward(retain_graph=True)
    spikes.sum().backward()
    torch.testing.assert_close(x.grad, 2 * once)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("threshold", [1.0, 0.1, 1.7, 0.0, -0.3])
def test_only_a_tie_tells_the_two_rules_apart(backend, dtype, threshold):
    at = torch.tensor(threshold, dtype=dtype)  # 0.1 and 1.7 are rounded, and so is the layer's threshold
    ends = torch.tensor([-9.0, 9.0], dtype=dtype)
    x = torch.stack([torch.nextafter(at, ends[0]), at, torch.nextafter(at, ends[1])])[None]
    settings = {"tau": 1.0, "threshold": threshold, "reset": None, "backend": backend}
    assert LIF(**settings)(x).flatten().tolist() == [0.0, 0.0, 1.0]
    assert LIF(**settings, fires_at="at_or_above")(x).flatten().tolist() == [0.0, 1.0, 1.0]


def test_a_tie_resets_the_membrane_and_stops_its_gradient():
    x = torch.tensor([[2.0], [2.0]], requires_grad=True)
    spikes, last = LIF(fires_at="at_or_above", backend="numba")(x, None)
    assert spikes.flatten().tolist() == [1.0, 1.0] and last.tolist() == [0.0]
    (grad,) = torch.autograd.grad(last.sum(), x)
    assert grad.flatten().tolist() == [0.0, 0.0]
    spikes, last = LIF(backend="numba")(x, None)
    assert spikes.flatten().tolist() == [0.0, 1.0]


def test_every_call_starts_fresh():
    layer, (x, _) = LIF(), drawn((5, 3, 4), 0, np.float32)
    first = layer(torch.as_tensor(x))
    assert torch.equal(first, layer(torch.as_tensor(x)))


def test_any_trailing_shape_keeps_its_shape_and_dtype():
    for shape in ((3,), (3, 0), (3, 2), (4, 2, 3), (2, 2, 3, 4, 5)):
        for dtype in (torch.float32, torch.float64, torch.bfloat16):
            spikes = LIF()(torch.rand(shape).to(dtype) * 4)
            assert spikes.shape == shape and spikes.dtype == dtype
            assert set(spikes.unique().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"surrogate": "arctan"}, "atan, sigmoid, super, super_alpha, tanh, triangle"),
        ({"tau": 0.5}, "1 (no memory) or more"),
        ({"tau": float("nan")}, "1 (no memory) or more"),
        ({"alpha": 0.0}, "above 0"),
        ({"threshold": float("inf")}, "a finite number"),
        ({"fires_at": "below"}, "above, at_or_above"),
        ({"reset": 1.0}, "below the threshold"),
        ({"reset": float("-inf")}, "below the threshold"),
        ({"backend": "cuda"}, "norse, numba, triton"),
    ],
)
def test_a_parameter_out_of_range_is_refused_with_what_is_allowed(parameters, message):
    with pytest.raises(EventbenchError, match=re.escape(message)):
        LIF(**parameters)


@pytest.mark.parametrize(
    "x",
    [torch.zeros(()), torch.zeros(0, 3), torch.zeros(2, 3, dtype=torch.uint8)],
    ids=["0-d", "T=0", "uint8"],
)
def test_inputs_without_steps_or_of_integers_are_refused(x):
    with pytest.raises(EventbenchError):
        LIF()(x)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tau": None}, "tau is None; allowed: a number of time steps"),
        ({"tau": "2"}, "tau is '2'; allowed: a number of time steps"),
        ({"tau": True}, "tau is True; allowed: a number of time steps"),
        ({"tau": ["a"], "channels": 1}, "tau is ['a']; allowed: a number of time steps"),
        ({"threshold": "1"}, "threshold is '1'; allowed: a number"),
        ({"reset": "soft"}, "reset is 'soft'; allowed: a number"),
        ({"alpha": None}, "alpha is None; allowed: a number"),
        ({"detach_reset": "no"}, "detach_reset is 'no'; allowed: true, false"),
        ({"decay_input": None}, "decay_input is None; allowed: true, false"),
        ({"learn_tau": 1}, "learn_tau is 1; allowed: true, false"),
    ],
)
def test_a_parameter_of_another_type_is_refused_and_not_a_python_error(arguments, message):
    with pytest.raises(EventbenchError, match=re.escape(message)):
        LIF(**arguments)


def test_taus_may_be_numbers_of_numpy_and_torch():
    single: list[Any] = [np.float32(3), torch.tensor(3.0)]
    assert [LIF(tau).tau for tau in single] == [3.0, 3.0]
    several: list[Any] = [np.array([2, 3]), torch.tensor([2.0, 3.0])]
    assert [LIF(tau, channels=2).tau for tau in several] == [(2.0, 3.0)] * 2


def test_what_is_no_tensor_is_refused():
    with pytest.raises(EventbenchError, match=r"got a numpy.ndarray; allowed: a torch tensor"):
        LIF()(np.zeros((3, 2), np.float32))
    with pytest.raises(EventbenchError, match=r"the state of LIF: got a builtins.float"):
        LIF()(torch.zeros(3, 2), 0.5)


def test_fixed_taus_keep_their_precision_whatever_the_model_is_cast_to():
    taus, x = [2.3, 70000.0], torch.randn(9, 3, 2, 4) * 3
    expected = LIF(taus, channels=2)(x)
    assert torch.equal(LIF(taus, channels=2).half()(x), expected)
    with torch.device("meta"):
        empty = LIF(taus, channels=2)
    assert torch.equal(empty.to_empty(device="cpu")(x), expected)
