"""Connection sparsity: share of zeros among the weights of a model's layers.

After NeuroBench (Yik et al., arXiv 2304.04640), and equal to its version 2.3 on its layers: Linear and convolutions, without
their biases; RNN, GRU and LSTM, sequences and cells, with their biases, which NeuroBench counts there. Differs in that

* transposed convolutions, multi-head attention and the recurrent layers of Norse are counted;
* a layer, or a weight, that stands in two places is counted once, as `parameters` counts it;
* weights that a parametrization makes (weight norm) are counted as they multiply; NeuroBench leaves such layers out;
* nothing is rounded to four places, and a model without weights has no such figure, where NeuroBench divides by zero.

What else a module holds and multiplies itself is no connection of a layer: `parameters` counts it, this does not.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from eventbench.errors import EventbenchError
from eventbench.metrics._counters.connections import CONNECTIONS
from eventbench.metrics._libraries import library_of
from eventbench.metrics._watch import module_label
from eventbench.metrics.base import Figure, ModelMetric


class ConnectionSparsity(ModelMetric):
    """`connection_sparsity`: zeros over weights. Empty for a model without weights; not counted for a scripted one."""

    _model: nn.Module | None = None

    def start(self, model: nn.Module, device: torch.device) -> None:  # noqa: ARG002  # nothing is computed on data
        """Count the zeros."""
        self._model = model
        self._zeros = self._weights = 0
        seen: set[int] = set()
        for name, module in model.named_modules():
            if isinstance(module, torch.jit.ScriptModule) and any(True for _ in module.parameters()):
                self.give_up(f"{module_label(name)} is scripted, so its layers cannot be told apart")
            for weight in _weights_of(module):
                if not (isinstance(weight, nn.Parameter) and id(weight) in seen):
                    self._zeros += int((weight == 0).sum())
                    self._weights += weight.numel()
                if isinstance(weight, nn.Parameter):
                    seen.add(id(weight))

    def value(self) -> dict[str, Figure]:
        """The share."""
        if self._model is None:
            raise EventbenchError("no model was scored", where="connection_sparsity")
        if not self._weights:
            return {}
        return {"": Figure(self._zeros / self._weights, better="higher")}


def _weights_of(module: nn.Module) -> Iterator[torch.Tensor]:
    """The weights of one layer, without those of layers inside it."""
    if isinstance(module, nn.RNNBase):
        for weights in module.all_weights:
            yield from weights
        return
    names: tuple[str, ...] = ()
    if isinstance(module, CONNECTIONS):
        names = ("weight",)
    elif isinstance(module, nn.RNNCellBase):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    elif isinstance(module, nn.MultiheadAttention):  # its last projection is a layer inside it
        names = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")
    elif library_of(module) is not None:  # Norse's
        names = ("input_weights", "recurrent_weights")
    for name in names:
        weight = getattr(module, name, None)
        if isinstance(weight, torch.Tensor):
            yield weight
