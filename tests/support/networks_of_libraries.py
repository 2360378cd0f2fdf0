"""Networks of Norse, snnTorch, SpikingJelly and this package as people bring them; see `networks_of_torch`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from eventbench.layers import LI, LIF, PFA, TCJA, RecurrentLIF
from tests.support.networks_of_torch import Brought, F
from tests.support.small_nets import Through


def over_steps(neuron: Any, *, inputs: int = F, width: int = 8, first: nn.Module | None = None) -> nn.Module:
    """A linear layer, a neuron that is called step by step with its state, and a readout of its spikes' mean."""

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        state, spikes = None, []
        for step in x.flatten(2):
            current = step if m.first is None else m.first(step)
            out, state = m.neuron(current, state)
            spikes.append(out)
        scores: torch.Tensor = m.head(torch.stack(spikes).mean(0))
        return scores

    model = Through(forward, neuron=neuron, head=nn.Linear(width, 3))
    if first is not None:
        first.weight.data *= 40  # type: ignore[assignment, operator, union-attr]  # Norse's neurons take a millisecond a step
    model.first = first  # type: ignore[assignment]
    return model


def whole(neuron: nn.Module, width: int = 8, inputs: int = F) -> nn.Module:
    """As `over_steps`, with a neuron of all steps at once."""

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        out = m.neuron(m.first(x.flatten(2)))
        scores: torch.Tensor = m.head((out[0] if isinstance(out, tuple) else out).mean(0))
        return scores

    return Through(forward, first=nn.Linear(inputs, width), neuron=neuron, head=nn.Linear(width, 3))


def own() -> dict[str, Callable[[], Brought]]:
    from norse.torch import SequentialState

    def in_a_sequence_of_norse() -> nn.Module:
        layers = SequentialState(nn.Flatten(2), nn.Linear(F, 8), LIF(), nn.Linear(8, 3), LI())
        return Through(lambda m, x: m.layers(x)[0].mean(0), layers=layers)

    def attended(attention: nn.Module) -> nn.Module:
        return Through(
            lambda m, x: m.head(m.attend(m.lif(m.conv(x.flatten(0, 1)).unflatten(0, x.shape[:2]))).mean(0).flatten(1)),
            conv=nn.Conv2d(2, 4, 3, padding=1), lif=LIF(), attend=attention, head=nn.Linear(256, 3),
        )  # fmt: skip

    def with_state() -> nn.Module:
        return Through(
            lambda m, x: m.head(m.lif(m.first(x.flatten(2)), None)[0].mean(0)),
            first=nn.Linear(F, 8), lif=LIF(), head=nn.Linear(8, 3),
        )  # fmt: skip

    return {
        "LIF": lambda: (whole(LIF()), {}),
        "LIF with its state": lambda: (with_state(), {}),
        "LIF in SequentialState": lambda: (in_a_sequence_of_norse(), {}),
        "PLIF": lambda: (whole(LIF(learn_tau=True, channels=8)), {}),
        "LI with a learned tau": lambda: (whole(LI(learn_tau=True)), {}),
        "RecurrentLIF": lambda: (whole(RecurrentLIF(8)), {}),
        "TCJA": lambda: (attended(TCJA(4, 4)), {}),
        "PFA": lambda: (attended(PFA(4, 4, 2)), {}),
    }


def norse() -> dict[str, Callable[[], Brought]]:
    import norse.torch as nt
    from norse.torch.module.leaky_integrator import LILinearCell

    class LearnedLIF(nt.LIFCell):  # type: ignore[misc]
        def __init__(self) -> None:
            threshold = nn.Parameter(torch.full((8,), 0.5))
            super().__init__(nt.LIFParameters(v_th=threshold))
            self.threshold = threshold

    return {
        "LIFCell": lambda: (over_steps(nt.LIFCell(), first=nn.Linear(F, 8)), {}),
        "LIF": lambda: (whole(nt.LIF()), {}),
        "LIFBoxCell": lambda: (over_steps(nt.LIFBoxCell(), first=nn.Linear(F, 8)), {}),
        "IAFCell": lambda: (over_steps(nt.IAFCell(), first=nn.Linear(F, 8)), {}),
        "LIFRecurrentCell": lambda: (over_steps(nt.LIFRecurrentCell(F, 8)), {}),
        "LIFRecurrent": lambda: (whole(nt.LIFRecurrent(8, 8)), {}),
        "LSNNRecurrentCell": lambda: (over_steps(nt.LSNNRecurrentCell(F, 8)), {}),
        "LIFAdExRecurrentCell": lambda: (over_steps(nt.LIFAdExRecurrentCell(F, 8)), {}),
        "LILinearCell": lambda: (over_steps(LILinearCell(F, 8)), {}),
        "LIFCell with learned thresholds": lambda: (over_steps(LearnedLIF(), first=nn.Linear(F, 8)), {}),
    }


def snntorch() -> dict[str, Callable[[], Brought]]:
    import snntorch as snn

    def loop(neuron: nn.Module) -> nn.Module:
        """As its tutorials do: states are made before the loop, and the neuron returns (spikes, *states)."""

        def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
            kept, spikes = m.neuron.reset_mem(), []
            kept = kept if isinstance(kept, tuple) else (kept,)
            for step in x.flatten(2):
                returned = m.neuron(m.first(step), *kept)
                kept = returned[-len(kept) :]
                spikes.append(returned[0])
            scores: torch.Tensor = m.head(torch.stack(spikes).mean(0))
            return scores

        return Through(forward, first=nn.Linear(F, 8), neuron=neuron, head=nn.Linear(8, 3))

    def hidden() -> nn.Module:
        def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
            m.neuron.reset_hidden()
            scores: torch.Tensor = m.head(
                torch.stack([m.neuron(m.first(step)) for step in x.flatten(2)]).mean(0)
            )
            return scores

        neuron = snn.Leaky(beta=0.9, init_hidden=True)
        return Through(forward, first=nn.Linear(F, 8), neuron=neuron, head=nn.Linear(8, 3))

    return {
        "Leaky": lambda: (loop(snn.Leaky(beta=0.9)), {}),
        "Leaky with a learned beta": lambda: (
            loop(snn.Leaky(beta=0.9, learn_beta=True, learn_threshold=True)),
            {},
        ),
        "Leaky with a beta a neuron": lambda: (loop(snn.Leaky(beta=torch.rand(8), learn_beta=True)), {}),
        "Leaky that keeps its state": lambda: (hidden(), {}),
        "Synaptic": lambda: (loop(snn.Synaptic(alpha=0.8, beta=0.9)), {}),
        "Lapicque": lambda: (loop(snn.Lapicque(beta=0.9)), {}),
        "RLeaky": lambda: (loop(snn.RLeaky(beta=0.9, linear_features=8)), {}),
        "RLeaky one to one": lambda: (loop(snn.RLeaky(beta=0.9, all_to_all=False, V=torch.rand(8))), {}),
        "RSynaptic": lambda: (loop(snn.RSynaptic(alpha=0.8, beta=0.9, linear_features=8)), {}),
        "SLSTM": lambda: (loop(snn.SLSTM(8, 8)), {}),
    }


def spikingjelly() -> dict[str, Callable[[], Brought]]:
    from spikingjelly.activation_based import functional, layer, neuron

    def convolutional(kind: Any, mode: str) -> nn.Module:
        layers = nn.Sequential(
            layer.Conv2d(2, 4, 3, padding=1, bias=False), layer.BatchNorm2d(4), kind, layer.MaxPool2d(2),
            layer.Flatten(), layer.Linear(64, 3),
        )  # fmt: skip
        functional.set_step_mode(layers, mode)

        def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
            functional.reset_net(m)
            if mode == "m":
                scores: torch.Tensor = m.layers(x).mean(0)
                return scores
            return torch.stack([m.layers(step) for step in x]).mean(0)

        return Through(forward, layers=layers)

    def contained() -> nn.Module:
        layers = nn.Sequential(
            layer.SeqToANNContainer(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4)), neuron.IFNode(step_mode="m"),
            layer.SeqToANNContainer(nn.Flatten(), nn.Linear(144, 3)),
        )  # fmt: skip

        def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
            functional.reset_net(m)
            scores: torch.Tensor = m.layers(x).mean(0)
            return scores

        return Through(forward, layers=layers)

    over_time = {"synaptic_operations": "'layers.2' runs "}
    return {
        "LIFNode, all steps": lambda: (convolutional(neuron.LIFNode(), "m"), {}),
        "LIFNode, step by step": lambda: (convolutional(neuron.LIFNode(), "s"), {}),
        "IFNode in containers": lambda: (contained(), {}),
        "ParametricLIFNode": lambda: (convolutional(neuron.ParametricLIFNode(), "m"), {}),
        "EIFNode": lambda: (convolutional(neuron.EIFNode(), "m"), {}),
        "IzhikevichNode": lambda: (convolutional(neuron.IzhikevichNode(), "m"), {}),
        "PSN": lambda: (convolutional(neuron.PSN(T=4), "m"), over_time),
    }


LIBRARIES = {"eventbench": own, "norse": norse, "snntorch": snntorch, "spikingjelly": spikingjelly}
