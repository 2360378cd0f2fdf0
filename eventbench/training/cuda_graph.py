"""`GraphedStep`: a training step as one CUDA graph, captured once and replayed for every batch of the same shape."""

from __future__ import annotations

from collections.abc import Callable

import torch

from eventbench.errors import BadSpec, EventbenchError

Step = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
EAGER = 3  # steps before the capture: kernels are compiled, workspaces taken and the optimizer's state is made in them


class GraphedStep:
    """`step(frames, labels)`, a whole training step with its optimizer, replayed from a CUDA graph.

    Replayed, a step is one launch instead of one for each of its kernels. The first `EAGER` calls and every batch of
    another shape than the first (the last of an epoch) run as they are: each call is one training step, none is thrown
    away. The step must neither wait for the device nor look at its values; its optimizer must be capturable and read its
    rate from a tensor. What a call returns is overwritten by the next one.

    Raises BadSpec off CUDA, and EventbenchError where the step cannot be captured.
    """

    def __init__(self, step: Step, optimizer: torch.optim.Optimizer, device: torch.device) -> None:
        if device.type != "cuda":
            raise BadSpec(f"graph is true on {device}", where="recipe", allowed="graph = true on CUDA only")
        self._step, self._optimizer = step, optimizer
        # Never the default stream, which cannot be captured; always the same one, on which autograd then finds its nodes.
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._graph: torch.cuda.CUDAGraph | None = None
        self._shape: tuple[torch.Size, torch.Size] | None = None
        self._eager_steps = 0

    def __call__(self, frames: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """One training step; what the step returns."""
        shape = frames.shape, labels.shape
        self._shape = self._shape or shape
        if shape != self._shape or self._eager_steps < EAGER:
            self._eager_steps += shape == self._shape
            return self._run_eagerly(frames, labels)
        if self._graph is None:
            self._graph = self._capture(frames, labels)
        else:
            self._frames.copy_(frames)
            self._labels.copy_(labels)
        self._graph.replay()
        return self._returned

    def _run_eagerly(self, frames: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        callers_stream = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(callers_stream)
        with torch.cuda.stream(self._stream):
            returned = self._step(frames, labels)
        callers_stream.wait_stream(self._stream)
        return returned

    def _capture(self, frames: torch.Tensor, labels: torch.Tensor) -> torch.cuda.CUDAGraph:
        """The graph; capturing runs nothing, so weights and statistics are as they were."""
        self._frames, self._labels = frames.clone(), labels.clone()
        # Gradients then lie in the graph's own memory. A later eager step drops them from the parameters, not from there.
        self._optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        try:
            # thread_local: a stream of data may read ahead in its thread meanwhile, which is no part of the step.
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                self._returned = self._step(self._frames, self._labels)
        except RuntimeError as error:
            # Ending a capture that was broken off fails as well: what broke it came before.
            reason = str(error.__context__ or error).partition("\n")[0]
            raise EventbenchError(
                f"the training step cannot be captured: {reason}",
                where="graph",
                fix="let the model not wait for the device (item(), nonzero(), a mask as an index), or set graph = false",
            ) from error
        return graph
