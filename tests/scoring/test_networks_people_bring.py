"""Networks of five libraries: each is scored, what cannot be counted is said with its reason, and `--check` says the same."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import pytest
import torch

from eventbench import registry
from eventbench.metrics.base import Measured, measure
from eventbench.submission.contract import check_metrics, check_scores, held_to_contract
from eventbench.task_kinds.base import task_kind_named
from tests.support.networks_of_libraries import LIBRARIES
from tests.support.networks_of_torch import NETWORKS, Brought
from tests.support.small_nets import batched

METRICS = ["accuracy", "parameters", "firing_rate", "synaptic_operations", "latency", "peak_memory"]
CPU = torch.device("cpu")


def brought() -> list[tuple[str, Callable[[], Brought]]]:
    found: list[tuple[str, Callable[[], Brought]]] = [(f"torch: {make.__name__}", make) for make in NETWORKS]
    for library, networks in LIBRARIES.items():
        if find_spec(library):
            found += [(f"{library}: {name}", make) for name, make in networks().items()]
    return found


BROUGHT = brought()


def frames_of_counts(samples: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    frames = torch.randint(0, 4, (4, samples, 2, 8, 8), generator=generator).float()
    return frames * (torch.rand(frames.shape, generator=generator) < 0.4)


def scored(make: Callable[[], Brought], size: int) -> Measured:
    torch.manual_seed(0)
    model = make()[0].eval()
    held = held_to_contract(model, task_kind_named("classification"), 3, "net", METRICS).eval()
    frames, labels = frames_of_counts(9), torch.arange(9) % 3
    metrics = {name: registry.metrics.get(name)() for name in METRICS}
    return measure(held, batched(frames, labels, size), metrics, CPU)


def test_there_are_forty_networks_of_five_libraries_where_all_are_installed() -> None:
    if not all(map(find_spec, LIBRARIES)):
        pytest.skip("needs norse, snntorch and spikingjelly: make test installs them")
    assert len(BROUGHT) >= 40


@pytest.mark.parametrize("make", [make for _, make in BROUGHT], ids=[name for name, _ in BROUGHT])
def test_it_is_scored_and_check_says_what_the_scoring_will(make: Callable[[], Brought]) -> None:
    torch.manual_seed(0)
    model, reasons = make()
    held = held_to_contract(model.eval(), task_kind_named("classification"), 3, "net", METRICS).eval()
    frames, labels = frames_of_counts(9), torch.arange(9) % 3
    check_scores(held, frames[:, :6], "net")
    checked = check_metrics(held, frames[:, :6], labels[:6], METRICS)
    whole = scored(make, 4)
    assert set(checked.not_counted) == set(whole.not_counted) == set(reasons)
    for metric, beginning in reasons.items():
        assert whole.not_counted[metric].startswith(beginning)
    assert {"accuracy", "parameters", "latency", "peak_memory"} <= set(whole.figures)
    one_by_one = scored(make, 1)
    for name in ("firing_rate", "synaptic_operations.effective_acs", "synaptic_operations.effective_macs"):
        values = [run.figures[name].value for run in (whole, one_by_one) if name in run.figures]
        assert len(values) in (0, 2)
        assert not values or values[0] == pytest.approx(values[1], rel=1e-9), name


@pytest.mark.parametrize("name", ["norse: LIFCell", "snntorch: Leaky", "spikingjelly: LIFNode, all steps"])
def test_neurons_of_other_libraries_are_found_and_what_they_feed_is_additions(name: str) -> None:
    makes = dict(BROUGHT)
    if name not in makes:
        pytest.skip(f"{name.partition(':')[0]} is not installed")
    figures = scored(makes[name], 3).figures
    assert 0 < figures["firing_rate"].value < 1
    if name.startswith("spikingjelly"):  # the others read the mean of their spikes, which is not binary
        assert figures["synaptic_operations.effective_acs"].value > 0
