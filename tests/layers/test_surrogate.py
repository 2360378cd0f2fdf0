"""Surrogate slopes against the curves they are the derivatives of."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from eventbench.layers import LIF
from eventbench.layers.surrogate import SLOPES, SURROGATES, atan_slope, spike_slope

CURVES = {
    "atan": lambda u, a: torch.atan(math.pi / 2 * a * u) / math.pi + 0.5,
    "sigmoid": lambda u, a: torch.sigmoid(a * u),
    "super_alpha": lambda u, a: u / (1 + a * u.abs()),
}


@pytest.mark.parametrize("name", sorted(SLOPES))
@given(alpha=st.floats(0.1, 10))
def test_a_slope_is_the_derivative_of_its_curve(name, alpha):
    u = torch.linspace(-3, 3, 101, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(CURVES[name](u, alpha).sum(), u)
    torch.testing.assert_close(SLOPES[name](u.detach(), alpha), expected)


def test_atan_at_alpha_2_is_the_papers():
    u = torch.linspace(-2, 2, 41, dtype=torch.float64)
    torch.testing.assert_close(atan_slope(u, 2.0), 1 / (1 + (math.pi * u) ** 2))


def test_spikes_pass_unchanged_and_carry_the_slope():
    u = torch.tensor([-0.5, 0.0, 0.5], dtype=torch.float64, requires_grad=True)
    out = spike_slope(u, (u > 0).to(u.dtype), "atan", 2.0)
    assert out.tolist() == [0.0, 0.0, 1.0]
    (grad,) = torch.autograd.grad(out, u, torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    torch.testing.assert_close(grad, torch.tensor([1.0, 2.0, 3.0]) * atan_slope(u.detach(), 2.0))


@pytest.mark.parametrize("backend", ["norse", "numba"])
@pytest.mark.parametrize("name", SURROGATES)
def test_every_slope_is_even_and_largest_at_the_threshold(backend, name):
    u = torch.linspace(-0.9, 0.9, 19, dtype=torch.float64)
    x = (1.0 + u)[None].requires_grad_()
    layer = LIF(tau=1.0, surrogate=name, alpha=1.5, backend=backend)
    (slope,) = torch.autograd.grad(layer(x).sum(), x)
    torch.testing.assert_close(slope, slope.flip(1))
    assert slope.argmax() == 9 and (slope > 0).all()


def test_norses_super_ignores_alpha_and_triangle_is_scaled_by_it():
    x = torch.full((1, 1), 1.5, dtype=torch.float64, requires_grad=True)

    def slope(name: str, alpha: float) -> float:
        (grad,) = torch.autograd.grad(LIF(tau=1.0, surrogate=name, alpha=alpha)(x).sum(), x)
        return grad.item()

    assert slope("super", 100.0) == slope("super", 1.0) == pytest.approx(1 / 1.5**2)
    assert slope("triangle", 3.0) == pytest.approx(3 * slope("triangle", 1.0)) == pytest.approx(1.5)
