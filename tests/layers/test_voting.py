"""Voting against the authors' layer and its definition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from eventbench.errors import EventbenchError
from eventbench.layers import Voting
from tests.support.golden import arrays


def test_the_authors_votes_are_reproduced(golden: Path):
    files = sorted(golden.glob("voting_*.npz"))
    assert files
    for file in files:
        data = arrays(file)
        group = data["x"].shape[-1] // data["y"].shape[-1]
        votes = Voting(group)(torch.as_tensor(data["x"]))
        np.testing.assert_allclose(votes, data["y"], rtol=0, atol=1e-10, err_msg=file.stem)


def test_the_mean_over_time_and_the_vote_give_the_authors_rates(golden: Path):
    data = arrays(golden / "losses.npz")
    rates = Voting(10)(torch.as_tensor(data["spikes_TNK110"]).double().mean(0))
    np.testing.assert_allclose(rates, data["voted_rate_NK"], rtol=0, atol=1e-10)


@given(
    group=st.integers(1, 6),
    classes=st.integers(1, 5),
    leading=st.lists(st.integers(0, 3), max_size=3),
    seed=st.integers(0, 99),
)
def test_a_class_score_is_the_mean_of_its_own_neurons_only(group, classes, leading, seed):
    x = np.random.default_rng(seed).normal(size=(*leading, classes * group))
    votes = Voting(group)(torch.as_tensor(x))
    assert votes.shape == (*leading, classes)
    for k in range(classes):
        expected = sum(x[..., k * group + i] for i in range(group)) / group
        np.testing.assert_allclose(votes[..., k], expected, atol=1e-12)


def test_outputs_that_do_not_divide_into_groups_are_refused():
    for shape in ((3, 101), (3, 0), ()):
        with pytest.raises(EventbenchError, match="group=10"):
            Voting(10)(torch.zeros(shape))
    with pytest.raises(EventbenchError, match="group is 0"):
        Voting(0)
