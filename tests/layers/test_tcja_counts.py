"""The operations of a TCJA that a user has written, and declares with `gates_input`, beside those of ours."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import pad

from eventbench.layers import TCJA
from eventbench.metrics.base import Figure, measure
from eventbench.metrics.synaptic_operations import SynapticOperations
from tests.support.measured import figures_or_reason
from tests.support.small_nets import batched

T, C, H, W = 5, 4, 3, 6


class UsersTCJA(nn.Module):
    """TCJA from its definition, over samples first; `same` lets the convolutions pad, as the authors' code does."""

    gates_input = True

    def __init__(self, ours: TCJA, same: bool) -> None:
        super().__init__()
        self.same = same
        over_channels, over_time = ours.conv_over_channels.weight, ours.conv_over_time.weight
        padding = "same" if same else 0
        self.over_channels = nn.Conv1d(T, T, over_channels.shape[2], bias=False, padding=padding)
        self.over_time = nn.Conv1d(C, C, over_time.shape[2], bias=False, padding=padding)
        self.over_channels.weight, self.over_time.weight = over_channels, over_time

    def slid(self, conv: nn.Conv1d, z: torch.Tensor) -> torch.Tensor:
        (k,) = conv.kernel_size
        slid: torch.Tensor = conv(z if self.same else pad(z, ((k - 1) // 2, k // 2)))
        return slid

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = x.mean((3, 4)).transpose(0, 1)  # (N, T, C)
        score = self.slid(self.over_channels, z) * self.slid(self.over_time, z.mT).mT
        return x * torch.sigmoid(score).transpose(0, 1)[..., None, None]


class Net(nn.Module):
    def __init__(self, gate: nn.Module) -> None:
        super().__init__()
        self.gate, self.readout = gate, nn.Linear(C * H * W, 3)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.readout(self.gate(frames).flatten(2)).mean(0)
        return scores


def operations(net: nn.Module, frames: torch.Tensor, size: int) -> dict[str, Figure]:
    labels = torch.zeros(frames.shape[1], dtype=torch.int64)
    metrics = {"s": SynapticOperations()}
    return figures_or_reason(measure(net, batched(frames, labels, size), metrics, torch.device("cpu")))


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize(("kernel_over_time", "kernel_over_channels"), [(4, 4), (4, 2), (1, 3)])
@pytest.mark.parametrize("size", [1, 2, 8])
def test_a_user_s_tcja_has_the_operations_of_ours(
    same: bool, kernel_over_time: int, kernel_over_channels: int, size: int
) -> None:
    torch.manual_seed(0)
    frames = (torch.rand(T, 4, C, H, W) < 0.3).float()
    ours = TCJA(T, C, kernel_over_time, kernel_over_channels)
    theirs = UsersTCJA(ours, same)
    torch.testing.assert_close(theirs(frames), ours(frames))
    expected, got = (operations(Net(gate), frames, size) for gate in (ours, theirs))
    for effective in ("s.effective_acs", "s.effective_macs"):
        assert got[effective].value == expected[effective].value
    # Zeros that `pad` has put there are inputs that are zero; a convolution that pads has no pairs beyond the ends.
    beyond = sum(
        rows**2 * min(abs(tap - (kernel - 1) // 2), length)
        for rows, length, kernel in ((C, T, kernel_over_time), (T, C, kernel_over_channels))
        for tap in range(kernel)
    )
    assert got["s.dense"].value == expected["s.dense"].value - beyond * same
