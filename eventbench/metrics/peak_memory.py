"""Peak of tensor memory while one sample is scored.

Measured at PyTorch's own allocator, so it does not depend on the operating system, other processes or what the
process did before: on CUDA from the allocator's statistics, on the CPU from the allocation events of
PyTorch's profiler (resident set size would include the interpreter and pages the allocator keeps).
"""

from __future__ import annotations

import os

import torch
from torch import nn
from torch.autograd.profiler import profile

from eventbench.errors import EventbenchError
from eventbench.metrics.base import Figure, ModelMetric

MIB = 2**20


class PeakMemory(ModelMetric):
    """`peak_memory`: MiB of tensor memory at its highest during one forward of one sample, without gradients.

    That is parameters and buffers, the sample's frames, and the most that was allocated at one time on top of
    them in the forward, the scores included. One warm-up forward goes before, so what a model or library sets up
    once is not in it. Memory that does not come from PyTorch's allocator (NumPy arrays, a library's private scratch
    space) is not seen. CUDA rounds each tensor up to 512 bytes and counts workspaces of cuDNN; figures of different
    devices differ by that, so compare on one kind of device.

    `probe` raises EventbenchError on a device that is neither the CPU nor CUDA.
    """

    _bytes: int | None = None

    def probe(self, model: nn.Module, frames: torch.Tensor) -> None:
        """Run one sample, now that no other metric's hooks hold tensors."""
        if frames.device.type not in ("cpu", "cuda"):
            raise EventbenchError(
                f"the device is {frames.device}", where="peak_memory", allowed="cpu or cuda"
            )
        sample = frames[:, :1].contiguous()
        grown = _grown_on_cuda if frames.device.type == "cuda" else _grown_on_cpu
        with torch.no_grad():
            model(sample)
            held = [*model.parameters(), *model.buffers(), sample]
            self._bytes = sum(t.numel() * t.element_size() for t in held) + grown(model, sample)

    def value(self) -> dict[str, Figure]:
        """The peak."""
        if self._bytes is None:
            raise EventbenchError(
                "no forward was measured", where="peak_memory", fix="call probe before value"
            )
        return {"": Figure(self._bytes / MIB, "MiB", "lower")}


def _grown_on_cuda(model: nn.Module, sample: torch.Tensor) -> int:
    device = sample.device
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    model(sample)
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before


def _grown_on_cpu(model: nn.Module, sample: torch.Tensor) -> int:
    # The profiler's tracing library writes lines of its own to stderr below this level, which it reads once.
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")
    with profile(profile_memory=True) as profiler:
        torch.empty(
            1
        )  # so that a forward without allocations can be told from a profiler that is blind to them
        model(sample)
    events = [e for e in profiler.kineto_results.events() if e.name() == "[memory]"]
    if not events:
        raise EventbenchError(
            f"the profiler of torch {torch.__version__} records no allocations", where="peak_memory"
        )
    now = peak = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        now += event.nbytes()
        peak = max(peak, now)
    return peak
