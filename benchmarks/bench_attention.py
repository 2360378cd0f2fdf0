"""TCJA and PFA, forward and backward, against the authors' formulation, written out from its definition.

One thread. Outputs and gradients are compared before anything is timed. Memory is measured in two ways: what a forward
saves for the backward, counted by storage, and the peak of one forward and backward in a process of its own, as Linux
counts resident pages; "beside" is the peak without the output and the input's gradient, which every implementation has.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import paired
import torch
from paired import Claim
from saved_memory import saved_bytes
from torch import nn
from torch.nn.functional import pad

from eventbench.layers import PFA, TCJA

SHAPES = {"DVS128, 4th stage": (20, 16, 128, 16, 16), "CIFAR10-DVS, 1st stage": (12, 8, 128, 24, 24)}
RANK = 8
AUTHORS = "authors' formulation"


class PublishedTCJA(nn.Module):
    """Squeeze, two Conv1d, sigmoid of their product, times the input: T, N, C, H, W."""

    def __init__(self, ours: TCJA) -> None:
        super().__init__()
        self.over_time, self.over_channels = ours.conv_over_time, ours.conv_over_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = torch.mean(x.permute(1, 0, 2, 3, 4), dim=[3, 4])
        over_channels = self.over_channels(pad(z, (1, 2)))
        over_time = self.over_time(pad(z.permute(0, 2, 1), (1, 2))).permute(0, 2, 1)
        gate = torch.sigmoid(over_time * over_channels)
        return x * gate[:, :, :, None, None].transpose(0, 1)


class PublishedPFA(nn.Module):
    """Three projections, then a loop over ranks with two bmm each into a full-size accumulator; product, ReLU."""

    def __init__(self, ours: PFA) -> None:
        super().__init__()
        self.ours, self.rank = ours, ours.rank

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        frames = x.permute(1, 0, 2, 3, 4)
        N, T, C, H, W = frames.shape
        z = torch.mean(frames, dim=[3, 4])
        time = torch.sigmoid(self.ours.time_projection(z))  # (N, T, R)
        channel = torch.sigmoid(self.ours.channel_projection(z.permute(0, 2, 1)))  # (N, C, R)
        space = torch.sigmoid(self.ours.space_projection(torch.mean(frames, dim=2))).flatten(2)  # (N, R, H*W)
        full = torch.zeros(frames.shape, dtype=x.dtype)
        for r in range(self.rank):
            pairs = torch.bmm(space[:, r].unsqueeze(2), time[:, :, r].unsqueeze(1))  # (N, H*W, T)
            rank_map = torch.bmm(pairs.view(N, -1, 1), channel[:, :, r].unsqueeze(1))  # (N, H*W*T, C)
            full += rank_map.view(N, H, W, T, C).permute(0, 3, 4, 1, 2) / self.rank
        return torch.relu_((full * frames).permute(1, 0, 2, 3, 4))


def step(layer: nn.Module, x: torch.Tensor, g: torch.Tensor) -> list[torch.Tensor]:
    """Output and gradients of one forward and backward."""
    y = layer(x)
    return [y.detach(), *torch.autograd.grad(y, [x, *layer.parameters()], g)]


def contenders(name: str, where: str) -> tuple[nn.Module, nn.Module, torch.Tensor, torch.Tensor]:
    """Ours, the authors' with the same weights, the input and a gradient of the output."""
    shape = SHAPES[where]
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(shape, generator=generator) < 0.1).float().requires_grad_()
    g = torch.randn(shape, generator=generator)
    torch.manual_seed(0)
    if name == "TCJA":
        tcja = TCJA(shape[0], shape[2])
        return tcja, PublishedTCJA(tcja), x, g
    pfa = PFA(shape[0], shape[2], RANK)
    return pfa, PublishedPFA(pfa), x, g


def check(ours: nn.Module, authors: nn.Module, x: torch.Tensor, g: torch.Tensor) -> None:
    """Refuse to time what is not equal to within float32."""
    results, expected = step(ours, x, g), step(authors, x, g)
    parameter_ids = [id(p) for p in ours.parameters()]
    order = [0, 1, *(2 + parameter_ids.index(id(p)) for p in authors.parameters())]
    for index, tensor in zip(order, expected, strict=True):
        if not (results[index] - tensor).abs().max() <= 1e-4 * tensor.abs().max():
            raise SystemExit(f"{type(ours).__name__} differs from the authors' formulation in output {index}")


def peak_mib(name: str, where: str, whose: str) -> float:
    """MiB by which a forward and backward raise the peak of a fresh process; NaN where the kernel does not report it."""
    # Large tensors get a mapping of their own, returned when freed, so that resident pages are those in use.
    env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    command = [sys.executable, __file__, "--peak", name, where, whose]
    process = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return float(process.stdout)


def _print_peak(name: str, where: str, whose: str) -> None:
    ours, authors, x, g = contenders(name, where)
    layer = ours if whose == "ours" else authors
    small = [t[:, :1, :, :4, :4].detach().clone() for t in (x, g)]
    step(layer, small[0].requires_grad_(), small[1])  # loads libraries and starts threads
    try:
        Path("/proc/self/clear_refs").write_text("5")
        before = _kib("VmRSS")
        result = step(layer, x, g)
        print((_kib("VmHWM") - before) / 1024)
        del result
    except OSError:
        print("nan")


def _kib(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


def run(rounds: int) -> list[Claim]:
    """Print the tables; returns a Claim for each requirement."""
    claims: list[Claim] = []
    for where, shape in SHAPES.items():
        for name, required, required_memory in (("TCJA", 1.5, 0.0), ("PFA", 4.0, 3.0)):
            ours, authors, x, g = contenders(name, where)
            check(ours, authors, x, g)
            rank = f" R={RANK}" if name == "PFA" else ""
            what = f"{name}{rank} fwd+bwd, {'x'.join(map(str, shape))}"
            calls = {"ours": partial(step, ours, x, g), AUTHORS: partial(step, authors, x, g)}
            claims += paired.compare(f"{what}, {where}", calls, {AUTHORS: required}, rounds=rounds)
            # Beside the weights; the input is included.
            saved = {
                "ours": saved_bytes(ours, x, ours.parameters()) / 2**20,
                AUTHORS: saved_bytes(authors, x, authors.parameters()) / 2**20,
            }
            # Every implementation needs the output and the gradient of the input.
            unavoidable = 2 * x.numel() * 4 / 2**20
            peaks = {
                whose: peak_mib(name, where, "ours" if whose == "ours" else "authors") for whose in calls
            }
            for whose in calls:
                print(
                    f"  {whose:38}saved for the backward {saved[whose]:7.1f} MiB; peak {peaks[whose]:6.1f} MiB,"
                    f" of which output and gradient {unavoidable:.1f}"
                )
            print(f"  peak in all: {peaks[AUTHORS] / peaks['ours']:.1f}x\n")
            if required_memory:
                claims.append(
                    Claim(f"{what}: saved", AUTHORS, required_memory, saved[AUTHORS] / saved["ours"])
                )
                beside = (peaks[AUTHORS] - unavoidable) / max(peaks["ours"] - unavoidable, 1.0)
                claims.append(Claim(f"{what}: peak beside", AUTHORS, required_memory, beside))
    return claims


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--peak"]:
        _print_peak(*sys.argv[2:])
    else:
        print(paired.machine("torch"))
        paired.summary(run(5))
