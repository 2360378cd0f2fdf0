"""Parameters: their number, and the bytes of parameters and buffers.

`parameters` is NeuroBench's `parameter_count`, `parameters.bytes` its `footprint`. Neither depends on the data.
"""

from __future__ import annotations

import torch
from torch import nn

from eventbench.errors import EventbenchError
from eventbench.metrics.base import Figure, ModelMetric


class Parameters(ModelMetric):
    """`parameters`: elements of every `nn.Parameter`, shared ones once; buffers are not counted.

    `parameters.trainable`: those of them that require a gradient.
    `parameters.bytes`: bytes of the elements of parameters and buffers, in the dtypes they are scored in.

    Buffers are those of the state that a file of weights holds: what a layer keeps from its last forward is none, so that the
    figure does not depend on what has run before.
    """

    _tensors: list[torch.Tensor] | None = None

    def start(self, model: nn.Module, device: torch.device) -> None:  # noqa: ARG002  # nothing is computed
        """Remember what the model holds before it has seen data."""
        self._parameters = list(model.parameters())
        state = model.state_dict(keep_vars=True).values()
        known = {id(parameter) for parameter in self._parameters}
        buffers = {id(tensor): tensor for tensor in state if id(tensor) not in known}
        self._tensors = [*self._parameters, *buffers.values()]

    def value(self) -> dict[str, Figure]:
        """The three counts."""
        if self._tensors is None:
            raise EventbenchError("no model was scored", where="parameters")
        parameters, tensors = self._parameters, self._tensors
        return {
            "": Figure(float(sum(p.numel() for p in parameters)), better="lower"),
            "trainable": Figure(float(sum(p.numel() for p in parameters if p.requires_grad))),
            "bytes": Figure(float(sum(t.numel() * t.element_size() for t in tensors)), "B", "lower"),
        }
