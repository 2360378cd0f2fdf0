"""Two published networks written out plainly, with the authors' key names, against ours filled from their weights."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import conv1d, pad

from eventbench.submission.authors import from_authors

T, K = 4, 9


class Spike(torch.autograd.Function):
    """SpikingJelly's: at or above the threshold, with the slope of ATan(alpha=2)."""

    @staticmethod
    def forward(ctx: Any, u: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(u)
        return (u >= 0).to(u.dtype)

    @staticmethod
    def backward(ctx: Any, *g: torch.Tensor) -> torch.Tensor:
        return g[0] / (1 + (math.pi * ctx.saved_tensors[0]) ** 2)


class Neurons(nn.Module):
    def __init__(self, detach: bool = True) -> None:
        super().__init__()
        self.detach = detach

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        v, spikes = torch.zeros_like(x[0]), []
        for current in x:
            h = v + (current - v) / 2
            spikes.append(Spike.apply(h - 1))
            v = (1 - (spikes[-1].detach() if self.detach else spikes[-1])) * h
        return torch.stack(spikes)


class Steps(nn.Sequential):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class Joint(nn.Module):
    def __init__(self, kernel_t: int, kernel_c: int, C: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(T, T, kernel_t, bias=False)
        self.conv_c = nn.Conv1d(C, C, kernel_c, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = x.mean((3, 4)).transpose(0, 1)

        def same(weight: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
            k = weight.shape[2]
            return conv1d(pad(z, ((k - 1) // 2, k // 2)), weight)

        score = same(self.conv.weight, z) * same(self.conv_c.weight, z.transpose(1, 2)).transpose(1, 2)
        return x * score.sigmoid().transpose(0, 1)[..., None, None]


class Additive(nn.Module):
    def __init__(self, C: int, R: int) -> None:
        super().__init__()
        self.TS_conv, self.TC_FC, self.SC_FC = nn.Conv2d(T, R, 3, padding=1), nn.Linear(C, R), nn.Linear(T, R)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.transpose(0, 1)
        z = x.mean((3, 4))
        factors = self.TC_FC(z), self.SC_FC(z.transpose(1, 2)), self.TS_conv(x.mean(2))
        gate = torch.einsum("ntr,ncr,nrhw->ntchw", *(f.sigmoid() for f in factors))
        return torch.relu(gate + x).transpose(0, 1)


class NCaltech(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i, (inputs, C) in enumerate([(2, 3), (3, 4), (4, 5), (5, 6), (6, 7)]):
            conv = nn.Conv2d(inputs, C, 3, padding=1, bias=False)
            layers += [Steps(conv, nn.BatchNorm2d(C)), Neurons()]
            layers += [Joint(4 if i == 3 else 2, 4, C)] if i > 2 else []
            layers.append(Steps(nn.MaxPool2d(2, 2)))
        self.conv = nn.Sequential(*layers)
        first, second = nn.Linear(7 * 1 * 2, 16, bias=False), nn.Linear(16, K, bias=False)
        head = [nn.Dropout(), Steps(first), Neurons(), nn.Dropout(), Steps(second), Neurons()]
        self.fc = nn.Sequential(nn.Flatten(2), *head)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.conv(x)).mean(0)


class Fashion(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.static_conv = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6))
        again = Steps(nn.MaxPool2d(2, 2), nn.Conv2d(6, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6))
        end = Steps(nn.MaxPool2d(2, 2), nn.Flatten())
        self.conv = nn.Sequential(Neurons(False), again, Additive(6, 3), Neurons(False), end)
        first, second = nn.Linear(6 * 7 * 7, 16, bias=False), nn.Linear(16, K, bias=False)
        head = [nn.Dropout(), Steps(first), Neurons(False), nn.Dropout(), Steps(second), Neurons(False)]
        self.fc = nn.Sequential(*head)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.conv(self.static_conv(x).expand(T, -1, -1, -1, -1))).mean(0)


def awake(network: nn.Module) -> nn.Module:
    """Weights large enough for every layer to fire."""
    for weight in network.double().parameters():
        if weight.ndim > 1:
            nn.init.normal_(weight, std=8 / math.sqrt(weight[0].numel()))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.running_mean, -0.5, 0.1)
    return network.eval()


@pytest.mark.parametrize(
    ("name", "kind", "sensor", "shape"),
    [
        ("tcja_ncaltech101", NCaltech, (64, 40), (T, 2, 2, 40, 64)),
        ("pfa_fmnist", Fashion, (28, 28), (3, 1, 28, 28)),
    ],
)
def test_outputs_and_gradients_are_those_of_the_network_written_out(
    name: str, kind: Any, sensor: tuple[int, int], shape: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    theirs = awake(kind())
    ours = from_authors(name, theirs.state_dict(), sensor).eval()
    results = []
    x, g = 3 * torch.rand(shape, dtype=torch.float64), torch.rand(shape[-4], K, dtype=torch.float64)
    for network in (theirs, ours):
        inputs = x.clone().requires_grad_()
        rates = network(inputs)
        results.append((rates, *torch.autograd.grad((rates * g).sum(), [inputs])))
    (rates, at_x), (got, got_at_x) = results
    assert rates.mean() > 0.02 and at_x.abs().max() > 1e-3
    torch.testing.assert_close(got, rates, rtol=0, atol=1e-12)
    torch.testing.assert_close(got_at_x, at_x, rtol=1e-10, atol=1e-12)
