"""Published networks as their released code has them: which ties fire, batch norm of each step, starting weights.

The networks of TCJA and PFA, filled from the authors' weights: submission/test_authors_networks.py and
submission/test_golden_networks.py.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import linear, max_pool2d

from eventbench import registry
from eventbench.layers import LIF
from eventbench.models._stages import Normed, Stage
from eventbench.models._stepwise import StepwiseModel
from eventbench.submission.model import make_model


class Heaviside(torch.autograd.Function):
    """SpikingJelly's spike: at or above the threshold; with the slope of ATan(2) or, for Spikformer, Sigmoid(4)."""

    @staticmethod
    def forward(ctx: Any, u: torch.Tensor, sigmoid: bool) -> torch.Tensor:
        ctx.save_for_backward(u)
        ctx.sigmoid = sigmoid
        return (u >= 0).to(u.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        (u,) = ctx.saved_tensors
        s = torch.sigmoid(4 * u)
        return grads[0] * (4 * s * (1 - s) if ctx.sigmoid else 1 / (1 + (math.pi * u) ** 2)), None


class PlainNeurons:
    """Neurons called step by step, which keep their membranes; they divide by tau, or multiply by sigmoid(w)."""

    def __init__(self, lif: LIF, sigmoid: bool = False) -> None:
        self.gain = torch.sigmoid(lif.w) if lif.learn_tau else 0.5
        self.threshold, self.sigmoid = lif.threshold, sigmoid
        self.v: torch.Tensor | float = 0.0

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        h = self.v + (x - self.v) * self.gain
        spikes: torch.Tensor = Heaviside.apply(h - self.threshold, self.sigmoid)
        self.v = (1 - spikes.detach()) * h
        return spikes

    def over(self, x: torch.Tensor) -> torch.Tensor:
        """All steps of (T, ...)."""
        return torch.stack([self(step) for step in x])


NETWORKS = [n for n in registry.models.names() if issubclass(registry.models.get(n), StepwiseModel)]
STRICT = {"tcja_cifar10dvs_tet", "tcja_ncaltech101_tet", "tcja_ms_resnet18", "pfa_ms_resnet18"}


@pytest.mark.parametrize("name", [*NETWORKS, "conv_snn", "tcja_net", "pfa_net"])
def test_ties_fire_in_the_networks_whose_code_is_of_spikingjelly_and_in_no_other(name: str) -> None:
    with torch.device("meta"):
        network = make_model(name, {}, (64, 64), 4, 3)
    rules = {layer.neuron.fires_at for layer in network.modules() if isinstance(layer, LIF)}
    ours_or_strict = name in STRICT or name not in NETWORKS
    assert rules == {"above" if ours_or_strict else "at_or_above"}


def spikformer_written_out(net: Any, frames: torch.Tensor) -> torch.Tensor:
    """The scores of Spikformer from its definition; the convolutions, norms and linear layer are those of `net`."""
    T, N = frames.shape[:2]

    def steps(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
        return layer(x.flatten(0, 1)).unflatten(0, (T, N))

    def stage(its: Any, x: torch.Tensor) -> torch.Tensor:
        normed = its.normed if isinstance(its, Stage) else its
        return PlainNeurons(its.lif, True).over(steps(normed.norm, steps(normed.conv, x)))

    x = frames
    for its in net.patches:
        x = stage(its, x) if isinstance(its, Stage) else steps(nn.MaxPool2d(3, 2, 1), x)
    x = (x + stage(net.position, x)).flatten(3)
    for block in net.blocks:
        q, k, v = (
            stage(its, x).unflatten(2, (block.attend.heads, -1)).mT  # (T, N, heads, L, C / heads)
            for its in (block.queries, block.keys, block.values)
        )
        attended = block.scale * ((q @ k.mT) @ v).mT.flatten(2, 3)
        x = x + stage(block.project, PlainNeurons(block.lif, True).over(attended))
        x = x + stage(block.perceptron[1], stage(block.perceptron[0], x))
    return linear(x.mean(3).mean(0), net.readout.weight, net.readout.bias)


def awake(network: nn.Module) -> nn.Module:
    """In float64, with weights large enough for every layer to fire."""
    torch.manual_seed(0)
    for weight in network.double().parameters():
        if weight.ndim > 1:
            nn.init.normal_(weight, std=4 / math.sqrt(weight[0].numel()))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.constant_(module.bias, 1.0)
    return network


def counts(*shape: int) -> torch.Tensor:
    return torch.poisson(torch.full(shape, 0.7, dtype=torch.float64), torch.Generator().manual_seed(1))


@pytest.mark.parametrize("training", [True, False])
def test_spikformer_is_the_network_written_out_and_another_where_ties_do_not_fire(training: bool) -> None:
    config: dict[str, Any] = {"width": 16, "heads": 4}
    net = awake(make_model("spikformer_small", config, (64, 48), 5, 3)).train(training)
    frames = counts(5, 2, 2, 48, 64)
    expected = spikformer_written_out(copy.deepcopy(net), frames)
    torch.testing.assert_close(net(frames), expected, rtol=1e-9, atol=1e-10)
    norse = make_model("spikformer_small", {**config, "neuron": {"fires_at": "above"}}, (64, 48), 5, 3)
    norse.double().load_state_dict(net.state_dict())
    assert (norse.train(training)(frames) - expected).abs().mean() > 0.01 * expected.abs().mean()


def plif_written_out(net: Any, frames: torch.Tensor) -> torch.Tensor:
    """The rates of PLIF's network called step by step; its layers are those of `net`, without dropout."""
    neurons = {layer: PlainNeurons(layer) for layer in net.modules() if isinstance(layer, LIF)}
    votes = []
    for x in frames:
        for layer in net.features:
            if isinstance(layer, Stage):
                x = neurons[layer.lif](layer.normed.norm(layer.normed.conv(x)))
            else:
                x = max_pool2d(x, 2)
        first, second = (layer for layer in net.head if isinstance(layer, nn.Linear))
        first_lif, second_lif = (layer for layer in net.head if isinstance(layer, LIF))
        x = neurons[second_lif](second(neurons[first_lif](first(x.flatten(1)))))
        votes.append(x.unflatten(1, (-1, 10)).mean(2))
    return torch.stack(votes).mean(0)


def test_plif_net_is_trained_and_evaluated_as_the_network_called_step_by_step() -> None:
    net = awake(make_model("plif_net", {"channels": [4, 6], "dropout": 0.0}, (16, 12), 5, 3)).train()
    written_out = copy.deepcopy(net)
    frames = counts(5, 3, 2, 12, 16)
    for _ in range(2):
        got, expected = net(frames), plif_written_out(written_out, frames)
        torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)
        g = torch.randn(got.shape, dtype=got.dtype, generator=torch.Generator().manual_seed(2))
        (got * g).sum().backward()
        (expected * g).sum().backward()
    assert got.detach().mean() > 0.02
    for (name, weight), its in zip(net.named_parameters(), written_out.parameters(), strict=True):
        assert weight.grad is not None and bool(weight.grad.any()), name
        torch.testing.assert_close(weight.grad, its.grad, rtol=1e-9, atol=1e-12, msg=name)
    for (name, statistic), its_own in zip(net.named_buffers(), written_out.buffers(), strict=True):
        torch.testing.assert_close(statistic, its_own, msg=name)
    tracked = [m.num_batches_tracked for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    assert [int(batches) for batches in tracked if batches is not None] == [10, 10]  # 2 batches of 5 steps
    torch.testing.assert_close(net.eval()(frames), plif_written_out(written_out.eval(), frames))


def test_the_statistics_of_each_step_are_an_option_that_evaluation_does_not_see() -> None:
    x = counts(4, 3, 2, 6, 6)
    alone, together = Normed(2, 5, each_step=True).double(), Normed(2, 5).double()
    together.load_state_dict(alone.state_dict())
    assert not torch.allclose(alone(x), together(x))
    torch.testing.assert_close(alone(x).mean((1, 3, 4)), torch.zeros(4, 5, dtype=torch.float64))
    together.load_state_dict(alone.state_dict())
    assert torch.equal(alone.eval()(x), together.eval()(x))
    whole = make_model("plif_net", {"channels": [4], "norm_each_step": False}, (8, 8), 4, 3)
    assert not any(layer.each_step for layer in whole.modules() if isinstance(layer, Normed))


def test_the_convolutions_of_sew_resnet_start_as_he_s_by_fan_out() -> None:
    torch.manual_seed(0)
    network = make_model("sew_resnet18", {}, (64, 64), 4, 11)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            size, _ = layer.kernel_size
            std = math.sqrt(2 / (layer.out_channels * size**2))
            assert float(layer.weight.detach().std()) == pytest.approx(std, rel=0.05)
            assert float(layer.weight.detach().abs().max()) > 2.5 * std  # normal, not uniform
        if isinstance(layer, nn.BatchNorm2d):
            assert bool((layer.weight == 1).all()) and not layer.bias.any()


def test_the_head_of_spikformer_starts_small_and_without_bias() -> None:
    torch.manual_seed(0)
    head: Any = make_model("spikformer_small", {}, (128, 128), 16, 10).readout
    assert float(head.weight.detach().std()) == pytest.approx(0.02, rel=0.05)
    assert not head.bias.any()
