"""Firing rate: spikes per neuron and time step, over all layers of spiking neurons.

Such a layer is a module with the class attribute `spiking = True`, or one of SpikingJelly's, snnTorch's or Norse's neurons;
its output, or the first of what it returns, is binary. Layers are declared, never guessed from values: where a module that
declares nothing turns other values into 0 and 1, as its output or in the midst of its forward, the figure is not counted, and
the reason names it. NeuroBench's figure, which also counts ReLU and sigmoid outputs, is `activation_sparsity`.
"""

from __future__ import annotations

import torch
from torch import nn

from eventbench.errors import NotCounted
from eventbench.metrics._libraries import fires
from eventbench.metrics._outputs import OutputMetric
from eventbench.metrics._watch import module_label
from eventbench.metrics.base import Figure


class FiringRate(OutputMetric):
    """`firing_rate`: ones in the outputs of all spiking layers, divided by the elements of these outputs.

    So each neuron, sample and time step has the same weight, and a large layer more than a small one; a layer that is never
    called has no steps. For a model without a spiking layer the figure does not exist, and `value` is empty.
    """

    layer_word = "spiking layer"
    output_word = "a tensor of spikes"
    counted = 2

    def layers_of(self, model: nn.Module) -> dict[str, nn.Module]:
        """Every spiking layer."""
        return {name: module for name, module in model.named_modules() if fires(module)}

    def counts_of(self, output: torch.Tensor) -> torch.Tensor:
        """Ones, and elements that are neither 0 nor 1."""
        ones = output == 1
        return torch.stack([ones.sum(), (~(ones | (output == 0))).sum()])

    def value(self) -> dict[str, Figure]:
        """The rate; empty without spiking layers."""
        if not self.any_layer("firing_rate"):
            return {}
        spikes = 0
        for name, counts in self.counts.items():
            ones, not_binary = counts.tolist()
            if not_binary:
                raise NotCounted(
                    f"{not_binary} outputs of the spiking layer {module_label(name)} are neither 0 nor 1",
                    allowed="binary outputs",
                    fix="set `spiking = True` on layers that emit spikes only",
                )
            spikes += ones
        if not self.elements:
            raise NotCounted("no data went through any spiking layer")
        return {"": Figure(spikes / self.elements, "spikes/neuron/step", "lower")}
