"""LI and RecurrentLIF against loops that say what they are, one neuron and one step at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench.layers import LI, LIF, RecurrentLIF


def slow_li(x: np.ndarray, tau: np.ndarray, leak: float, decay_input: bool, v: np.ndarray) -> np.ndarray:
    """Membranes (T, N, C) of float64 currents; tau is (C,)."""
    out = np.empty_like(x)
    for t, current in enumerate(x):
        v = v + (leak - v) / tau + (current / tau if decay_input else current)
        out[t] = v
    return out


@settings(max_examples=60, deadline=None)
@given(
    T=st.integers(1, 8),
    N=st.integers(0, 3),
    C=st.integers(1, 4),
    leak=st.sampled_from([0.0, -0.5, 2.0]),
    decay_input=st.booleans(),
    per_channel=st.booleans(),
    backend=st.sampled_from(["norse", "numba"]),
    seed=st.integers(0, 999),
)
def test_the_membrane_is_that_of_the_slow_loop(T, N, C, leak, decay_input, per_channel, backend, seed):
    x = np.random.default_rng(seed).normal(size=(T, N, C))
    taus = np.linspace(1.0, 9.0, C) if per_channel else np.full(C, 2.5)
    tau = {"tau": taus.tolist(), "channels": C} if per_channel else {"tau": 2.5}
    layer = LI(**tau, leak=leak, decay_input=decay_input, backend=backend)
    got, last = layer(torch.as_tensor(x), None)
    expected = slow_li(x, taus, leak, decay_input, np.full((N, C), leak))
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(last, got[-1])


def test_the_gradient_of_a_membrane_is_the_decay_to_the_power_of_its_age():
    x = torch.zeros(6, 1, dtype=torch.float64, requires_grad=True)
    (grad,) = torch.autograd.grad(LI(tau=4.0)(x)[-1].sum(), x)
    torch.testing.assert_close(grad[:, 0], 0.25 * 0.75 ** torch.arange(5, -1, -1, dtype=torch.float64))


def test_a_learned_time_constant_is_found_again_by_gradient_descent():
    torch.manual_seed(0)
    x = torch.randn(30, 8, 2)
    expected = LI(tau=[2.0, 8.0], channels=2)(x)
    layer = LI(tau=4.0, channels=2, learn_tau=True)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(150):
        optimiser.zero_grad()
        (layer(x) - expected).square().mean().backward()
        optimiser.step()
    assert layer.tau == pytest.approx((2.0, 8.0), rel=0.02)


def test_a_membrane_may_be_changed_in_place_by_what_follows():
    x = torch.randn(4, 3, requires_grad=True)
    LI()(x).relu_().sum().backward()
    assert x.grad is not None


def test_an_unlearned_readout_never_fires_and_is_no_spiking_layer():
    assert not getattr(LI(), "spiking", False)
    assert LI(tau=1.0)(torch.full((3, 2), 100.0)).tolist() == [[100.0] * 2] * 3


def slow_recurrent(x: np.ndarray, weight: np.ndarray, tau: float, reset: float | None) -> np.ndarray:
    """Spikes (T, C) of one sample, float64."""
    T, C = x.shape
    leak = reset or 0.0
    v, fired, out = np.full(C, leak), np.zeros(C), np.zeros((T, C))
    for t in range(T):
        for c in range(C):
            h = v[c] + (x[t, c] + sum(weight[c, k] * fired[k] for k in range(C)) + leak - v[c]) / tau
            out[t, c] = h > 1.0
            v[c] = (h - 1.0 if reset is None else reset) if out[t, c] else h
        fired = out[t]
    return out


@pytest.mark.parametrize("backend", ["norse", "numba"])
@pytest.mark.parametrize("reset", [0.0, None, -0.25])
def test_spikes_come_back_as_currents_of_the_next_step(backend, reset):
    torch.manual_seed(0)
    layer = RecurrentLIF(5, tau=2.0, reset=reset, backend=backend).double()
    torch.nn.init.normal_(layer.recurrent.weight, std=2.0)
    x = torch.randn(20, 3, 5, dtype=torch.float64) + 0.8
    spikes = layer(x).detach().numpy()
    for n in range(3):
        expected = slow_recurrent(x[:, n].numpy(), layer.recurrent.weight.detach().numpy(), 2.0, reset)
        np.testing.assert_array_equal(spikes[:, n], expected)
    assert not np.array_equal(spikes, LIF(tau=2.0, reset=reset)(x))


def test_autocast_changes_no_spike_of_a_recurrent_layer():
    torch.manual_seed(0)
    x = torch.randn(20, 3, 5) + 0.8
    for backend in ("norse", "numba"):
        layer = RecurrentLIF(5, backend=backend)
        expected = layer(x)
        with torch.autocast("cpu", torch.bfloat16):
            spikes = layer(x)
        assert spikes.dtype == torch.float32 and torch.equal(spikes, expected)
        with torch.autocast("cpu", torch.bfloat16):
            loss = spikes.sum()
            loss.backward()
        assert layer.recurrent.weight.grad.dtype == torch.float32
