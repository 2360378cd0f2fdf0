"""What sets one network apart from another; what all of them owe the harness is in conformance/."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers import PFA, TCJA
from eventbench.models._backbone import Backbone
from eventbench.models.conv_snn import ConvSNN
from eventbench.models.event_count import EventCount
from eventbench.models.pfa_net import PFANet
from eventbench.models.tcja_net import TCJANet
from eventbench.submission.model import make_model

MADE: dict[str, Any] = {"sensor": (12, 10), "time_steps": 4, "classes": 3, "channels": (4, 5, 6)}


def frames(N: int = 3) -> torch.Tensor:
    return torch.poisson(torch.ones(4, N, 2, 10, 12), torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("net", "gate"), [(TCJANet, TCJA), (PFANet, PFA)])
@pytest.mark.parametrize("gated", [0, 1, 2, 3])
def test_the_modules_stand_in_the_last_stages(net: Any, gate: type[nn.Module], gated: int) -> None:
    stages = net(**MADE, gated_stages=gated).network.stages
    assert [isinstance(stage.gate, gate) for stage in stages] == [i >= 3 - gated for i in range(3)]


def test_only_the_modules_set_the_networks_apart() -> None:
    plain = set(ConvSNN(**MADE).state_dict())
    for net in (TCJANet, PFANet):
        more = set(net(**MADE).state_dict()) - plain
        assert plain <= set(net(**MADE).state_dict())
        assert more
        assert all(".gate." in key for key in more)


@pytest.mark.parametrize("net", [TCJANet, PFANet])
def test_more_gated_stages_than_stages_are_refused(net: Any) -> None:
    with pytest.raises(BadSpec, match=r"^model config: gated_stages is 4; allowed: 0 to 3$"):
        net(**MADE, gated_stages=4)


def test_the_plain_network_may_have_a_single_stage() -> None:
    assert ConvSNN(**MADE | {"channels": (4,)})(frames()).shape == (3, 3)


@pytest.mark.parametrize("channels", [[], [4, 0]])
def test_channels_that_make_no_network_are_refused(channels: list[int]) -> None:
    with pytest.raises(
        BadSpec, match=r"^model config: channels is .*; allowed: a list of whole numbers above 0$"
    ):
        make_model("conv_snn", {"channels": channels}, (12, 10), 4, 3)


def test_dropout_takes_one_mask_for_all_steps() -> None:
    torch.manual_seed(0)
    net = Backbone((8, 8), 4, 3, [4], 2.0, 0.5)
    net.stages = nn.Identity()  # type: ignore[assignment]
    net.readout = nn.Identity()  # type: ignore[assignment]
    scores = net.train()(torch.ones(4, 2, 4, 8, 8))
    assert set(scores.unique().tolist()) == {
        0.0,
        2.0,
    }  # averaged over time, each feature is kept or dropped whole


class TestEventCount:
    def test_the_order_of_the_frames_cannot_matter(self) -> None:
        model = EventCount((12, 10), 4, 3)
        model.means.copy_(torch.rand(model.means.shape, generator=torch.Generator().manual_seed(1)))
        x = frames()
        assert torch.allclose(model(x), model(x.flip(0)))

    def test_nor_can_the_number_of_events(self) -> None:
        model = EventCount((12, 10), 4, 3)
        model.means.copy_(torch.rand(model.means.shape, generator=torch.Generator().manual_seed(1)))
        assert torch.allclose(model(frames()), model(frames() * 7), atol=1e-5)

    def test_scores_rank_as_the_distance_to_the_class_means_does(self) -> None:
        model = EventCount((12, 10), 4, 3)
        x = frames(9)
        labels = torch.arange(9) % 3
        model.fit_once([(x[:, :5], labels[:5]), (x[:, 5:], labels[5:])])
        pictures = x.sum(0).flatten(1).double()
        pictures /= pictures.sum(1, keepdim=True)
        means = torch.stack([pictures[labels == label].mean(0) for label in range(3)])
        distances = torch.cdist(pictures, means).square()
        assert torch.allclose(model.means.double(), means)
        expected = pictures.square().sum(1, keepdim=True) - distances
        assert torch.allclose(model(x).double(), expected, atol=1e-7)
