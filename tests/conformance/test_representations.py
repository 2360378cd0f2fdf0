"""What every representation owes the rest, run over each member of the family: shape, account, bytes, and its version."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from eventbench import registry
from eventbench.errors import BadSpec, EventbenchError
from eventbench.events import EventBatch, Events
from eventbench.events.packed import PackedEvents
from eventbench.representations.base import Representation
from tests.support.recordings import fixed, recordings

NAMES = registry.representations.names()
GOLDEN = Path(__file__).resolve().parent / "golden_digests.toml"

# Beside each member's defaults; a new member is tried with its defaults alone until it is named here.
MORE: dict[str, list[dict[str, Any]]] = {
    "averaged_time_surface": [
        {"cell_size": 4, "radius": 1, "tau_us": 300.0, "time_window_us": 2000},
        {"tonic": True, "decay": "lin"},
    ],
    "bina_rep": [{"bins": 3, "bits": 5, "split_by": "tonic_count"}],
    "binary": [{"bins": 5, "split_by": "tonic_time"}],
    "event_spike_tensor": [
        {"bins": 4, "kernel": "exponential", "measure": "polarity", "tau_us": 700.0},
        {"bins": 3, "kernel": "alpha", "measure": "count", "tau_us": 50.0},
    ],
    "frames": [
        {"bins": 7, "split_by": "count", "dtype": "int16"},
        {"bins": 7, "split_by": "tonic_time", "dtype": "float32"},
        {"split_by": "duration", "duration_us": 2**60, "bins": None},
    ],
    "stacked_histogram": [{"bins": 3, "count_cutoff": 2}],
    "time_surface": [
        {"bins": 4, "tau_us": 900.0, "decay": "lin"},
        {"bins": None, "split_by": "tonic_duration", "dt_us": 2**60},
    ],
    "tore": [{"bins": 3, "depth": 2, "tau_min_us": 0, "tau_max_us": 100}],
    "voxel_grid": [
        {"bins": 5, "polarity": "signed", "edges": "tonic", "dtype": "float64"},
        {"bins": 1, "dtype": "float64"},
        {"bins": 4, "dtype": "float64"},
    ],
}
BUILT = [(name, parameters) for name in NAMES for parameters in [{}, *MORE.get(name, [])]]
IDS = [
    f"{name} {'-'.join(f'{value}' for value in parameters.values()) or 'default'}"
    for name, parameters in BUILT
]


# Of fixed recordings only: those of hypothesis can be so long that there would be millions of steps.
SHORT_STEPS: list[tuple[str, dict[str, Any]]] = [
    ("frames", {"bins": None, "split_by": "duration", "duration_us": 60_000}),
    ("time_surface", {"bins": None, "split_by": "duration", "dt_us": 60_000}),
    ("time_surface", {"bins": None, "split_by": "tonic_duration", "dt_us": 60_000}),
]


def made(name: str, parameters: dict[str, Any] | None = None) -> Representation:
    table = {"name": name, **(parameters or {})}
    representation: Representation = registry.representations.build(table, where="a.toml")
    return representation


def fixed_steps(representation: Representation) -> bool:
    try:
        representation.shape((4, 3))
    except BadSpec:
        return False
    return True


@pytest.fixture(params=BUILT, ids=IDS)
def representation(request: pytest.FixtureRequest) -> Representation:
    return made(*request.param)


every = pytest.mark.parametrize("built", BUILT, ids=IDS)
with_short_steps = pytest.mark.parametrize(
    "built",
    [*BUILT, *SHORT_STEPS],
    ids=[*IDS, *(f"{name} short {k}" for k, (name, _) in enumerate(SHORT_STEPS))],
)


@pytest.mark.parametrize("name", NAMES)
def test_a_representation_has_a_version_a_summary_and_is_made_without_parameters(name: str) -> None:
    one = made(name)
    assert isinstance(one, Representation)
    assert one.version >= 1
    assert registry.representations.summary(name)
    assert hash(one) == hash(made(name))


def test_the_parameters_tried_are_of_members_that_there_are() -> None:
    assert set(MORE) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_representation_refuses_a_parameter_it_does_not_have(name: str) -> None:
    with pytest.raises(EventbenchError, match=rf"^a\.toml \[representation {name}\]: unknown key 'no_such'"):
        made(name, {"no_such": 1})


@every
@given(events=recordings(most=25))
@settings(deadline=None, max_examples=20)
def test_shape_dtype_and_account_are_what_is_said_and_the_callers_arrays_stay(
    built: tuple[str, dict[str, Any]], events: Events
) -> None:
    one = made(*built)
    before = [column.copy() for column in (events.t, events.x, events.y, events.p)]
    array, account = one.apply(events)
    assert array.dtype == one.array_dtype
    assert array.ndim == 4
    assert np.isfinite(array).all()
    if fixed_steps(one):
        assert array.shape == one.shape(events.sensor)
    assert account.events == len(events) == account.binned + sum(account.lost.values())
    assert min(account.binned, *account.lost.values(), 0) == 0
    assert 0 not in account.lost.values()
    for column, copy in zip((events.t, events.x, events.y, events.p), before, strict=True):
        assert_array_equal(column, copy)


@every
@given(events=recordings(most=25), dirt=st.sampled_from([0, 1, 255]))
@settings(deadline=None, max_examples=10)
def test_out_is_filled_whatever_was_in_it_and_stored_columns_give_the_same_bytes(
    built: tuple[str, dict[str, Any]], events: Events, dirt: int
) -> None:
    one = made(*built)
    wanted, account = one.apply(events)
    out = np.full(wanted.shape, dirt).astype(wanted.dtype)
    got, again = one.apply(events, out)
    assert got is out
    assert got.tobytes() == wanted.tobytes()
    assert again == account
    from_columns, third = one.apply_packed(PackedEvents.of(events))
    assert from_columns.dtype == wanted.dtype
    assert from_columns.tobytes() == wanted.tobytes()
    assert third == account


@every
@given(data=st.data())
@settings(deadline=None, max_examples=8)
def test_a_batch_is_its_recordings_one_by_one(built: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    one = made(*built)
    first = data.draw(recordings(most=20))
    others = [first[: len(first) // 2], Events.empty(first.sensor), first]
    batch = EventBatch.of([first, *others])
    if not fixed_steps(one):
        with pytest.raises(BadSpec):
            one.apply_batch(batch)
        return
    wanted = [one.apply(events) for events in batch]
    arrays, accounts = one.apply_batch(batch)
    assert arrays.dtype == one.array_dtype
    assert arrays.tobytes() == b"".join(array.tobytes() for array, _ in wanted)
    assert accounts == [account for _, account in wanted]
    out = np.ones_like(arrays)
    got, _ = one.apply_batch(batch, out)
    assert got is out
    assert got.tobytes() == arrays.tobytes()
    shared, _ = one.apply_batch(batch, threads=2)
    assert shared.tobytes() == arrays.tobytes()


@with_short_steps
@pytest.mark.parametrize("sensor", [(40, 30), (9, 7)], ids=["few events a cell", "many events a cell"])
def test_out_is_overwritten_and_returned_and_the_callers_columns_are_not(
    built: tuple[str, dict[str, Any]], sensor: tuple[int, int]
) -> None:
    events, representation = fixed(sensor=sensor), made(*built)
    before = events.to_structured()
    wanted, account = representation.apply(events)
    out = np.full(wanted.shape, 9, wanted.dtype)
    array, its_account = representation.apply(events, out)
    assert array is out
    assert_array_equal(out, wanted)
    assert its_account == account
    assert_array_equal(events.to_structured(), before)


def test_out_may_be_a_row_of_a_batch(representation: Representation) -> None:
    events = fixed(200)
    wanted, _ = representation.apply(events)
    batch = np.full((3, *wanted.shape), 9, wanted.dtype)
    representation.apply(events, batch[1])
    assert_array_equal(batch[1], wanted)
    assert (batch[[0, 2]] == 9).all()


def locked(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


UNFIT: dict[str, Callable[[np.ndarray], Any]] = {
    "height and width exchanged": lambda array: np.zeros_like(array.transpose(0, 1, 3, 2), order="C"),
    "a channel less": lambda array: array[:, :-1].copy(),
    "another dtype": lambda array: array.astype(np.float16),
    "in Fortran's order": lambda array: np.zeros_like(array, order="F"),
    "every second column": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
    "turned round": lambda array: array[..., ::-1],
    "locked": locked,
    "a list": lambda array: [],
    "text": lambda array: "out",
}


@pytest.mark.parametrize("unfit", UNFIT)
@every
def test_an_out_that_does_not_fit_is_refused(built: tuple[str, dict[str, Any]], unfit: str) -> None:
    events, representation = fixed(200), made(*built)
    array, _ = representation.apply(events)
    with pytest.raises(BadSpec, match=f"^{built[0]}: out is"):
        representation.apply(events, UNFIT[unfit](array))


@pytest.mark.parametrize("sensor", [(1, 1), (700, 1), (640, 3)], ids=str)
def test_a_recording_in_which_nothing_happened_works_on_any_sensor(
    representation: Representation, sensor: tuple[int, int]
) -> None:
    array, account = representation.apply(Events.empty(sensor))
    assert account == (0, 0, {})
    assert array.dtype == representation.array_dtype
    if fixed_steps(representation):
        assert array.shape == representation.shape(sensor)
    assert len(np.unique(array)) == 1, "an empty recording must look the same everywhere"


def test_the_same_recording_gives_the_same_bytes_twice(representation: Representation) -> None:
    events = fixed()
    assert representation.apply(events)[0].tobytes() == representation.apply(events)[0].tobytes()


def digest(name: str) -> dict[str, Any]:
    """The version of a member, and sha256 of the dtype, shape and bytes it makes of `fixed()` by its defaults.

    Not rounded: what is computed in floats here is + - * / alone, or is computed in float64 and rounded to float32 once,
    so that another machine's last bit of an exponential shows in one of about 10**8 values.
    """
    one = made(name)
    array, _ = one.apply(fixed())
    array = array.astype(array.dtype.newbyteorder("<"))
    content = f"{array.dtype.str} {array.shape}".encode() + array.tobytes()
    return {"version": one.version, "sha256": hashlib.sha256(content).hexdigest()}


@pytest.mark.parametrize("name", NAMES)
def test_output_does_not_change_while_the_version_stays(name: str) -> None:
    golden, now = tomllib.loads(GOLDEN.read_text()), digest(name)
    entry = f'[{name}]\nversion = {now["version"]}\nsha256 = "{now["sha256"]}"\n'
    assert name in golden, f"put this into {GOLDEN.name}:\n{entry}"
    before = golden[name]
    if now["sha256"] != before["sha256"]:
        assert now["version"] > before["version"], (
            f"the output of {name} changed: raise its version, which is in the key of every store, or undo the change"
        )
    assert now == before, f"version {now['version']} is new; put this into {GOLDEN.name}:\n{entry}"


def test_no_digest_is_of_a_member_that_is_gone() -> None:
    assert set(tomllib.loads(GOLDEN.read_text())) == set(NAMES)
