"""Networks of plain torch as people bring them: frames (T, N, 2, 8, 8) -> scores (N, 3). Each is (network, reasons).

`reasons` has the beginning of why a metric is not counted for it, by the metric's name.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tests.support.small_nets import Fire, Through

Brought = tuple[nn.Module, dict[str, str]]
F = 2 * 8 * 8


def summed(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Counts of all steps, (N, F)."""
    return x.sum(0).flatten(1)


def prelu() -> Brought:
    return nn.Sequential(Through(summed), nn.Linear(F, 8), nn.PReLU(8), nn.Linear(8, 3)), {}


def convolution_over_time() -> Brought:
    return nn.Sequential(
        Through(lambda m, x: x.permute(1, 2, 0, 3, 4)), nn.Conv3d(2, 4, 3, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, 3),
    ), {}  # fmt: skip


def transposed_convolution() -> Brought:
    return nn.Sequential(
        Through(lambda m, x: x.sum(0)), nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(4, 2, 2, stride=2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3),
    ), {}  # fmt: skip


def depthwise_convolution() -> Brought:
    return nn.Sequential(
        Through(lambda m, x: x.sum(0)), nn.Conv2d(2, 6, 3, groups=2), nn.GroupNorm(2, 6), nn.GELU(), nn.Conv2d(6, 4, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3),
    ), {}  # fmt: skip


def lstm() -> Brought:
    return Through(
        lambda m, x: m.head(m.lstm(x.flatten(2))[0][-1]), lstm=nn.LSTM(F, 6, 2), head=nn.Linear(6, 3)
    ), {}


def gru_of_samples_first() -> Brought:
    gru = nn.GRU(F, 6, batch_first=True, bidirectional=True)
    return Through(
        lambda m, x: m.head(m.gru(x.flatten(2).transpose(0, 1))[0].mean(1)), gru=gru, head=nn.Linear(12, 3)
    ), {}


def lstm_cell() -> Brought:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        state = None
        for step in x.flatten(2):
            state = m.cell(step, state)
        scores: torch.Tensor = m.head(state[0])
        return scores

    return Through(forward, cell=nn.LSTMCell(F, 6), head=nn.Linear(6, 3)), {}


def attention_over_steps() -> Brought:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        tokens = m.embed(x.flatten(2))
        scores: torch.Tensor = m.head(m.attend(tokens, tokens, tokens, need_weights=False)[0].mean(0))
        return scores

    return Through(
        forward, embed=nn.Linear(F, 8), attend=nn.MultiheadAttention(8, 2), head=nn.Linear(8, 3)
    ), {}  # fmt: skip


def transformer() -> Brought:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0)
    return Through(
        lambda m, x: m.head(m.encode(m.embed(x.flatten(2).transpose(0, 1))).mean(1)),
        embed=nn.Linear(F, 8), encode=nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), head=nn.Linear(8, 3),
    ), {}  # fmt: skip


def embedding_of_counts() -> Brought:
    return Through(
        lambda m, x: m.head(m.table(x.sum((0, 2)).flatten(1).clamp(max=9).long()).mean(1)),
        table=nn.Embedding(10, 6), head=nn.Linear(6, 3),
    ), {}  # fmt: skip


class Positions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(4, 1, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.positions


def added_positions() -> Brought:
    return Through(
        lambda m, x: m.head(m.positions(m.embed(x.flatten(2))).relu().mean(0)),
        embed=nn.Linear(F, 8), positions=Positions(), head=nn.Linear(8, 3),
    ), {}  # fmt: skip


class Temperature(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.temperature, self.scale = nn.Parameter(torch.tensor(2.0)), nn.Parameter(torch.ones(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / self.temperature * self.scale


def scales() -> Brought:
    return nn.Sequential(Through(summed), nn.Linear(F, 3), Temperature()), {}


def weight_norm() -> Brought:
    return nn.Sequential(Through(summed), nn.utils.parametrizations.weight_norm(nn.Linear(F, 3))), {}


def spectral_norm() -> Brought:
    return nn.Sequential(Through(summed), nn.utils.parametrizations.spectral_norm(nn.Linear(F, 3))), {}


def older_weight_norm() -> Brought:
    with warnings.catch_warnings(action="ignore"):
        return nn.Sequential(Through(summed), nn.utils.weight_norm(nn.Linear(F, 3))), {}


def older_spectral_norm() -> Brought:
    with warnings.catch_warnings(action="ignore"):
        return nn.Sequential(Through(summed), nn.utils.spectral_norm(nn.Linear(F, 3))), {}


def scripted() -> Brought:
    with warnings.catch_warnings(action="ignore"):
        layer = torch.jit.script(nn.Linear(F, 3))
    return nn.Sequential(Through(summed), layer), {"synaptic_operations": "'1' is scripted"}


def unused_head() -> Brought:
    return Through(lambda m, x: m.head(summed(m, x)), head=nn.Linear(F, 3), auxiliary=nn.Linear(F, 9)), {}


def bilinear() -> Brought:
    return Through(
        lambda m, x: m.bilinear(x[:2].sum(0).flatten(1), x[2:].sum(0).flatten(1)), bilinear=nn.Bilinear(F, F, 3)
    ), {"synaptic_operations": "'bilinear' runs "}  # fmt: skip


class Einsum(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(F, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.einsum("tnf,fk->nk", x.flatten(2), self.weight)


def einsum() -> Brought:
    return nn.Sequential(Einsum()), {"synaptic_operations": "'0' runs "}


def rows_of_a_sample_together() -> Brought:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        samples = x.transpose(0, 1)
        scores: torch.Tensor = (
            m.head(samples.flatten(0, 1).flatten(1)).unflatten(0, samples.shape[:2]).mean(1)
        )
        return scores

    return Through(forward, head=nn.Linear(F, 3)), {}


class Surrogate(nn.Module):
    """A neuron of one's own, that does not say so."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x > 0.1).to(x.dtype)


def neurons_that_do_not_say_so() -> Brought:
    return nn.Sequential(Through(summed), nn.Linear(F, 16), Surrogate(), nn.Linear(16, 3)), {
        "firing_rate": "'2' (Surrogate) turns other values into 0 and 1",
    }  # fmt: skip


def neurons_of_ones_own() -> Brought:
    return nn.Sequential(Through(summed), nn.Linear(F, 16), Fire(0.1), nn.Linear(16, 3)), {}


NETWORKS: list[Callable[[], Brought]] = [
    *(
        prelu,
        convolution_over_time,
        transposed_convolution,
        depthwise_convolution,
        lstm,
        gru_of_samples_first,
    ),
    *(
        lstm_cell,
        attention_over_steps,
        transformer,
        embedding_of_counts,
        added_positions,
        scales,
        weight_norm,
    ),
    *(spectral_norm, older_weight_norm, older_spectral_norm, scripted, unused_head, bilinear, einsum),
    *(rows_of_a_sample_together, neurons_that_do_not_say_so, neurons_of_ones_own),
]
