"""What our layers and models offer beyond `forward`, as the protocols have it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from eventbench.layers import LI, LIF, PFA, TCJA, RecurrentLIF, Voting
from eventbench.models import protocols
from eventbench.models.conv_snn import ConvSNN
from eventbench.models.event_count import EventCount
from eventbench.models.tcja_dvs128 import TCJADVS128

SIZES: dict[str, Any] = {"sensor": (8, 8), "time_steps": 4, "classes": 3}


def offers(module: nn.Module) -> set[str]:
    kinds = (
        protocols.FitsOnce,
        protocols.ScoresPerStep,
        protocols.CountsSynapticOperations,
        protocols.ReportsBackend,
    )
    names = {kind.__name__ for kind in kinds if isinstance(module, kind)}
    names |= {"Spiking"} if protocols.is_spiking(module) else set()
    return names | ({"GatesInput"} if protocols.gates_its_input(module) else set())


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (LIF(), {"Spiking", "ReportsBackend"}),
        (RecurrentLIF(3), {"Spiking", "ReportsBackend"}),
        (LI(), {"ReportsBackend"}),
        (TCJA(4, 3), {"GatesInput"}),
        (PFA(4, 3, 2), {"CountsSynapticOperations"}),
        (Voting(2), set()),
        (EventCount(**SIZES), {"FitsOnce", "CountsSynapticOperations"}),
        (ConvSNN(**SIZES, channels=[4]), set()),
        (TCJADVS128(**SIZES, channels=[4, 4], hidden=8), {"ScoresPerStep"}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_a_layer_or_model_offers_what_its_documentation_says(module: nn.Module, names: set[str]) -> None:
    assert offers(module) == names


def test_what_is_declared_as_false_is_not_offered() -> None:
    class Silent(nn.Module):
        spiking = False
        gates_input = False

    assert offers(Silent()) == set()


def test_a_product_with_a_gate_is_counted_once_where_pfa_multiplies_and_not_where_it_adds() -> None:
    x = (torch.rand(4, 2, 3, 5, 5) < 0.3).float()
    composing = (4 + 4 * 3 + 4 * 3 * 25) * 2
    ones = x.transpose(0, 1).flatten(1).sum(1)
    for fusion, gating in (("multiply", ones), ("multiply_relu", ones), ("add_relu", torch.zeros(2))):
        acs, macs, _ = PFA(4, 3, 2, fusion=fusion).count_synaptic_operations(x)
        assert acs.tolist() == [0, 0]
        assert macs.tolist() == (composing + gating).tolist()
