"""LIF with `fires_at="at_or_above"` against SpikingJelly's own neurons, on currents that put membranes on the threshold.

Skipped where SpikingJelly is not installed.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from eventbench.layers import LIF

pytest.importorskip("spikingjelly")


def results(neurons: torch.nn.Module, x: torch.Tensor, g: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Spikes, and the gradients of a weighted sum of them at x and at the parameters."""
    inputs = x.clone().requires_grad_()
    spikes = neurons(inputs)
    return spikes.detach(), *torch.autograd.grad((spikes * g).sum(), [inputs, *neurons.parameters()])


@pytest.mark.parametrize("backend", ["norse", "numba"])
@pytest.mark.parametrize("reset", [0.0, None])
@pytest.mark.parametrize("surrogate", ["atan", "sigmoid"])
@pytest.mark.parametrize(
    ("tau", "threshold", "learn_tau"), [(2.0, 1.0, False), (4.0, 0.5, False), (2.0, 1.0, True)]
)
def test_spikes_and_gradients_are_spikingjelly_s_also_at_ties(
    backend: str, reset: float | None, surrogate: str, tau: float, threshold: float, learn_tau: bool
) -> None:
    from spikingjelly.activation_based import neuron
    from spikingjelly.activation_based import surrogate as curves

    curve = {"atan": curves.ATan(alpha=2.0), "sigmoid": curves.Sigmoid(alpha=4.0)}[surrogate]
    settings: dict[str, Any] = {"v_threshold": threshold, "v_reset": reset, "detach_reset": True}
    settings |= {"surrogate_function": curve, "step_mode": "m"}
    kind = neuron.ParametricLIFNode if learn_tau else neuron.LIFNode
    theirs = kind(tau, **settings).double()
    ours = LIF(
        tau=tau,
        threshold=threshold,
        reset=reset,
        surrogate=surrogate,
        alpha=2.0 if surrogate == "atan" else 4.0,
        backend=backend,
        learn_tau=learn_tau,
        fires_at="at_or_above",
    ).double()
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(-2, 9, (8, 3, 40), generator=generator).double() / 2
    g = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    expected, got = results(theirs, x, g), results(ours, x, g)
    assert torch.equal(got[0], expected[0])
    strict = LIF(tau=tau, threshold=threshold, reset=reset)(x)
    assert not torch.equal(strict, expected[0])  # there are ties
    for gradient, reference in zip(got[1:], expected[1:], strict=True):
        torch.testing.assert_close(gradient, reference, rtol=1e-10, atol=1e-12)
