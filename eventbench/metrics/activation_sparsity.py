"""Activation sparsity: share of zeros in what a model's activations give out, over all steps and samples.

After NeuroBench (Yik et al., arXiv 2304.04640), and equal to its version 2.3 where all samples are one batch: activations are
layers of spiking neurons, and the modules `ReLU` and `Sigmoid`. Differs in that

* it is one share of all outputs, whatever the batches; NeuroBench takes a mean over batches;
* which layers fire is declared, as for `firing_rate`: SpikingJelly's and Norse's neurons count too, and where a module fires
  and does not say so the figure is not counted;
* a layer that stands in two places is watched once, where NeuroBench counts each of its calls twice;
* a model without activations has no such figure; NeuroBench says 0.0.

A ReLU that is called as a function, `torch.relu(x)`, is no layer: neither counts it. Of a network whose only activations
are spikes it is 1 - `firing_rate`.
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

ACTIVATIONS = (nn.ReLU, nn.Sigmoid)


class ActivationSparsity(ModelMetric):
    """`activation_sparsity`: zeros in the outputs of all activations, divided by the elements of these outputs.

    An activation inside another one is part of it. For a model without activations `value` is empty.
    """

    _watch: Watch | None = None

    def start(self, model: nn.Module, device: torch.device) -> None:
        """Hook every activation."""
        self._layers: dict[str, nn.Module] = {}
        for name, module in model.named_modules():
            inside = any(name.startswith(f"{layer}.") for layer in self._layers)
            if not inside and (fires(module) or isinstance(module, ACTIVATIONS)):
                self._layers[name] = module
        self._zeros = torch.zeros((), dtype=torch.int64, device=device)
        self._elements = 0
        self._outputs: list[tuple[torch.Tensor, int]] = []
        self._watch = Watch(model, self._layers, begin=self._begin, after=self._after, give_up=self.give_up)

    def _begin(self) -> None:
        self._outputs = []

    def _after(self, name: str, _layer: nn.Module, call: Call) -> None:
        output = first_tensor(call.output)
        if output is None:
            raise NotCounted(
                f"the activation {module_label(name)} returned {type(call.output).__name__}",
                allowed="a tensor, by itself or first",
            )
        self._outputs.append(((output == 0).sum(), output.numel()))

    def update(self, frames: torch.Tensor) -> None:  # noqa: ARG002  # the hooks have counted the layers' outputs
        """Add the outputs of the last forward to the totals."""
        for zeros, elements in self._outputs:
            self._zeros += zeros
            self._elements += elements
        self._outputs = []

    def close(self) -> None:
        """Remove the hooks."""
        if self._watch is not None:
            self._watch.close()

    def probe(self, model: nn.Module, frames: torch.Tensor) -> None:
        """Run the samples once, to find modules that fire and do not say so."""
        give_up_on_undeclared_spikes(model, frames, self._layers, self.give_up)

    def value(self) -> dict[str, Figure]:
        """The share; empty without activations."""
        if self._watch is None:
            raise EventbenchError("no model was scored", where="activation_sparsity")
        if not self._layers:
            return {}
        if not self._elements:
            raise NotCounted("no data went through any activation")
        return {"": Figure(int(self._zeros) / self._elements, better="higher")}
