"""What every model owes the harness, run over each member of the family."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from eventbench import registry
from eventbench.errors import BadSubmission
from eventbench.metrics.synaptic_operations import SynapticOperations
from eventbench.submission.model import call_model, make_model

NAMES = registry.models.names()
TCJA_SMALL = {"channels": [4, 6], "kernel_over_time": 2, "kernel_over_channels": 3}
PFA_SMALL = {"channels": [4, 6], "rank": 2, "size": 5}
RESNET_SMALL = {"channels": [4, 6], "inputs": 2}
STILL_SMALL = {"channels": [4, 6], "hidden": 8, "inputs": 2}
# Frames have two channels here, those of the networks for still images too.
SMALL: dict[str, dict[str, Any]] = {
    "conv_snn": {"channels": [4, 6]},
    "event_count": {},
    "pfa_fmnist": STILL_SMALL,
    "pfa_ms_resnet18": {**RESNET_SMALL, "rank": 2},
    "pfa_net": {"channels": [4, 6]},
    "pfa_vgg_cifar10dvs": PFA_SMALL,
    "pfa_vgg_gesture": {"channels": [4, 6], "rank": 2, "last_rank": 3},
    "pfa_vgg_ncaltech101": PFA_SMALL,
    "plif_net": {"channels": [4, 6]},
    "sew_resnet18": RESNET_SMALL,
    "spikformer_small": {"width": 16, "heads": 4, "depth": 1, "ratio": 2},
    "tcja_cifar10dvs": {**TCJA_SMALL, "size": 5},
    "tcja_cifar10dvs_tet": TCJA_SMALL,
    "tcja_dvs128": {**TCJA_SMALL, "hidden": 8},
    "tcja_fmnist": STILL_SMALL,
    "tcja_ms_resnet18": RESNET_SMALL,
    "tcja_ncaltech101": {**TCJA_SMALL, "hidden": 8},
    "tcja_ncaltech101_tet": {**TCJA_SMALL, "hidden": 8},
    "tcja_net": {"channels": [4, 6]},
}
SENSORS = [(9, 7), (700, 1), (1, 1), (34, 34)]


def made(name: str, sensor: tuple[int, int] = (9, 7), T: int = 4, K: int = 3) -> nn.Module:
    """The model in its smallest form, with weights that are the same each time."""
    torch.manual_seed(0)
    return make_model(name, SMALL[name], sensor, T, K).eval()


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
    scores = call_model(made(name, sensor, T), frames(T, 3, sensor), 3, name).scores
    assert scores.dtype == torch.float32


@pytest.mark.parametrize(
    ("sensor", "T", "K"), [((128, 96), 2, 11), ((8, 6), 16, 1), ((8, 6), 3, 10)], ids=str
)
@torch.no_grad()
def test_scores_are_finite_for_large_frames_many_steps_and_any_number_of_classes(
    name: str, sensor: tuple[int, int], T: int, K: int
) -> None:
    call_model(made(name, sensor, T, K), frames(T, 2, sensor), K, name)


def test_every_model_is_tried() -> None:
    assert sorted(SMALL) == NAMES


@torch.no_grad()
def test_no_events_at_all_give_finite_scores(name: str) -> None:
    call_model(made(name), torch.zeros(4, 2, 2, 7, 9), 3, name)


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
    again = make_model(name, SMALL[name], (9, 7), 4, 3)
    again.load_state_dict(model.state_dict())
    with torch.no_grad():
        assert torch.equal(again.eval()(x), model(x))


def test_a_parameter_the_model_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(BadSubmission, match=f"^{name}: model.config has 'chanels'; allowed: "):
        make_model(name, {"chanels": [1]}, (9, 7), 4, 3)


@pytest.mark.parametrize("T", [1, 4])
def test_every_parameter_gets_a_gradient(name: str, T: int) -> None:
    model = made(name, T=T).train()
    parameters = dict(model.named_parameters())
    if not parameters:
        pytest.skip("nothing to learn")
    model(frames(T, 8, (9, 7)) * 5).logsumexp(1).sum().backward()
    without = [key for key, value in parameters.items() if value.grad is None]
    assert without == []


@torch.no_grad()
def test_its_operations_can_be_counted(name: str) -> None:
    model, x = made(name), frames(4, 3, (9, 7))
    metric = SynapticOperations()
    metric.start(model, torch.device("cpu"))
    model(x)
    metric.update(x)
    metric.close()
    metric.probe(model, x)
    counts = {key: figure.value for key, figure in metric.value().items()}
    assert counts["dense"] >= counts["effective_acs"] + counts["effective_macs"] >= 0
    assert counts["dense"] > 0


def test_weights_survive_a_safetensors_file(name: str, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = {key: value.contiguous() for key, value in made(name).state_dict().items()}
    save_file(state, tmp_path / "w.safetensors")
    again = load_file(tmp_path / "w.safetensors")
    assert again.keys() == state.keys()
    assert all(torch.equal(again[key], value) for key, value in state.items())
