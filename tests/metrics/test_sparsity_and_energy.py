"""Connection and activation sparsity, and the energy estimate: worked out, and beside NeuroBench's own values."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from eventbench.metrics.activation_sparsity import ActivationSparsity
from eventbench.metrics.base import Figure, Metric, measure
from eventbench.metrics.connection_sparsity import ConnectionSparsity
from eventbench.metrics.energy_estimate import EnergyEstimate
from eventbench.metrics.synaptic_operations import SynapticOperations
from tests.support.measured import figures_or_reason
from tests.support.small_nets import Fire, SmallNet, Through, batched, some_frames, whole

CPU = torch.device("cpu")
MISSING = "needs neurobench: make test installs it"


def run(model: nn.Module, metric: Metric, frames: torch.Tensor | None = None, size: int = 3) -> Any:
    frames = some_frames(3, 7) if frames is None else frames
    labels = torch.zeros(frames.shape[1], dtype=torch.int64)
    return figures_or_reason(measure(model, batched(frames, labels, size), {"m": metric}, CPU))


def first_step(m: Any, frames: torch.Tensor) -> torch.Tensor:
    """A model whose layers are looked at, not run."""
    return frames[0].flatten(1)[:, :3]


def zeros(model: nn.Module) -> float:
    return float(run(Through(first_step, net=model), ConnectionSparsity())["m"].value)


LAYERS: dict[str, Any] = {
    "linear": lambda: nn.Sequential(nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3, bias=False)),
    "convolutions": lambda: nn.Sequential(
        nn.Conv1d(2, 3, 3), nn.Conv2d(4, 6, 3, groups=2), nn.Conv3d(1, 2, 2)
    ),
    "nested": lambda: nn.Sequential(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)), nn.Conv2d(2, 2, 1)),
    "rnn": lambda: nn.Sequential(nn.RNN(5, 4, 2, bidirectional=True), nn.GRU(5, 4, bias=False)),
    "lstm": lambda: nn.Sequential(nn.LSTM(5, 4, 2), nn.LSTMCell(5, 3), nn.GRUCell(3, 3, bias=False)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_connection_sparsity_is_that_of_neurobench_on_its_layers(name: str) -> None:
    neurobench = pytest.importorskip("neurobench.metrics.static", reason=MISSING)
    models = pytest.importorskip("neurobench.models", reason=MISSING)
    model = whole(LAYERS[name](), seed=3)
    theirs = neurobench.ConnectionSparsity()(models.TorchModel(model))
    assert 0 < theirs < 1
    assert round(zeros(model), 4) == theirs


def test_zeros_are_counted_one_by_one_in_layers_that_neurobench_leaves_out() -> None:
    attention = whole(nn.MultiheadAttention(4, 2), 1)
    transposed = whole(nn.ConvTranspose2d(2, 3, 2), 2)
    weights = [attention.in_proj_weight, attention.out_proj.weight, transposed.weight]
    numbers = [number for weight in weights for number in weight.flatten().tolist()]
    assert zeros(nn.ModuleList([attention, transposed])) == numbers.count(0) / len(numbers)
    norse = pytest.importorskip("norse.torch")
    cell = whole(norse.LIFRecurrentCell(3, 4), 5)
    numbers = [*cell.input_weights.flatten().tolist(), *cell.recurrent_weights.flatten().tolist()]
    assert zeros(cell) == numbers.count(0) / len(numbers)


def test_a_layer_in_two_places_is_counted_once_and_a_parametrized_weight_as_it_multiplies() -> None:
    shared, other = nn.Linear(2, 2), nn.Linear(2, 4)
    nn.init.zeros_(shared.weight)
    nn.init.ones_(other.weight)
    tied = nn.Linear(2, 2)
    tied.weight = shared.weight
    assert zeros(nn.Sequential(shared, shared, tied, weight_norm(other))) == 4 / 12


def test_a_model_without_weights_has_no_connection_sparsity() -> None:
    assert run(Through(first_step), ConnectionSparsity()) == {}


class Rows(nn.Module):
    """(N, F) through a linear layer, a ReLU, another, a sigmoid that rounds to zero somewhere, and a third."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(whole(nn.Linear(60, 8), 1), nn.ReLU(), whole(nn.Linear(8, 8), 2), nn.Sigmoid(), nn.Linear(8, 3))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.layers(x)
        return scores


def of_neurobench(model: Any, data: torch.Tensor) -> float:
    workload = pytest.importorskip("neurobench.metrics.workload", reason=MISSING)
    model.register_hooks()
    with torch.no_grad():
        model(data)
    sparsity = workload.ActivationSparsity()(model, None, (data, None))
    model.cleanup_hooks()
    return float(sparsity)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 99), size=st.integers(1, 7))
def test_activation_sparsity_is_that_of_neurobench_on_one_batch_and_ours_in_any_batches(
    seed: int, size: int
) -> None:
    models = pytest.importorskip("neurobench.models", reason=MISSING)
    net, frames = Rows(), some_frames(1, 7, seed=seed)
    theirs = of_neurobench(models.TorchModel(net), frames[0].flatten(1))
    ours = run(Through(lambda m, x: m.net(x[0].flatten(1)), net=net), ActivationSparsity(), frames, size)
    assert ours == {"m": Figure(theirs, better="higher")}


def test_activation_sparsity_of_snntorch_is_that_of_neurobench() -> None:
    snntorch = pytest.importorskip("snntorch", reason="needs snntorch")
    models = pytest.importorskip("neurobench.models", reason=MISSING)
    layers = nn.Sequential(
        whole(nn.Linear(60, 8), 1),
        snntorch.Leaky(beta=0.5, init_hidden=True),
        whole(nn.Linear(8, 3), 2),
        snntorch.Leaky(beta=0.5, init_hidden=True, output=True),
    )
    frames = some_frames(4, 5)
    theirs = of_neurobench(models.SNNTorchModel(layers), frames.flatten(2).transpose(0, 1))

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        snntorch.utils.reset(m.net)
        return torch.stack([m.net(step)[0] for step in x.flatten(2)]).mean(0)

    assert 0 < theirs < 1
    ours = run(Through(forward, net=layers), ActivationSparsity(), frames, 5)
    assert ours == {"m": Figure(theirs, better="higher")}


def test_of_spikes_alone_activation_sparsity_is_what_the_firing_rate_leaves() -> None:
    frames = some_frames(3, 5)
    model = Through(lambda m, x: m.fire(x).sum((0, 3, 4)), fire=Fire(1.0))
    zero = sum(number <= 1 for number in frames.flatten().tolist())
    assert run(model, ActivationSparsity(), frames)["m"].value == zero / frames.numel()


def test_a_model_without_activations_has_no_activation_sparsity() -> None:
    assert run(Through(first_step, linear=nn.Linear(2, 2)), ActivationSparsity()) == {}


def test_what_activation_sparsity_cannot_tell_is_not_counted() -> None:
    class Undeclared(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x > 1).to(x.dtype)

    class Odd(nn.ReLU):
        def forward(self, x: torch.Tensor) -> Any:
            return {"x": x}

    model = Through(lambda m, x: m.relu(m.fire(x)).sum((0, 3, 4)), fire=Undeclared(), relu=nn.ReLU())
    with pytest.raises(Exception, match=r"'fire' .Undeclared. turns other values into 0 and 1"):
        run(model, ActivationSparsity())
    with pytest.raises(Exception, match="the activation 'relu' returned dict"):
        run(Through(lambda m, x: m.relu(x)["x"].sum((0, 3, 4)), relu=Odd()), ActivationSparsity())
    with pytest.raises(Exception, match="no data went through any activation"):
        run(Through(first_step, relu=nn.ReLU()), ActivationSparsity())


@pytest.mark.parametrize("size", [1, 3, 7])
def test_energy_is_that_of_the_counted_operations(size: int) -> None:
    counts = run(SmallNet(), SynapticOperations(), size=size)
    acs, macs, dense = (counts[f"m.{key}"].value for key in ("effective_acs", "effective_macs", "dense"))
    assert acs > 0 and macs > 0
    energy = run(SmallNet(), EnergyEstimate(), size=size)
    assert energy["m"].value == pytest.approx((acs * 0.9 + macs * 4.6) / 1e3, rel=1e-12)
    assert energy["m.dense"].value == pytest.approx(dense * 4.6 / 1e3, rel=1e-12)
    assert {(figure.unit, figure.better) for figure in energy.values()} == {("nJ/sample", "lower")}


def test_energy_is_not_counted_where_the_operations_are_not() -> None:
    assert run(Through(first_step), EnergyEstimate()) == {}
    weight = torch.ones(60, 3)
    with pytest.raises(Exception, match="outside any layer that is counted"):
        run(
            Through(lambda m, x: m.layer(x.sum(0).flatten(1) @ weight), layer=nn.Linear(3, 3)),
            EnergyEstimate(),
        )
