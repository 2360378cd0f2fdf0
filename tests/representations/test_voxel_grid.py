"""Voxel grids against the oracle and tonic, and the account of every event."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from tonic.transforms import ToVoxelGrid

import eventbench as eb
from eventbench import registry
from eventbench.errors import BadSpec, UnknownName
from eventbench.representations._voxel_kernels import BLOCK, add_packed, add_shares, cut_between
from eventbench.representations.voxel_grid import DTYPES, EDGES, POLARITIES, VoxelGrid
from tests.representations import oracle_grids
from tests.support.recordings import fixed, recordings

HOW = st.fixed_dictionaries(
    {"bins": st.integers(1, 9), "polarity": st.sampled_from(POLARITIES), "edges": st.sampled_from(EDGES)}
)


def counts(events: eb.Events) -> np.ndarray:
    """The number of events of each pixel (H, W)."""
    width, height = events.sensor
    return np.bincount(events.y.astype(np.int64) * width + events.x, minlength=width * height).reshape(
        height, width
    )


def signed_structured(events: eb.Events) -> np.ndarray:
    """What tonic gives the right signs for: it writes -1 into the polarity column."""
    return events.to_structured().astype([("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "i1")])


@pytest.mark.slow
@given(recordings(), HOW, st.sampled_from(DTYPES))
@settings(deadline=None, max_examples=120)
def test_voxel_grid_equals_the_oracle_and_every_event_is_binned_or_accounted_for(
    events, representation, dtype
):
    got, account = VoxelGrid(dtype=dtype, **representation).apply(events)
    wanted, lost = oracle_grids.voxel_grid(events, **representation)
    n = counts(events)
    unit = 2.0**-23 if dtype == "float32" else 2.0**-48  # t* itself is rounded: 9 planes take 4 of 52 bits
    assert got.dtype == dtype
    assert got.shape == wanted.shape
    assert (np.abs(got - wanted) <= unit * n * (n + 1)).all()
    assert account == (len(events), len(events) - lost, {"tail": lost} if lost else {})


@given(recordings(), st.integers(1, 9))
@settings(deadline=None, max_examples=60)
def test_the_shares_of_an_event_add_up_to_one(events, bins):
    got, account = VoxelGrid(bins=bins, dtype="float64").apply(events)
    assert account == (len(events), len(events), {})
    assert_allclose(got.sum(axis=(0, 1)), counts(events), rtol=1e-12)
    assert_allclose(got.sum(axis=(0, 2, 3)), np.bincount(events.p, minlength=2), rtol=1e-12)
    assert got.min() >= 0


@given(recordings(), st.integers(1, 9), st.sampled_from(EDGES))
@settings(deadline=None, max_examples=40)
def test_signed_is_on_less_off(events, bins, edges):
    apart, _ = VoxelGrid(bins=bins, edges=edges, dtype="float64").apply(events)
    signed, _ = VoxelGrid(bins=bins, edges=edges, dtype="float64", polarity="signed").apply(events)
    assert_allclose(signed[:, 0], apart[:, 1] - apart[:, 0], atol=1e-9)


@pytest.mark.slow
@given(recordings(least=2), st.integers(1, 50))
@settings(deadline=None, max_examples=120)
def test_tonic_edges_have_the_bits_of_tonic(events, bins):
    assume(events.duration_us)
    if abs(int(events.t[0])) > 2**53:
        events = eb.Events(t=events.t - events.t[0], x=events.x, y=events.y, p=events.p, sensor=events.sensor)
    wanted = ToVoxelGrid((*events.sensor, 2), bins)(signed_structured(events))
    representation = {"bins": bins, "polarity": "signed", "edges": "tonic"}
    got, account = VoxelGrid(dtype="float64", **representation).apply(events)
    assert_array_equal(got, wanted)
    at_end = int((events.t == events.t[-1]).sum())
    assert account == (len(events), len(events) - at_end, {"tail": at_end})
    n = counts(events)
    single, same = VoxelGrid(**representation).apply(events)
    assert (np.abs(single - wanted) <= 2.0**-23 * n * (n + 1)).all()
    assert same == account


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5]),
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from([(5, 3), (256, 256), (257, 256)]),  # the last two on either side of addresses of 16 bits
)
@settings(deadline=None, max_examples=60)
def test_both_kernels_add_up_the_same_shares(seed, n, bins, signed, sensor):
    width, height = sensor
    rng = np.random.default_rng(seed)
    x, y, p = rng.integers(0, width, n), rng.integers(0, height, n), rng.integers(0, 2, n)
    x[: n // 2], y[: n // 2], p[: n // 2] = width - 1, height - 1, 1  # the last cell, full
    events = eb.Events(t=np.sort(rng.integers(0, 10_000, n)), x=x, y=y, p=p, sensor=sensor)
    cuts, span = np.empty(bins + 1, np.int64), float(events.duration_us or 1)
    cut_between(events.t, float(bins), span, cuts)
    made = []
    for add, dtype in ((add_shares, np.float64), (add_shares, np.float32), (add_packed, np.float32)):
        flat = np.full((bins, width * height * (1 if signed else 2)), 77, dtype)
        columns = (events.t, events.x, events.y, events.p, cuts)
        add(*columns, float(bins), span, width, width * height, signed, flat)
        made.append(flat)
    wanted, _ = oracle_grids.voxel_grid(events, bins, "signed" if signed else "separate", "tonic")
    assert_allclose(made[0], wanted.reshape(bins, -1), atol=1e-12 * n)
    assert_allclose(made[1], made[0], atol=1e-5 * n)
    assert_allclose(made[2], made[0], rtol=3e-7, atol=1e-7 * n)


def test_packed_sums_round_finer_than_sums_of_float32():
    events = fixed(200_000, (8, 6))
    exact, _ = VoxelGrid(bins=5, dtype="float64").apply(events)
    got, _ = VoxelGrid(bins=5).apply(events)
    assert exact.max() > 8000
    assert_allclose(got, exact, rtol=3e-7)


@pytest.mark.parametrize("edges", EDGES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [0, 1, 4])
def test_no_event_and_events_all_at_one_time_are_recordings_too(n, dtype, edges):
    events = eb.Events(t=[7] * n, x=[1] * n, y=[2] * n, p=[0] * n, sensor=(4, 3))
    got, account = VoxelGrid(bins=5, edges=edges, dtype=dtype).apply(events)
    assert got.shape == (5, 2, 3, 4)
    assert got[0, 0, 2, 1] == got.sum() == n
    assert account == (n, n, {})


def test_the_definition_by_hand():
    events = eb.Events(t=[0, 10, 15, 40], x=[0] * 4, y=[0] * 4, p=[1, 1, 0, 1], sensor=(1, 1))
    got, _ = VoxelGrid(bins=3, polarity="signed").apply(events)  # t* = 0, 0.5, 0.75, 2
    assert got.ravel().tolist() == [1 + 0.5 - 0.25, 0.5 - 0.75, 1]
    got, account = VoxelGrid(bins=4, polarity="signed", edges="tonic").apply(events)  # t* = 0, 1, 1.5, 4
    assert got.ravel().tolist() == [1, 1 - 0.5, -0.5, 0]
    assert account == (4, 3, {"tail": 1})


def test_the_longest_span_that_times_can_have_does_not_wrap():
    t = np.array([-(2**63), -1, 0, 2**63 - 1])
    x, y, p = (np.zeros(4, kind) for kind in (np.uint16, np.uint16, np.uint8))
    got, _ = VoxelGrid(bins=3, dtype="float64").apply(eb.Events.trusted(t, x, y, p, sensor=(1, 1)))
    assert_allclose(got[:, 0, 0, 0], [1, 2, 1], atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "message", "parameters"),
    [
        (BadSpec, "bins is 0", {"bins": 0}),
        (BadSpec, "bins is 2.5", {"bins": 2.5}),
        (UnknownName, "did you mean 'tonic'", {"edges": "tonci"}),
        (UnknownName, "did you mean 'signed'", {"polarity": "sign"}),
        (UnknownName, "no dtype named 'int8'", {"dtype": "int8"}),
        (BadSpec, "GiB; allowed: 16 GiB", {"bins": 2**40}),
    ],
)
def test_a_wrong_parameter_is_refused_in_one_line(kind, message, parameters):
    with pytest.raises(kind, match=message) as caught:
        VoxelGrid(**parameters).apply(fixed())
    assert str(caught.value).startswith("voxel_grid: ")
    assert "\n" not in str(caught.value)


def test_a_batch_is_its_recordings_one_by_one():
    batch, representation = (
        eb.EventBatch.of([fixed(), eb.Events.empty((40, 30)), fixed(7)]),
        VoxelGrid(bins=3),
    )
    got, accounts = representation.apply_batch(batch)
    for array, account, events in zip(got, accounts, batch, strict=True):
        wanted, alone = representation.apply(events)
        assert_array_equal(array, wanted)
        assert account == alone


def test_a_pipeline_table_builds_it():
    table = {"name": "voxel_grid", "bins": 3, "polarity": "signed", "edges": "tonic", "dtype": "float64"}
    built = registry.representations.build(table, where="p.toml")
    assert built.apply(fixed())[0].shape == built.shape((40, 30)) == (3, 1, 30, 40)
    assert built.array_dtype == np.float64


GOLDEN = {
    "version": 1,
    "zhu2019 float32 40": "52a4fcd238fa8880",
    "zhu2019 float32 9": "1dec8d9c50d09e8c",
    "zhu2019 float64 40": "141fc650539ea44e",
    "zhu2019 float64 9": "90a1a34857f035aa",
    "tonic float32 40": "a8bca2cc627ad42e",
    "tonic float32 9": "90084dae1cc1596c",
    "tonic float64 40": "792adbfc89bf1944",
    "tonic float64 9": "2635416278b3f7b3",
}


def test_the_output_changes_only_with_the_version():
    """Where this fails: raise `VoxelGrid.version`, and only then put the new digests here."""
    got: dict[str, object] = {"version": VoxelGrid.version}
    for edges in EDGES:
        for dtype in DTYPES:
            for sensor in ((40, 30), (9, 7)):
                array, _ = VoxelGrid(bins=5, edges=edges, dtype=dtype).apply(fixed(sensor=sensor))
                digest = hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()[:16]
                got[f"{edges} {dtype} {sensor[0]}"] = digest
    assert got == GOLDEN
