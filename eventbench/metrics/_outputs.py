"""What metrics of layers' outputs have in common: their elements, and some of them, are counted while a model runs."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import nn

from eventbench.errors import EventbenchError, NotCounted
from eventbench.metrics._counters.base import Call
from eventbench.metrics._spikes import first_tensor, give_up_on_undeclared_spikes
from eventbench.metrics._watch import Watch, module_label
from eventbench.metrics.base import ModelMetric


class OutputMetric(ModelMetric):
    """A figure of what some layers give out, and not counted where another module fires and does not say so."""

    layer_word: ClassVar[str]
    """What one of the layers is called."""
    output_word: ClassVar[str] = "a tensor"
    """What one is to return."""

    counted: ClassVar[int] = 1
    """How many counts there are of an output."""

    _watch: Watch | None = None

    @abstractmethod
    def layers_of(self, model: nn.Module) -> dict[str, nn.Module]:
        """The layers by name."""

    @abstractmethod
    def counts_of(self, output: torch.Tensor) -> torch.Tensor:
        """int64 (counted,): what is counted in one output of a layer."""

    def start(self, model: nn.Module, device: torch.device) -> None:
        """Hook every layer."""
        self.layers = self.layers_of(model)
        zeros = torch.zeros(self.counted, dtype=torch.int64, device=device)
        self.counts = {name: zeros.clone() for name in self.layers}
        self.elements = 0
        self._outputs: list[tuple[str, torch.Tensor, int]] = []
        self._watch = Watch(model, self.layers, begin=self._begin, after=self._after, give_up=self.give_up)

    def _begin(self) -> None:
        self._outputs = []

    def _after(self, name: str, _layer: nn.Module, call: Call) -> None:
        output = first_tensor(call.output)
        if output is None:
            raise NotCounted(
                f"the {self.layer_word} {module_label(name)} returned {type(call.output).__name__}",
                allowed=f"{self.output_word}, by itself or first",
            )
        self._outputs.append((name, self.counts_of(output), output.numel()))

    def update(self, frames: torch.Tensor) -> None:  # noqa: ARG002  # the hooks have counted the layers' outputs
        """Add the outputs of the last forward to the totals."""
        for name, counts, elements in self._outputs:
            self.counts[name] += counts
            self.elements += elements
        self._outputs = []

    def close(self) -> None:
        """Remove the hooks."""
        if self._watch is not None:
            self._watch.close()

    def probe(self, model: nn.Module, frames: torch.Tensor) -> None:
        """Run the samples once, to find modules that fire and do not say so."""
        give_up_on_undeclared_spikes(model, frames, self.layers, self.give_up)

    def any_layer(self, where: str) -> bool:
        """Whether there is a layer. Raises EventbenchError where no model was scored."""
        if self._watch is None:
            raise EventbenchError("no model was scored", where=where)
        return bool(self.layers)
