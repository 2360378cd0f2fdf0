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

from eventbench.errors import NotCounted
from eventbench.metrics._libraries import fires
from eventbench.metrics._outputs import OutputMetric
from eventbench.metrics.base import Figure

ACTIVATIONS = (nn.ReLU, nn.Sigmoid)


class ActivationSparsity(OutputMetric):
    """`activation_sparsity`: zeros in the outputs of all activations, divided by the elements of these outputs.

    An activation inside another one is part of it. For a model without activations `value` is empty.
    """

    layer_word = "activation"

    def layers_of(self, model: nn.Module) -> dict[str, nn.Module]:
        """Every activation that is not inside another one."""
        layers: dict[str, nn.Module] = {}
        for name, module in model.named_modules():
            inside = any(name.startswith(f"{layer}.") for layer in layers)
            if not inside and (fires(module) or isinstance(module, ACTIVATIONS)):
                layers[name] = module
        return layers

    def counts_of(self, output: torch.Tensor) -> torch.Tensor:
        """Zeros."""
        return (output == 0).sum()[None]

    def value(self) -> dict[str, Figure]:
        """The share; empty without activations."""
        if not self.any_layer("activation_sparsity"):
            return {}
        if not self.elements:
            raise NotCounted("no data went through any activation")
        zeros = sum(int(count) for count in self.counts.values())
        return {"": Figure(zeros / self.elements, better="higher")}
