"""`GraphedStep`: a training step as one CUDA graph, captured once and replayed for every batch of the same shape."""

from __future__ import annotations

from collections.abc import Callable

import torch

from eventbench.errors import BadSpec, EventbenchError

Step = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
EAGER_STEPS = 3  # before the capture: they compile kernels and allocate workspaces and the optimizer's state


class GraphedStep:
    """`step(frames, labels)`, a whole training step with its optimizer, replayed from a CUDA graph.

    A replayed step is one launch instead of one for each of its kernels. The first `EAGER_STEPS` calls, and batches of
    another shape than the first one (the last of an epoch), run without the graph; every call is one training step. The
    step must neither wait for the device nor read values from it; its optimizer must be capturable and read its learning
    rate from a tensor. The next call overwrites what a call has returned.

    Raises BadSpec on a device other than CUDA, and EventbenchError if the step cannot be captured.
    """

    def __init__(self, step: Step, optimizer: torch.optim.Optimizer, device: torch.device) -> None:
        require_cuda(device)
        self._step, self._optimizer = step, optimizer
        # Not the default stream, which cannot be captured. Always the same one, since autograd runs a node on its own stream.
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._graph: torch.cuda.CUDAGraph | None = None
        self._shape: tuple[torch.Size, torch.Size] | None = None
        self._eager_steps = 0

    def __call__(self, frames: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Run one training step and return its result."""
        shape = frames.shape, labels.shape
        self._shape = self._shape or shape
        if shape != self._shape or self._eager_steps < EAGER_STEPS:
            self._eager_steps += shape == self._shape
            return self._run_eagerly(frames, labels)
        if self._graph is None:
            self._graph = self._capture(frames, labels)
        else:
            self._frames.copy_(frames)
            self._labels.copy_(labels)
        self._graph.replay()
        return self._result

    def _run_eagerly(self, frames: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        callers_stream = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(callers_stream)
        with torch.cuda.stream(self._stream):
            result = self._step(frames, labels)
        callers_stream.wait_stream(self._stream)
        return result

    def _capture(self, frames: torch.Tensor, labels: torch.Tensor) -> torch.cuda.CUDAGraph:
        """The graph of the step. Capturing does not run it, so weights and statistics do not change."""
        self._frames, self._labels = frames.clone(), labels.clone()
        # Gradients are then allocated in the graph's own memory, where they stay when a later eager step resets them.
        self._optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        try:
            # thread_local: meanwhile the thread of a StreamedLoader may copy batches, which is not part of the step.
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                self._result = self._step(self._frames, self._labels)
        except RuntimeError as error:
            # The end of an interrupted capture fails as well; the cause is the earlier exception.
            reason = str(error.__context__ or error).partition("\n")[0]
            raise EventbenchError(
                f"the training step cannot be captured: {reason}",
                where="graph",
                fix="avoid waiting for the device in the model (item(), nonzero(), a mask as an index), or set graph = false",
            ) from error
        return graph


def require_cuda(device: torch.device) -> None:
    """Raise BadSpec for a recipe with graph = true on a device without CUDA graphs."""
    if device.type != "cuda":
        raise BadSpec(f"graph is true on {device}", where="recipe", allowed="graph = true on CUDA only")
