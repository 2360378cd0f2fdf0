"""Latency: wall time of a forward at batch size 1."""

from __future__ import annotations

import statistics
import time

import torch
from torch import nn

from eventbench.errors import EventbenchError
from eventbench.metrics.base import Figure, ModelMetric

WARM_UPS = 3


class Latency(ModelMetric):
    """`latency`: median milliseconds of a forward at batch size 1, over the samples that `probe` is given (20 at most).

    Timed from frames on the device to scores on the device, with the device's queue empty at both ends; reading the
    store, binning and moving data are not included. `WARM_UPS` untimed forwards come first. Compare only figures from
    the same machine with the same number of threads.
    """

    _milliseconds: list[float] | None = None

    def probe(self, model: nn.Module, frames: torch.Tensor) -> None:
        """Time the samples one by one; other metrics have removed their hooks, which would slow the model down."""
        samples = [frames[:, n : n + 1].contiguous() for n in range(frames.shape[1])]
        device = frames.device

        def forward(sample: torch.Tensor) -> float:
            _wait(device)
            start = time.perf_counter()
            model(sample)
            _wait(device)
            return 1e3 * (time.perf_counter() - start)

        with torch.no_grad():
            for _ in range(WARM_UPS):
                forward(samples[0])
            self._milliseconds = [forward(sample) for sample in samples]

    def value(self) -> dict[str, Figure]:
        """The median."""
        if not self._milliseconds:
            raise EventbenchError("no forward was timed", where="latency", fix="call probe before value")
        return {"": Figure(statistics.median(self._milliseconds), "ms", "lower")}


def _wait(device: torch.device) -> None:
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
