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

    Counted after the last batch, so that lazily made layers exist.
    """

    _model: nn.Module | None = None

    def start(self, model: nn.Module, device: torch.device) -> None:  # noqa: ARG002  # nothing is computed
        """Remember the model; it is counted in `value`, after it has seen data."""
        self._model = model

    def value(self) -> dict[str, Figure]:
        """The three counts."""
        if self._model is None:
            raise EventbenchError("no model was scored", where="parameters")
        parameters = list(self._model.parameters())
        tensors = [*parameters, *self._model.buffers()]
        return {
            "": Figure(float(sum(p.numel() for p in parameters)), better="lower"),
            "trainable": Figure(float(sum(p.numel() for p in parameters if p.requires_grad))),
            "bytes": Figure(float(sum(t.numel() * t.element_size() for t in tensors)), "B", "lower"),
        }
