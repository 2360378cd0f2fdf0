"""Peak memory: the most tensor memory that is in use while one sample is scored.

Measured at PyTorch's own allocator, so it does not depend on the operating system, other processes or what the process
did before: on CUDA from the allocator's statistics, on the CPU from the allocation events of PyTorch's profiler (the
resident set size would include the interpreter and free pages of the allocator).
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
    """`peak_memory`: the most MiB of tensor memory during one forward of one sample, without gradients.

    The sum of parameters and buffers, the sample's frames, and the most that the forward had allocated at one time, the
    scores included. One warm-up forward comes first, so what a model or library sets up once is not included. Memory that
    does not come from PyTorch's allocator (NumPy arrays, a library's private scratch space) is not included either. CUDA
    rounds each tensor up to 512 bytes and counts workspaces of cuDNN, so compare figures of one kind of device only.

    `probe` raises EventbenchError on a device that is neither the CPU nor CUDA.
    """

    _bytes: int | None = None

    def probe(self, model: nn.Module, frames: torch.Tensor) -> None:
        """Run one sample; other metrics have removed their hooks, which may hold tensors."""
        if frames.device.type not in ("cpu", "cuda"):
            raise EventbenchError(
                f"the device is {frames.device}", where="peak_memory", allowed="cpu or cuda"
            )
        sample = frames[:, :1].contiguous()
        peak_of_forward = _peak_on_cuda if frames.device.type == "cuda" else _peak_on_cpu
        with torch.no_grad():
            model(sample)
            tensors = [*model.parameters(), *model.buffers(), sample]
            self._bytes = sum(t.numel() * t.element_size() for t in tensors) + peak_of_forward(model, sample)

    def value(self) -> dict[str, Figure]:
        """The peak."""
        if self._bytes is None:
            raise EventbenchError(
                "no forward was measured", where="peak_memory", fix="call probe before value"
            )
        return {"": Figure(self._bytes / MIB, "MiB", "lower")}


def _peak_on_cuda(model: nn.Module, sample: torch.Tensor) -> int:
    """The most bytes that a forward has allocated at one time, on top of those before it."""
    device = sample.device
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    model(sample)
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before


def _peak_on_cpu(model: nn.Module, sample: torch.Tensor) -> int:
    """The most bytes that a forward has allocated at one time, from the profiler's events."""
    # Below this level, which is read once, the profiler's tracing library prints to stderr.
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")
    with profile(profile_memory=True) as profiler:
        torch.empty(1)  # one sure event: without any, the profiler records no allocations
        model(sample)
    events = [e for e in profiler.kineto_results.events() if e.name() == "[memory]"]
    if not events:
        raise EventbenchError(
            f"the profiler of torch {torch.__version__} records no allocations", where="peak_memory"
        )
    allocated = peak = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        allocated += event.nbytes()
        peak = max(peak, allocated)
    return peak
