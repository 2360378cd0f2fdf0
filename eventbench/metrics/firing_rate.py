"""Firing rate: spikes per neuron and time step, over all layers of spiking neurons.

Such a layer is a module with the class attribute `spiking = True`, or one of SpikingJelly's, snnTorch's or Norse's neurons;
its output, or the first of what it returns, is binary. Layers are declared, never guessed from values: where a module that
declares nothing turns other values into 0 and 1, as its output or in the midst of its forward, the figure is not counted, and
the reason names it. NeuroBench's figure, which also counts ReLU and sigmoid outputs, is `activation_sparsity`.
"""

from __future__ import annotations

import torch
from torch import nn

from eventbench.errors import EventbenchError, NotCounted
from eventbench.metrics._counters.base import Call
from eventbench.metrics._libraries import fires
from eventbench.metrics._spikes import first_tensor, give_up_on_undeclared_spikes
from eventbench.metrics._watch import Watch, module_label
from eventbench.metrics.base import Figure, ModelMetric


class FiringRate(ModelMetric):
    """`firing_rate`: ones in the outputs of all spiking layers, divided by the elements of these outputs.

    So each neuron, sample and time step has the same weight, and a large layer more than a small one; a layer that is never
    called has no steps. For a model without a spiking layer the figure does not exist, and `value` is empty.
    """

    _watch: Watch | None = None

    def start(self, model: nn.Module, device: torch.device) -> None:
        """Hook every spiking layer."""
        self._layers = {name: module for name, module in model.named_modules() if fires(module)}
        # per layer: ones and elements that are neither 0 nor 1
        self._counts = {name: torch.zeros(2, dtype=torch.int64, device=device) for name in self._layers}
        self._elements = dict.fromkeys(self._layers, 0)
        self._outputs: list[tuple[str, torch.Tensor, int]] = []
        self._watch = Watch(model, self._layers, begin=self._begin, after=self._after, give_up=self.give_up)

    def _begin(self) -> None:
        self._outputs = []

    def _after(self, name: str, _layer: nn.Module, call: Call) -> None:
        spikes = first_tensor(call.output)
        if spikes is None:
            raise NotCounted(
                f"the spiking layer {module_label(name)} returned {type(call.output).__name__}",
                allowed="a tensor of spikes, by itself or first",
            )
        ones = spikes == 1
        counts = torch.stack([ones.sum(), (~(ones | (spikes == 0))).sum()])
        self._outputs.append((name, counts, spikes.numel()))

    def update(self, frames: torch.Tensor) -> None:  # noqa: ARG002  # the hooks have counted the layers' outputs
        """Add the spikes of the last forward to the totals."""
        for name, counts, elements in self._outputs:
            self._counts[name] += counts
            self._elements[name] += elements
        self._outputs = []

    def close(self) -> None:
        """Remove the hooks."""
        if self._watch is not None:
            self._watch.close()

    def probe(self, model: nn.Module, frames: torch.Tensor) -> None:
        """Run the samples once, to find modules that fire and do not say so."""
        give_up_on_undeclared_spikes(model, frames, self._layers, self.give_up)

    def value(self) -> dict[str, Figure]:
        """The rate; empty without spiking layers."""
        if self._watch is None:
            raise EventbenchError("no model was scored", where="firing_rate")
        if not self._layers:
            return {}
        spikes = 0
        for name, counts in self._counts.items():
            ones, not_binary = counts.tolist()
            if not_binary:
                raise NotCounted(
                    f"{not_binary} outputs of the spiking layer {module_label(name)} are neither 0 nor 1",
                    allowed="binary outputs",
                    fix="set `spiking = True` on layers that emit spikes only",
                )
            spikes += ones
        elements = sum(self._elements.values())
        if not elements:
            raise NotCounted("no data went through any spiking layer")
        return {"": Figure(spikes / elements, "spikes/neuron/step", "lower")}
