"""The authors' own networks, run by their own code, against ours filled from their state dicts: float64, eval."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from eventbench.layers import LIF, PFA
from eventbench.submission.authors import from_authors, load_authors
from eventbench.submission.model import make_model

NETWORKS: dict[str, tuple[str, dict[str, Any], int]] = {
    "net_tcja_dvs128_small": ("tcja_dvs128", {"channels": [6] * 5, "hidden": 24}, 11),
    "net_pfa_vgg_cifar10dvs_small": (
        "pfa_vgg_cifar10dvs",
        {"channels": [[2, 4], [8, 8], [16, 16], [16, 16]], "rank": 3},
        10,
    ),
}
# Their names within a layer that holds more than a convolution, batch norm or linear layer -> ours.
PARTS = {
    "conv.weight": "conv_over_channels.weight",
    "conv_c.weight": "conv_over_time.weight",
    **{
        f"{theirs}.{part}": f"{ours}.{part}"
        for theirs, ours in {
            "TC_FC": "time_projection",
            "SC_FC": "channel_projection",
            "TS_conv": "space_projection",
        }.items()
        for part in ("weight", "bias")
    },
}


class Ran:
    """A golden network of ours, filled, run forward and backward, with every LIF's spikes and PFA's map."""

    def __init__(self, golden: Path, name: str) -> None:
        with np.load(golden / f"{name}.npz") as stored:
            self.data = dict(stored)
        self.name, config, classes = NETWORKS[name]
        x = torch.as_tensor(self.data["x"]).double().transpose(0, 1)
        self.model = make_model(self.name, config, (x.shape[4], x.shape[3]), x.shape[0], classes).double()
        state = {key[3:]: torch.as_tensor(self.data[key]) for key in self.data if key[:3] == "sd/"}
        load_authors(self.model, state).eval()
        self.spikes: list[torch.Tensor] = []
        self.maps: list[torch.Tensor] = []
        for module in self.model.modules():
            if isinstance(module, LIF):
                module.register_forward_hook(lambda m, a, y: self.spikes.append(y.detach()))
            if isinstance(module, PFA):
                module.register_forward_pre_hook(lambda m, a: self.maps.append(m.gate(a[0]).detach()))
        self.x = x.clone().requires_grad_()
        self.y = self.model(self.x)
        self.y.backward(torch.as_tensor(self.data["g"]))

    def close(self, got: torch.Tensor, key: str) -> None:
        np.testing.assert_allclose(got.detach().numpy(), self.data[key], rtol=0, atol=1e-10, err_msg=key)

    def keys(self, prefix: str) -> list[str]:
        return [key for key in self.data if key.startswith(prefix)]


@pytest.fixture(scope="module", params=NETWORKS)
def ran(request: pytest.FixtureRequest, golden: Path) -> Ran:
    return Ran(golden, request.param)


def test_the_scores_are_the_authors(ran: Ran) -> None:
    ran.close(ran.y, "y")


def test_a_network_is_made_from_the_state_dict_alone(ran: Ran) -> None:
    state = {key[3:]: torch.as_tensor(ran.data[key]) for key in ran.keys("sd/")}
    made = from_authors(ran.name, state, (128, 128)).eval()
    ran.close(made(ran.x), "y")


def test_every_layer_fires_as_the_authors_does_at_every_step(ran: Ran) -> None:
    keys = ran.keys("rate_per_t/")
    assert len(keys) == len(ran.spikes)
    for key, spikes in zip(keys, ran.spikes, strict=True):
        ran.close(spikes.flatten(1).mean(1), key)


def test_every_map_of_pfa_is_the_authors(ran: Ran) -> None:
    keys = ran.keys("attn_mean_TC/")
    assert len(keys) == len(ran.maps)
    for key, gate in zip(keys, ran.maps, strict=True):
        ran.close(gate.mean((1, 3, 4)), key)
        ran.close(torch.stack([gate.min(), gate.max()]), key.replace("mean_TC", "minmax"))


def test_the_gradient_of_the_frames_is_the_authors(ran: Ran) -> None:
    assert ran.x.grad is not None
    gradient = ran.x.grad.transpose(0, 1)
    ran.close(gradient[..., 60:68, 60:68], "grad_x_crop_60_68")
    ran.close(gradient.sum((3, 4)), "grad_x_per_NTC")
    ran.close(gradient.abs().sum((3, 4)), "grad_x_abs_per_NTC")


def test_the_gradient_of_every_weight_is_the_authors(ran: Ran) -> None:
    ours = dict(_by_their_key(ran))
    keys = ran.keys("grad/") + ran.keys("gradsum/")
    assert {key.partition("/")[2] for key in keys} == set(ours)
    for key in keys:
        grad = ours[key.partition("/")[2]].grad
        assert grad is not None
        ran.close(torch.stack([grad.sum(), grad.abs().sum()]) if key.startswith("gradsum") else grad, key)


def _by_their_key(ran: Ran) -> list[tuple[str, nn.Parameter]]:
    """Our parameters under the authors' keys, worked out apart from the converter: by value."""
    found = []
    for key in ran.keys("sd/"):
        value = torch.as_tensor(ran.data[key])
        name = key[3:]
        if name.endswith(("running_mean", "running_var")) or (f"{name[:-6]}TC_FC.bias" in _names(ran)):
            continue
        part = next((PARTS[p] for p in PARTS if name.endswith(p) and _is_part(ran, name, p)), None)
        matches = [
            p
            for own, p in ran.model.named_parameters()
            if p.shape == value.shape and torch.equal(p, value) and (part is None or own.endswith(part))
        ]
        assert len(matches) == 1, name
        found.append((name, matches[0]))
    return found


def _names(ran: Ran) -> set[str]:
    return {key[3:] for key in ran.keys("sd/")}


def _is_part(ran: Ran, name: str, part: str) -> bool:
    prefix = name[: -len(part)]
    return f"{prefix}conv_c.weight" in _names(ran) or f"{prefix}TC_FC.bias" in _names(ran)


def test_the_golden_files_say_that_no_spike_hangs_on_rounding(ran: Ran) -> None:
    assert json.loads(str(ran.data["meta"]))["min_threshold_margin"] > 1e-7
