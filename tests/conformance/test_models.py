"""What every model owes the harness, run over each member of the family."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch
from torch import nn

from eventbench import registry
from eventbench.errors import BadSubmission
from eventbench.submission import called, make_model

NAMES = registry.models.names()
SMALL = {"channels": [4, 6]}
SENSORS = [(9, 7), (700, 1), (1, 1), (34, 34)]


def made(name: str, sensor: tuple[int, int] = (9, 7), T: int = 4, K: int = 3) -> nn.Module:
    """The model in its smallest form, with weights that are the same each time."""
    torch.manual_seed(0)
    taken = inspect.signature(registry.models.get(name)).parameters
    config = {key: value for key, value in SMALL.items() if key in taken}
    return make_model(name, config, sensor, T, K, Path()).eval()


def frames(T: int, N: int, sensor: tuple[int, int]) -> torch.Tensor:
    return torch.poisson(
        torch.full((T, N, 2, sensor[1], sensor[0]), 0.7), torch.Generator().manual_seed(T * N)
    )


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("sensor", SENSORS, ids=str)
@pytest.mark.parametrize("T", [1, 4])
@torch.no_grad()
def test_scores_are_finite_for_any_sensor_and_number_of_steps(
    name: str, sensor: tuple[int, int], T: int
) -> None:
    scores = called(made(name, sensor, T), frames(T, 3, sensor), 3, name)
    assert scores.dtype == torch.float32


@pytest.mark.parametrize(
    ("sensor", "T", "K"), [((128, 96), 2, 11), ((8, 6), 16, 1), ((8, 6), 3, 10)], ids=str
)
@torch.no_grad()
def test_scores_are_finite_for_large_frames_many_steps_and_any_number_of_classes(
    name: str, sensor: tuple[int, int], T: int, K: int
) -> None:
    called(made(name, sensor, T, K), frames(T, 2, sensor), K, name)


@torch.no_grad()
def test_no_events_at_all_give_finite_scores(name: str) -> None:
    called(made(name), torch.zeros(4, 2, 2, 7, 9), 3, name)


@torch.no_grad()
def test_a_sample_is_answered_alike_alone_and_in_any_company(name: str) -> None:
    model, x = made(name), frames(4, 6, (9, 7))
    together = model(x)
    for other, order in (
        (model(x.flip(1)).flip(0), "turned"),
        (torch.cat([model(x[:, i : i + 1]) for i in range(6)]), "alone"),
    ):
        assert torch.allclose(together, other, rtol=1e-4, atol=1e-5), order


@torch.no_grad()
def test_nothing_is_remembered_between_calls_nor_are_the_frames_changed(name: str) -> None:
    model, x = made(name), frames(4, 2, (9, 7))
    copy, before = x.clone(), {key: value.clone() for key, value in model.state_dict().items()}
    first = model(x)
    model(frames(4, 5, (9, 7)))
    assert torch.equal(model(x), first)
    assert torch.equal(x, copy)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_the_state_is_all_there_is_to_a_model(name: str) -> None:
    model, x = made(name), frames(4, 2, (9, 7))
    torch.manual_seed(1)
    again = make_model(
        name,
        {k: v for k, v in SMALL.items() if k in inspect.signature(type(model).__init__).parameters},
        (9, 7),
        4,
        3,
        Path(),
    )
    again.load_state_dict(model.state_dict())
    with torch.no_grad():
        assert torch.equal(again.eval()(x), model(x))


def test_a_parameter_the_model_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(BadSubmission, match=f"^{name}: model.config has 'chanels'; allowed: "):
        make_model(name, {"chanels": [1]}, (9, 7), 4, 3, Path())


@pytest.mark.parametrize("T", [1, 4])
def test_every_parameter_gets_a_gradient(name: str, T: int) -> None:
    model = made(name, T=T).train()
    parameters = dict(model.named_parameters())
    if not parameters:
        pytest.skip("nothing to learn")
    model(frames(T, 8, (9, 7)) * 5).logsumexp(1).sum().backward()
    without = [key for key, value in parameters.items() if value.grad is None]
    assert without == []


def test_weights_survive_a_safetensors_file(name: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = {key: value.contiguous() for key, value in made(name).state_dict().items()}
    save_file(state, tmp_path / "w.safetensors")
    again = load_file(tmp_path / "w.safetensors")
    assert again.keys() == state.keys()
    assert all(torch.equal(again[key], value) for key, value in state.items())
