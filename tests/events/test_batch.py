"""Many recordings in one call: the same frames and accounts as one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import eventbench as eb
from eventbench.errors import BadEvents, BadSpec
from eventbench.events import EventBatch
from eventbench.representations._slices import RULES
from tests.support.recordings import fixed, times

FIXED = sorted(name for name, rule in RULES.items() if rule.needs == "bins" and name != "spikingjelly_time")


@st.composite
def batches(draw: st.DrawFn) -> list[eb.Events]:
    """Up to five recordings of one small sensor, some without events, some with over 255 events in a cell."""
    drawn = []
    for _ in range(draw(st.integers(0, 5))):
        n, copies = draw(st.integers(0, 12)), draw(st.sampled_from([1, 1, 300]))
        t = np.repeat(draw(times(n)), copies)
        x, y, p = (
            np.repeat(np.array(draw(st.lists(st.integers(0, top), min_size=n, max_size=n)), np.int64), copies)
            for top in (6, 3, 1)
        )
        drawn.append(eb.Events(t=t, x=x, y=y, p=p, sensor=(7, 4)))
    return drawn


@given(
    batches(),
    st.sampled_from(FIXED),
    st.integers(1, 6),
    st.sampled_from(["uint8", "int8", "float32"]),
    st.integers(1, 3),
)
@settings(deadline=None, max_examples=150)
def test_a_batch_gives_what_its_recordings_give_one_by_one(recordings, split_by, bins, dtype, threads):
    batch = EventBatch.of(recordings, sensor=(7, 4))
    got, accounts = eb.frames(batch, bins, split_by, dtype, threads=threads, return_account=True)
    assert got.shape == (len(recordings), bins, 2, 4, 7)
    for events, frames, account in zip(recordings, got, accounts, strict=True):
        expected, expected_account = eb.frames(events, bins, split_by, dtype, return_account=True)
        assert_array_equal(frames, expected)
        assert account == expected_account


@given(batches())
@settings(deadline=None, max_examples=50)
def test_a_batch_gives_its_recordings_back(recordings):
    batch = EventBatch.of(recordings, sensor=(7, 4))
    assert list(batch) == recordings
    assert batch.lengths.tolist() == [len(events) for events in recordings]


def test_out_is_filled_and_must_fit():
    batch = EventBatch.of([fixed(100), fixed(40)])
    out = np.full((2, 3, 2, 30, 40), 7, np.uint8)
    assert eb.frames(batch, 3, out=out) is out
    assert_array_equal(out[1], eb.frames(fixed(40), 3))
    with pytest.raises(
        BadSpec, match=r"^frames: out is uint8 \(1, 3, 2, 30, 40\); allowed: uint8 \(2, 3, 2, 30, 40\)"
    ):
        eb.frames(batch, 3, out=out[:1])


def test_where_the_number_of_frames_varies_a_batch_is_refused():
    with pytest.raises(BadSpec, match=r"split_by='duration' has no fixed number of frames"):
        eb.frames(EventBatch.of([fixed(10)]), split_by="duration", duration_us=10)


def test_recordings_of_two_sensors_or_of_none_are_no_batch():
    with pytest.raises(BadEvents, match="the sensor of the batch is 40x30, 8x6"):
        EventBatch.of([fixed(3), fixed(3, (8, 6))])
    with pytest.raises(BadEvents, match="the sensor of the batch is not given"):
        EventBatch.of([])
    with pytest.raises(BadEvents, match="got a list in a batch; allowed: Events"):
        EventBatch.of([[1, 2]])  # type: ignore[list-item]
