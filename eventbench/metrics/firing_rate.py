"""Firing rate: spikes per neuron and time step, over all declared spiking layers.

A spiking layer is a module with the class attribute `spiking = True`; its output is binary. Layers are declared,
never guessed from values. Differs from NeuroBench's activation sparsity, which has a list of classes, also counts ReLU
and sigmoid outputs, and gives 0.0 for a model without any of them.
"""

from __future__ import annotations

import torch
from torch import nn

from eventbench.errors import BadSubmission
from eventbench.metrics._watch import Watch, module_label
from eventbench.metrics.base import Figure, ModelMetric
from eventbench.models.protocols import is_spiking


class FiringRate(ModelMetric):
    """`firing_rate`: ones in the outputs of all spiking layers, divided by the elements of these outputs.

    So each neuron, sample and time step has the same weight, and a large layer more than a small one. For a model that
    declares no spiking layer the figure does not exist, and `value` is empty. `value` raises BadSubmission where a
    declared layer was never called or returned values other than 0 and 1.
    """

    _watch: Watch | None = None

    def start(self, model: nn.Module, device: torch.device) -> None:
        """Hook every spiking layer."""
        self._layers = {name: module for name, module in model.named_modules() if is_spiking(module)}
        # per layer: ones and elements that are neither 0 nor 1
        self._counts = {name: torch.zeros(2, dtype=torch.int64, device=device) for name in self._layers}
        self._elements = dict.fromkeys(self._layers, 0)
        self._outputs: list[tuple[str, torch.Tensor, int]] = []
        self._watch = Watch(model, self._layers, begin=self._begin, after=self._after)

    def _begin(self) -> None:
        self._outputs = []

    def _after(self, name: str, _layer: nn.Module, _x: torch.Tensor, output: object) -> None:
        if not isinstance(output, torch.Tensor):
            raise BadSubmission(
                f"the spiking layer {module_label(name)} returned {type(output).__name__}",
                where="firing_rate",
                allowed="one tensor of spikes",
            )
        ones = output == 1
        counts = torch.stack([ones.sum(), (~(ones | (output == 0))).sum()])
        self._outputs.append((name, counts, output.numel()))

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

    def value(self) -> dict[str, Figure]:
        """The rate; empty without spiking layers."""
        if self._watch is None:
            raise BadSubmission("no model was scored", where="firing_rate")
        if not self._layers:
            return {}
        unused = [name for name, elements in self._elements.items() if elements == 0]
        if unused:
            raise BadSubmission(
                f"no data went through the spiking layer {module_label(unused[0])}",
                where="firing_rate",
                fix="take unused layers out of the model",
            )
        spikes = 0
        for name, counts in self._counts.items():
            ones, not_binary = counts.tolist()
            if not_binary:
                raise BadSubmission(
                    f"{not_binary} outputs of the spiking layer {module_label(name)} are neither 0 nor 1",
                    where="firing_rate",
                    allowed="binary outputs",
                    fix="set `spiking = True` on layers that emit spikes only",
                )
            spikes += ones
        rate = spikes / sum(self._elements.values())
        return {"": Figure(rate, "spikes/neuron/step", "lower")}
