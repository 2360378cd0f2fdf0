"""Losses: those of the authors' code to the last digit, and one value for class numbers and for one-hot rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from eventbench.training.losses import LOSSES, PER_STEP, loss_of, per_step_ce, rate_mse, tet

TIGHT: dict[str, Any] = {"rtol": 0, "atol": 1e-10}


@pytest.fixture(scope="module")
def authors(golden: Path) -> dict[str, torch.Tensor]:
    with np.load(golden / "losses.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file if name != "meta"}


def test_the_tet_loss_and_its_gradient_are_the_authors(authors: dict[str, torch.Tensor]) -> None:
    outputs = authors["outputs_NTK"].clone().requires_grad_()
    loss = tet(outputs.transpose(0, 1), authors["labels"])
    loss.backward()
    torch.testing.assert_close(loss.detach(), authors["tet_loss_means1_lamb1e3"], **TIGHT)
    torch.testing.assert_close(outputs.grad, authors["grad_outputs"], **TIGHT)


def test_cross_entropy_per_step_is_the_authors(authors: dict[str, torch.Tensor]) -> None:
    loss = per_step_ce(authors["outputs_NTK"].transpose(0, 1), authors["labels"])
    torch.testing.assert_close(loss, authors["sj_tet_ce"], **TIGHT)


def test_the_error_of_voted_rates_is_the_authors(authors: dict[str, torch.Tensor]) -> None:
    voted = authors["spikes_TNK110"].double().mean(0).unflatten(1, (11, 10)).mean(2)
    torch.testing.assert_close(voted, authors["voted_rate_NK"], **TIGHT)
    torch.testing.assert_close(rate_mse(voted, authors["labels"]), authors["mse_vs_onehot"], **TIGHT)


def scores_and_labels(loss: str) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shape = (5, 4, 3) if loss in PER_STEP else (4, 3)
    return torch.randn(shape, generator=generator, dtype=torch.float64), torch.tensor([2, 0, 0, 1])


@pytest.mark.parametrize("loss", LOSSES)
def test_a_label_and_its_one_hot_row_are_worth_the_same(loss: str) -> None:
    scores, labels = scores_and_labels(loss)
    for smoothing in (0.0, 0.1):
        torch.testing.assert_close(
            loss_of(loss, scores, labels, smoothing),
            loss_of(loss, scores, one_hot(labels, 3).double(), smoothing),
        )


@pytest.mark.parametrize("loss", LOSSES)
def test_a_batch_is_worth_the_mean_of_its_samples(loss: str) -> None:
    scores, labels = scores_and_labels(loss)
    axis = scores.ndim - 2
    each = [loss_of(loss, scores.narrow(axis, i, 1), labels[i : i + 1]) for i in range(len(labels))]
    torch.testing.assert_close(loss_of(loss, scores, labels), torch.stack(each).mean())


def test_per_step_cross_entropy_is_the_mean_over_steps_written_out() -> None:
    scores, labels = scores_and_labels("per_step_ce")
    torch.testing.assert_close(
        per_step_ce(scores, labels), torch.stack([cross_entropy(step, labels) for step in scores]).mean()
    )
    torch.testing.assert_close(
        tet(scores, labels, lamb=0.25, means=0.5),
        0.75 * per_step_ce(scores, labels) + 0.25 * ((scores - 0.5) ** 2).mean(),
    )


def test_a_mixed_label_is_worth_its_parts() -> None:
    scores, labels = scores_and_labels("per_step_ce")
    mixed = 0.3 * one_hot(labels, 3).double() + 0.7 * one_hot(labels.flip(0), 3).double()
    torch.testing.assert_close(
        per_step_ce(scores, mixed),
        0.3 * per_step_ce(scores, labels) + 0.7 * per_step_ce(scores, labels.flip(0)),
    )


def test_only_cross_entropy_is_smoothed() -> None:
    for loss in LOSSES:
        scores, labels = scores_and_labels(loss)
        assert (loss_of(loss, scores, labels, 0.2) != loss_of(loss, scores, labels)) == (loss == "ce")
