"""A training step on the CPU against Norse and SpikingJelly: `python benchmarks/bench_train.py`.

Five times [conv 3x3 to 32 channels, batch norm, LIF, max pool 2] and a linear readout on 64x64, T 16, batch 8, all with the
same weights, the same neuron (LIF box, tau 2, hard reset, triangle surrogate) and the same allocator setting. With running
statistics in the batch norms all give the same loss and gradients; in training mode a network that is stepped through time
has the statistics of each step alone, and only the others must agree with ours. Then: frames binned from events on the
device, here the CPU, without a requirement.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import norse.torch as norse
import numpy as np
import torch
from norse.torch.functional.lif_box import LIFBoxParameters
from paired import Claim, compare, machine, summary
from recordings import random_events
from spikingjelly.activation_based import functional, layer, neuron, surrogate
from torch import nn
from torch.nn.functional import cross_entropy

from eventbench.events import EventBatch
from eventbench.events.packed import PackedEvents
from eventbench.layers import LIF, norm_lif
from eventbench.loading.resident_events import ResidentEvents
from eventbench.representations.frames import Frames
from eventbench.training.heap import keep_heap

T, N, SIDE, WIDTH, STAGES, CLASSES = 16, 8, 64, 32, 5, 11
OURS, STEPPED, LOOPED, JELLY = (
    "eventbench, channels last",
    "Norse, the network stepped",
    "Norse, LIFBox over (T, N, ...)",
    "SpikingJelly, multi-step",
)
NORSE_NEURON = {
    "tau_mem_inv": torch.tensor(500.0),  # with dt = 1e-3 half of the way to the input at each step: tau = 2
    "method": "triangle",
    "alpha": torch.tensor(1.0),
}


class Ours(nn.Module):
    """Every layer over all steps, norm, LIF and pool in one pass, channels last from the first convolution on."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(_conv(i) for i in range(STAGES))
        self.norms = nn.ModuleList(nn.BatchNorm2d(WIDTH) for _ in range(STAGES))
        self.lif = LIF(tau=2.0, surrogate="triangle", alpha=1.0, detach_reset=False)
        self.pool, self.readout = nn.MaxPool2d(2), _readout()

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        steps = frames.shape[:2]
        x = frames.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            assert isinstance(norm, nn.BatchNorm2d)
            x = norm_lif(conv(x).unflatten(0, steps), norm, self.lif, self.pool).flatten(0, 1)
        return self.readout(x.flatten(1)).unflatten(0, steps).mean(0)


class Stepped(nn.Module):
    """The network as in Norse's own examples: a SequentialState, called once for each step."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i in range(STAGES):
            layers += [_conv(i), nn.BatchNorm2d(WIDTH), _norse_cell(), nn.MaxPool2d(2)]
        self.network = norse.SequentialState(*layers, nn.Flatten(), _readout())

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        state, scores = None, []
        for step in frames.unbind(0):
            output, state = self.network(step, state)
            scores.append(output)
        return torch.stack(scores).mean(0)


class Looped(nn.Module):
    """Convolutions over all steps at once, Norse's LIF box module looping over time in each stage."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(_conv(i) for i in range(STAGES))
        self.norms = nn.ModuleList(nn.BatchNorm2d(WIDTH) for _ in range(STAGES))
        self.cell, self.pool, self.readout = _norse_cell(), nn.MaxPool2d(2), _readout()

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        steps = frames.shape[:2]
        x = frames.flatten(0, 1)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            state, spikes = None, []
            for current in norm(conv(x)).unflatten(0, steps).unbind(0):
                z, state = self.cell(current, state)
                spikes.append(z)
            x = self.pool(torch.stack(spikes).flatten(0, 1))
        return self.readout(x.flatten(1)).unflatten(0, steps).mean(0)


class Jelly(nn.Module):
    """The network of SpikingJelly's layers in multi-step mode, torch backend."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i in range(STAGES):
            spikes = neuron.LIFNode(
                tau=2.0, detach_reset=False, surrogate_function=surrogate.PiecewiseQuadratic(alpha=1.0)
            )
            inputs = 2 if i == 0 else WIDTH
            conv = layer.Conv2d(inputs, WIDTH, 3, padding=1, bias=False)
            layers += [conv, layer.BatchNorm2d(WIDTH), spikes, layer.MaxPool2d(2)]
        readout = layer.Linear(_readout().in_features, CLASSES)
        self.network = nn.Sequential(*layers, layer.Flatten(), readout)
        functional.set_step_mode(self, "m")

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        functional.reset_net(self)
        return self.network(frames).mean(0)


def _conv(stage: int) -> nn.Conv2d:
    return nn.Conv2d(2 if stage == 0 else WIDTH, WIDTH, 3, padding=1, bias=False)


def _readout() -> nn.Linear:
    return nn.Linear(WIDTH * (SIDE >> STAGES) ** 2, CLASSES)


def _norse_cell() -> nn.Module:
    return norse.LIFBoxCell(LIFBoxParameters(**NORSE_NEURON), dt=1e-3)


def networks() -> dict[str, nn.Module]:
    """The contenders with one set of weights; the statistics of the norms are such that neurons fire in each stage."""
    torch.manual_seed(0)
    contenders: dict[str, nn.Module] = {OURS: Ours(), STEPPED: Stepped(), LOOPED: Looped(), JELLY: Jelly()}
    weights = _layers(contenders[OURS])
    for i, (conv, norm) in enumerate(zip(weights[:-1:2], weights[1:-1:2], strict=True)):
        nn.init.normal_(conv.weight, std=0.15 if i else 0.3)
        norm.running_mean.uniform_(-0.1, 0.1)
        norm.running_var.uniform_(0.2, 0.4)
        nn.init.constant_(norm.bias, 0.4)
    for network in contenders.values():
        for source, target in zip(weights, _layers(network), strict=True):
            target.load_state_dict(source.state_dict())
    return contenders


def _layers(network: nn.Module) -> list[Any]:
    """Convolution, norm, convolution, norm, ..., readout."""
    modules = list(network.modules())
    convs = [module for module in modules if isinstance(module, nn.Conv2d)]
    norms = [module for module in modules if isinstance(module, nn.BatchNorm2d)]
    pairs = [module for pair in zip(convs, norms, strict=True) for module in pair]
    return [*pairs, next(module for module in modules if isinstance(module, nn.Linear))]


def check(contenders: dict[str, nn.Module], frames: torch.Tensor, labels: torch.Tensor) -> None:
    """Check that all give the same loss and gradients; the stepped network only where its norms are not in training.

    In float64, since in float32 sums that differ in the last bit move a spike here and there.
    """
    for training in (False, True):
        first_results = None
        for name, network in contenders.items():
            if training and name == STEPPED:
                continue
            copied = copy.deepcopy(network).double().train(training)
            loss = cross_entropy(copied(frames.double()), labels)
            loss.backward()
            results = [loss.detach(), *(module.weight.grad for module in _layers(copied))]
            first_results = first_results or results
            for expected, result in zip(first_results, results, strict=True):
                torch.testing.assert_close(result, expected, rtol=1e-6, atol=1e-9, msg=f"{name} differs")
        assert first_results is not None
        assert all(bool(result.abs().max() > 0) for result in first_results), "a gradient is zero"


def training_step(rounds: int) -> list[Claim]:
    """Forward, backward and Adam of one batch."""
    contenders = networks()
    generator = torch.Generator().manual_seed(1)
    frames = torch.poisson(torch.full((T, N, 2, SIDE, SIDE), 0.3), generator=generator)
    labels = torch.randint(CLASSES, (N,), generator=generator)
    check(contenders, frames[:, :2], labels[:2])

    def step(network: nn.Module) -> Callable[[], None]:
        network.train()
        optimiser = torch.optim.Adam(network.parameters(), 1e-3)

        def take_step() -> None:
            optimiser.zero_grad()
            cross_entropy(network(frames), labels).backward()
            optimiser.step()

        return take_step

    what = f"training step, {STAGES}x [conv {WIDTH} + BN + LIF + pool], {SIDE}x{SIDE}, T {T}, batch {N}"
    calls = {name: step(network) for name, network in contenders.items()}
    return compare(what, calls, {STEPPED: 3, JELLY: 2.5}, rounds=rounds, items=N, unit="samples/s")


def frames_from_events(rounds: int, device: torch.device) -> list[Claim]:
    """One batch of 16 samples of 100,000 events, 128x128, T 20: float32 frames on the device. Required on a GPU only."""
    recordings = [random_events(100_000, 128, 128, duration_us=2_500_000, seed=seed) for seed in range(16)]
    columns = [PackedEvents.of(events) for events in recordings]
    store: Any = SimpleNamespace(
        ids=[str(k) for k in range(16)],
        labels=np.zeros(16, np.int32),
        classes=["a"],
        sensor=(128, 128),
        columns=columns.__getitem__,
    )
    representation = Frames(bins=20)
    split, batch = ResidentEvents(store, np.arange(16), representation, device), EventBatch.of(recordings)
    rows = torch.arange(16)

    def ours() -> torch.Tensor:
        frames = next(split._gather(rows, 16))  # noqa: SLF001  # the binning alone, without making a batch of it
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return frames

    def numba() -> torch.Tensor:
        frames = torch.from_numpy(representation.apply_batch(batch)[0]).to(device).float()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return frames

    assert torch.equal(ours(), numba())
    on_cpu = "Numba on the CPU, one batch" + (", and a copy" if device.type == "cuda" else "")
    calls: dict[str, Callable[[], Any]] = {"resident events": ours, on_cpu: numba}
    required = {on_cpu: 20.0} if device.type == "cuda" else {}
    items = 16 * 100_000
    what = f"frames from resident events on {device.type}, 16 x 100,000 events, 128x128, T 20"
    return compare(what, calls, required, rounds=rounds, items=items)


def run(rounds: int = 9) -> list[Claim]:
    """Time every row on training on the CPU; those on a GPU are in training_gpu.py."""
    print(f"freed memory is kept in the process for all: {keep_heap()}; {torch.get_num_threads()} threads\n")
    claims = training_step(rounds)
    return claims + frames_from_events(rounds, torch.device("cpu"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print(f"{machine('torch', 'norse', 'spikingjelly')}\n")
    summary(run(options.rounds))
