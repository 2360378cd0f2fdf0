"""The training step as a CUDA graph: refused off CUDA; on it the same training, step for step, as without."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from eventbench.errors import BadSpec, EventbenchError
from eventbench.loading.resident_frames import ResidentFrames
from eventbench.loading.streamed import StreamedLoader
from eventbench.training.cuda_graph import EAGER, GraphedStep
from eventbench.training.loop import Recipe, fit
from eventbench.training.step import seed_everything


def test_off_cuda_it_is_refused_by_name() -> None:
    optimiser = torch.optim.Adam([torch.nn.Parameter(torch.zeros(()))])
    with pytest.raises(BadSpec, match=r"^recipe: graph is true on cpu; allowed: graph = true on CUDA only$"):
        GraphedStep(lambda frames, labels: frames, optimiser, torch.device("cpu"))


class Net(torch.nn.Module):
    """Small, with the parts that a graph must get right: batch statistics, dropout, and a state over time."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.conv, self.norm = torch.nn.Conv2d(2, 4, 3, padding=1), torch.nn.BatchNorm2d(4)
        self.dropout, self.readout = torch.nn.Dropout(dropout), torch.nn.Linear(4 * 36, 3)

    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.conv(frames.flatten(0, 1))).unflatten(0, frames.shape[:2]).flatten(2)
        v, steps = torch.zeros_like(x[0]), []
        for current in x.unbind(0):
            v = 0.5 * v + current
            steps.append(self.readout(self.dropout(torch.tanh(v))))
        return torch.stack(steps)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return self.scores_per_step(frames).mean(0)


def store(n: int) -> Any:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, n).astype(np.int32)
    frames = rng.integers(0, 3, (n, 4, 2, 6, 6)).astype(np.uint8)
    frames[np.arange(n), :, :, labels] += 3

    def gather(rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        if out is None:
            return frames[rows]
        out[...] = frames[rows]
        return out

    names = [f"s{k}" for k in range(n)]
    return SimpleNamespace(
        ids=names,
        labels=labels,
        classes=["a", "b", "c"],
        gather=gather,
        shape=frames.shape[1:],
        dtype=frames.dtype,
    )


def trained(graph: bool, streamed: bool = False, dropout: float = 0.0, **more: Any) -> Any:
    """The log and the weights after a few epochs whose last batch is smaller than the others."""
    device, data = torch.device("cuda"), store(45)
    generator, net = seed_everything(0, device), Net(dropout).to(device)
    kind = StreamedLoader if streamed else ResidentFrames
    train, validation = kind(data, np.arange(35), device), kind(data, np.arange(35, 45), device)
    recipe = Recipe(epochs=4, batch_size=8, graph=graph, **more)
    return fit(net, train, validation, recipe, generator), net.state_dict()


@pytest.mark.gpu
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"optimizer": "adam", "schedule": "step", "step_size": 1, "loss": "tet"},
        {"augment": [{"name": "event_mix", "probability": 1.0}]},
    ],
    ids=str,
)
def test_a_graph_trains_as_the_steps_it_replays(more: dict[str, Any], streamed: bool) -> None:
    """5 steps an epoch, the last of 3 samples: eager steps, the capture, replays and odd batches take turns."""
    eager, graphed = trained(False, streamed, **more), trained(True, streamed, **more)
    assert len(eager[0]) == len(graphed[0])
    for one, two in zip(eager[0], graphed[0], strict=True):
        assert two == pytest.approx(one, rel=1e-3, abs=1e-4)
    for name, value in eager[1].items():
        torch.testing.assert_close(graphed[1][name], value, rtol=1e-3, atol=1e-4)


@pytest.mark.gpu
def test_a_graph_draws_its_dropout_anew_at_every_replay_and_trains_in_bfloat16() -> None:
    log, _ = trained(True, dropout=0.5, amp=True, amp_dtype="bfloat16")
    assert log[-1].train_loss < log[0].train_loss


@pytest.mark.gpu
def test_every_call_is_one_step_and_odd_batches_are_steps_too() -> None:
    device = torch.device("cuda")
    weight = torch.nn.Parameter(torch.zeros((), device=device))
    optimiser = torch.optim.Adam([weight], torch.tensor(0.0, device=device), capturable=True)
    count = torch.zeros((), device=device)

    def step(frames: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        optimiser.zero_grad()
        (weight * frames.sum()).backward()
        optimiser.step()
        count.add_(1)
        return torch.stack([frames.sum(), labels.sum()])

    graphed = GraphedStep(step, optimiser, device)
    for k in range(3 * EAGER):
        size = 2 if k % 4 == 3 else 5
        told = graphed(
            torch.full((size,), float(k), device=device), torch.full((size,), float(k), device=device)
        )
        assert told.tolist() == [size * k, size * k]
        assert int(count) == k + 1
    assert graphed._graph is not None


@pytest.mark.gpu
def test_a_step_that_waits_for_the_device_is_refused() -> None:
    device = torch.device("cuda")
    optimiser = torch.optim.Adam([torch.nn.Parameter(torch.zeros((), device=device))])
    graphed = GraphedStep(lambda frames, labels: frames * float(frames.sum()), optimiser, device)
    x = torch.ones(3, device=device)
    for _ in range(EAGER):
        graphed(x, x)
    with pytest.raises(EventbenchError, match=r"^graph: the training step cannot be captured: "):
        graphed(x, x)
