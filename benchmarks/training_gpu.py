"""Training on a GPU: `python benchmarks/training_gpu.py`, and a part of `make bench-gpu`.

* One step of `tcja_dvs128` (T 20, batch 16, 128x128, AMP in float16, Adam, MSE of rates) against the same network with
  SpikingJelly's neurons (CuPy where its version has it; 2.0 chooses its native CUDA or Triton kernels itself), and the same
  step as a CUDA graph in bfloat16.
* The share of the time in which the GPU is busy while batches are made from resident frames.
* Frames binned on the GPU from resident events.

Without a GPU every row says "not measured".
"""

from __future__ import annotations

import argparse
import copy
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from bench_train import frames_from_events
from paired import Claim, compare, machine, summary
from spikingjelly.activation_based import functional, neuron, surrogate
from torch import nn

from eventbench.layers import LIF
from eventbench.loading.resident_frames import ResidentFrames
from eventbench.models.tcja_dvs128 import TCJADVS128
from eventbench.training.losses import rate_mse
from eventbench.training.recipe import Recipe
from eventbench.training.step import set_rate
from eventbench.training.step import training_step as make_training_step

T, N, SIDE, CLASSES = 20, 16, 128, 11
ROWS = {
    f"training step of tcja_dvs128, T {T}, batch {N}, AMP, against SpikingJelly's kernels": "1.5x",
    "share of the time in which the GPU is busy, by the profiler": "95 %",
    "frames on the GPU from resident events, against Numba on the CPU and a copy": "20x",
}


class Jelly(nn.Module):
    """A network of ours with SpikingJelly's multi-step neurons in place of LIF, state reset at every call."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)
        for name, module in list(self.network.named_modules()):
            if isinstance(module, LIF):
                parent, _, last = name.rpartition(".")
                setattr(self.network.get_submodule(parent), last, _node(module))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        functional.reset_net(self)
        return self.network(frames)


def _node(lif: LIF) -> nn.Module:
    backend = {"backend": "cupy"} if "backend" in inspect.signature(neuron.LIFNode).parameters else {}
    assert lif.neuron.surrogate == "atan", "SpikingJelly's ATan is the one that is compared"
    return neuron.LIFNode(
        tau=2.0,
        decay_input=lif.neuron.decay_input,
        v_threshold=lif.threshold,
        v_reset=lif.reset,
        surrogate_function=surrogate.ATan(alpha=lif.neuron.alpha),
        detach_reset=lif.neuron.detach_reset,
        step_mode="m",
        **backend,
    )


def check(ours: nn.Module, jelly: nn.Module, frames: torch.Tensor, labels: torch.Tensor) -> None:
    """Check that loss and gradient of the first layer agree in eval mode (no dropout); in float32 a spike may move."""
    results = []
    for network in (ours, jelly):
        network.eval().zero_grad()
        loss = rate_mse(network(frames), labels)
        loss.backward()
        first = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
        results.append((float(loss.detach()), first.weight.grad.flatten()))
    assert abs(results[0][0] - results[1][0]) < 0.02 * abs(results[0][0]), "the losses differ"
    cosine = torch.nn.functional.cosine_similarity(results[0][1], results[1][1], 0)
    assert float(cosine) > 0.95, f"the gradients differ: their cosine is {float(cosine):.3f}"
    for network in (ours, jelly):
        network.train().zero_grad()


def step_call(
    network: nn.Module, recipe: Recipe, frames: torch.Tensor, labels: torch.Tensor
) -> Callable[[], None]:
    """A call of the training step of `eventbench train` that waits for the device."""
    step, optimiser = make_training_step(network, recipe, frames.device)

    def take_step() -> None:
        set_rate(optimiser, 1e-4)
        step(frames, labels)
        if frames.device.type == "cuda":
            torch.cuda.synchronize(frames.device)

    return take_step


def training_step(rounds: int, device: torch.device) -> list[Claim]:
    """The first two rows, and our step as a CUDA graph for information."""
    torch.manual_seed(0)
    ours = TCJADVS128((SIDE, SIDE), T, CLASSES).to(device)
    generator = torch.Generator().manual_seed(1)
    frames = torch.poisson(torch.full((T, N, 2, SIDE, SIDE), 0.3), generator=generator).to(device)
    labels = torch.randint(CLASSES, (N,), generator=generator).to(device)
    jelly, graphed = Jelly(ours).to(device), copy.deepcopy(ours)
    check(ours, jelly, frames, labels)
    in_float16 = Recipe(loss="rate_mse", optimizer="adam", weight_decay=0, amp=True)
    as_graph = Recipe(
        loss="rate_mse", optimizer="adam", weight_decay=0, amp=True, amp_dtype="bfloat16", graph=True
    )
    peer = "SpikingJelly's neurons, float16"
    calls = {
        "eventbench, float16": step_call(ours, in_float16, frames, labels),
        peer: step_call(jelly, in_float16, frames, labels),
        "eventbench, bfloat16, CUDA graph": step_call(graphed, as_graph, frames, labels),
    }
    for _ in range(5):  # the graph is captured at its fourth step
        calls["eventbench, bfloat16, CUDA graph"]()
    what = f"training step of tcja_dvs128, T {T}, batch {N}, AMP"
    claims = compare(what, calls, {peer: 1.5}, rounds=rounds, items=N, unit="samples/s")
    return [
        *claims,
        Claim(
            "GPU busy while tcja_dvs128 trains", "all of the time", 0.95, busy_share(ours, in_float16, device)
        ),
    ]


def busy_share(network: nn.Module, recipe: Recipe, device: torch.device, batches: int = 30) -> float:
    """The share of the time from the first to the last kernel in which one is running, with batches made on the GPU."""
    rng, n = np.random.default_rng(0), N * batches
    frames = rng.integers(0, 2, (64, T, 2, SIDE, SIDE), np.uint8)
    store: Any = SimpleNamespace(
        ids=[str(k) for k in range(n)],
        labels=rng.integers(0, CLASSES, n).astype(np.int32),
        classes=["a"] * CLASSES,
        gather=lambda rows: frames[rows % 64],
    )
    split = ResidentFrames(store, np.arange(n), device)
    step, _ = make_training_step(network, recipe, device)
    total = torch.zeros(2, dtype=torch.float64, device=device)

    def epoch() -> None:
        for x, labels in split.batches(N, torch.Generator().manual_seed(0), 2):
            total.add_(step(x, labels))
        torch.cuda.synchronize(device)

    epoch()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        epoch()
    spans = sorted(
        (event.time_range.start, event.time_range.end)
        for event in profile.events()
        if event.device_type == torch.autograd.DeviceType.CUDA  # type: ignore[attr-defined]
    )
    return covered_length(spans) / (max(end for _, end in spans) - spans[0][0])


def covered_length(spans: list[tuple[float, float]]) -> float:
    """The length that spans (start, end), sorted by start, cover together."""
    length, covered_to = 0.0, float("-inf")
    for start, end in spans:
        length += max(0.0, end - max(start, covered_to))
        covered_to = max(covered_to, end)
    return length


def run(rounds: int = 20) -> list[Claim]:
    """Time every row on training on a GPU; without a GPU it prints the rows and returns no claim."""
    if not torch.cuda.is_available():
        for row, required in ROWS.items():
            print(f"{row} ({required} required): not measured, there is no GPU")
        return []
    device = torch.device("cuda", torch.cuda.current_device())
    print(torch.cuda.get_device_name(device))
    return training_step(rounds, device) + frames_from_events(rounds, device)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    print(f"{machine('torch', 'norse', 'spikingjelly')}\n")
    summary(run(options.rounds))
