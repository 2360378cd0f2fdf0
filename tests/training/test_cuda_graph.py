"""The training step as a CUDA graph: refused off CUDA; the same training, step for step, as without.

What `GraphedStep` does itself (which calls run eagerly, what is captured, where batches are copied) is tried everywhere,
with CUDA's calls replaced by `FakeCuda`; tests marked `gpu` try it with a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from eventbench.errors import BadSpec, EventbenchError
from eventbench.loading.resident_frames import ResidentFrames
from eventbench.loading.streamed import StreamedLoader
from eventbench.training.cuda_graph import EAGER_STEPS, GraphedStep
from eventbench.training.loop import fit
from eventbench.training.recipe import Recipe
from eventbench.training.step import seed_everything

CPU = torch.device("cpu")


def test_off_cuda_it_is_refused_by_name() -> None:
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(()))])
    with pytest.raises(BadSpec, match=r"^recipe: graph is true on cpu; allowed: graph = true on CUDA only$"):
        GraphedStep(lambda frames, labels: frames, optimizer, torch.device("cpu"))


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


StepFunction = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Training:
    """A network with its optimizer and a step, which counts the samples it has taken."""

    def __init__(self, device: torch.device, dropout: float = 0.0) -> None:
        torch.manual_seed(0)
        self.net = Net(dropout).to(device).train()
        self.optimizer = torch.optim.SGD(self.net.parameters(), 0.02, momentum=0.9)

    def step(self, frames: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        loss = torch.nn.functional.cross_entropy(self.net(frames), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return torch.stack([loss.detach().double(), labels.sum().double()])


class FakeCuda:
    """What CUDA does for a `GraphedStep`, done on the CPU: capturing runs nothing, replaying repeats what was captured.

    A replay reads the tensors that the captured step was given and writes into the one that it returned, as a graph does.
    """

    def __init__(self, training: Training) -> None:
        self.training, self.calls = training, list[str]()

    def step(self, frames: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        returned = self.training.step(frames, labels)
        self.calls.append("eager")
        self._last = frames, labels, returned
        return returned

    @contextmanager
    def capture(self, graph: Any, **_: Any) -> Iterator[None]:
        net, optimizer = self.training.net, self.training.optimizer
        weights, state = deepcopy((net.state_dict(), optimizer.state_dict()))
        drawn = torch.get_rng_state()
        assert all(parameter.grad is None for parameter in net.parameters())
        yield
        net.load_state_dict(weights)
        optimizer.load_state_dict(state)
        torch.set_rng_state(drawn)
        self.calls[-1], self.memory = "capture", self._last
        self.memory[2].fill_(-1)

    def replay(self) -> None:
        frames, labels, returned = self.memory
        returned.copy_(self.training.step(frames, labels))
        self.calls.append("replay")

    def install(self, patch: pytest.MonkeyPatch) -> None:
        stream = SimpleNamespace(device="cuda", wait_stream=lambda other: None)
        patch.setattr(torch.cuda, "Stream", lambda device: stream)
        patch.setattr(torch.cuda, "current_stream", lambda device: stream)
        patch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
        patch.setattr(torch.cuda, "CUDAGraph", lambda: SimpleNamespace(replay=self.replay))
        patch.setattr(torch.cuda, "graph", self.capture)


def take_steps(step: StepFunction, device: torch.device, batches: int = 14) -> list[list[float]]:
    """What the step returns for batches of 5 samples, each fourth of 2, none like another."""
    generator = torch.Generator().manual_seed(1)
    returned = []
    for k in range(batches):
        size = 2 if k % 4 == 3 else 5
        frames = torch.rand(4, size, 2, 6, 6, generator=generator).to(device)
        labels = torch.randint(3, (size,), generator=generator).to(device)
        returned.append(step(frames, labels).tolist())
    return returned


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_each_call_is_one_step_of_the_same_training_replayed_or_not(
    monkeypatch: pytest.MonkeyPatch, dropout: float
) -> None:
    eager = Training(CPU, dropout)
    expected = take_steps(eager.step, CPU)
    training = Training(CPU, dropout)
    fake = FakeCuda(training)
    fake.install(monkeypatch)
    graphed = GraphedStep(fake.step, training.optimizer, torch.device("cuda"))
    assert take_steps(graphed, CPU) == expected
    for name, value in eager.net.state_dict().items():
        assert torch.equal(training.net.state_dict()[name], value), name
    odd, whole = ["eager"], ["replay"] * 3
    assert fake.calls == ["eager"] * EAGER_STEPS + odd + ["capture"] + whole + odd + whole + odd + whole[:2]


def test_batches_are_copied_into_the_memory_of_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training(CPU)
    fake = FakeCuda(training)
    fake.install(monkeypatch)
    graphed = GraphedStep(fake.step, training.optimizer, torch.device("cuda"))
    frames, labels = torch.rand(4, 5, 2, 6, 6), torch.arange(5) % 3
    for _ in range(EAGER_STEPS):
        graphed(frames, labels)
    returned = graphed(frames, labels)
    captured = fake.memory
    assert captured[0] is not frames  # a loader may use its memory again
    assert torch.equal(captured[0], frames)
    assert graphed(frames + 1, labels) is returned  # overwritten by the next call
    assert torch.equal(captured[0], frames + 1)


def test_what_breaks_the_capture_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training(CPU)
    fake = FakeCuda(training)
    fake.install(monkeypatch)

    @contextmanager
    def refuse(graph: Any, **_: Any) -> Iterator[None]:
        raise RuntimeError("operation not permitted when stream is capturing\nsecond line")
        yield

    monkeypatch.setattr(torch.cuda, "graph", refuse)
    graphed = GraphedStep(fake.step, training.optimizer, torch.device("cuda"))
    frames, labels = torch.rand(4, 5, 2, 6, 6), torch.arange(5) % 3
    for _ in range(EAGER_STEPS):
        graphed(frames, labels)
    with pytest.raises(
        EventbenchError, match=r"captured: operation not permitted when stream is capturing; avoid"
    ):
        graphed(frames, labels)


@pytest.mark.gpu
def test_on_the_gpu_the_weights_are_those_of_the_same_steps_without_a_graph() -> None:
    device = torch.device("cuda")
    seed_everything(0, device)
    eager, graphed = Training(device), Training(device)
    expected = take_steps(eager.step, device)
    step = GraphedStep(graphed.step, graphed.optimizer, device)
    assert take_steps(step, device) == [pytest.approx(figures, rel=1e-5) for figures in expected]
    assert step._graph is not None
    for name, value in eager.net.state_dict().items():
        torch.testing.assert_close(graphed.net.state_dict()[name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.gpu
def test_on_the_gpu_every_replay_draws_another_dropout() -> None:
    device = torch.device("cuda")
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros((), device=device))])
    step = GraphedStep(lambda frames, labels: torch.dropout(frames, 0.5, True), optimizer, device)
    ones = torch.ones(1000, device=device)
    masks = [step(ones, ones).tolist() for _ in range(EAGER_STEPS + 5)]
    assert step._graph is not None
    assert all(set(mask) == {0.0, 2.0} for mask in masks)
    assert len({tuple(mask) for mask in masks}) == len(masks)


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
def test_a_graph_trains_with_dropout_in_bfloat16() -> None:
    log, weights = trained(True, dropout=0.5, amp=True, amp_dtype="bfloat16")
    assert log[-1].train_loss < log[0].train_loss
    assert {value.dtype for value in weights.values()} == {torch.float32, torch.int64}
    assert all(value.isfinite().all() for value in weights.values())


@pytest.mark.gpu
def test_every_call_is_one_step_and_odd_batches_are_steps_too() -> None:
    device = torch.device("cuda")
    weight = torch.nn.Parameter(torch.zeros((), device=device))
    optimizer = torch.optim.Adam([weight], torch.tensor(0.0, device=device), capturable=True)
    count = torch.zeros((), device=device)

    def step(frames: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad()
        (weight * frames.sum()).backward()
        optimizer.step()
        count.add_(1)
        return torch.stack([frames.sum(), labels.sum()])

    graphed = GraphedStep(step, optimizer, device)
    for k in range(3 * EAGER_STEPS):
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
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros((), device=device))])
    graphed = GraphedStep(lambda frames, labels: frames * float(frames.sum()), optimizer, device)
    x = torch.ones(3, device=device)
    for _ in range(EAGER_STEPS):
        graphed(x, x)
    with pytest.raises(EventbenchError, match=r"^graph: the training step cannot be captured: "):
        graphed(x, x)
