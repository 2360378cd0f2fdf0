"""Figures of networks that were once counted wrongly or refused, against every product that torch runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from eventbench import registry
from eventbench.metrics.base import Measured, measure
from eventbench.submission.contract import HeldToContract, check_metrics, check_scores, held_to_contract
from eventbench.task_kinds.base import task_kind_named
from tests.support.networks_of_strangers import COUNTED, NOT_COUNTED
from tests.support.products_seen import pairs_of_a_sample
from tests.support.small_nets import batched

METRICS = ["firing_rate", "synaptic_operations"]


def held(make: Callable[[], nn.Module]) -> HeldToContract:
    torch.manual_seed(0)
    return held_to_contract(make(), task_kind_named("classification"), 3, "net", METRICS).eval()


def frames_of_counts(samples: int = 7) -> torch.Tensor:
    """Some samples hold single events only, others counts to 3."""
    generator = torch.Generator().manual_seed(3)
    frames = torch.randint(0, 4, (4, samples, 2, 8, 8), generator=generator).float()
    frames *= torch.rand(frames.shape, generator=generator) < 0.05
    frames[:, ::2] = frames[:, ::2].clamp(max=1)
    frames[1:, 0] = 0
    return frames


def scored(make: Callable[[], nn.Module], size: int) -> Measured:
    frames = frames_of_counts()
    metrics = {name: registry.metrics.get(name)() for name in METRICS}
    batches = batched(frames, torch.arange(frames.shape[1]) % 3, size)
    return measure(held(make), batches, metrics, torch.device("cpu"))


@pytest.mark.parametrize("make", COUNTED, ids=lambda make: make.__name__)
def test_operations_are_all_products_that_torch_runs_and_alike_at_every_batch_size(
    make: Callable[[], nn.Module],
) -> None:
    frames = frames_of_counts()
    check_scores(held(make), frames, "net")
    whole = scored(make, 7)
    assert whole.not_counted == {}
    figures = {name: figure.value for name, figure in whole.figures.items()}
    expected = pairs_of_a_sample(held(make), frames)
    counted = figures["synaptic_operations.effective_acs"] + figures["synaptic_operations.effective_macs"]
    assert counted == pytest.approx(
        expected, rel=1e-3
    )  # a ReLU may be zero or nearly so, by the place in a batch
    for size in (1, 2, 3, 4):
        others = {name: figure.value for name, figure in scored(make, size).figures.items()}
        assert others == pytest.approx(figures, rel=1e-3)


@pytest.mark.parametrize(("make", "why"), NOT_COUNTED.items(), ids=[make.__name__ for make in NOT_COUNTED])
def test_what_is_not_counted_is_said_with_its_place(make: Callable[[], nn.Module], why: str) -> None:
    checked = check_metrics(held(make), frames_of_counts(), torch.arange(7) % 3, METRICS)
    assert checked.not_counted["synaptic_operations"].startswith(why)
    assert scored(make, 3).not_counted == checked.not_counted
