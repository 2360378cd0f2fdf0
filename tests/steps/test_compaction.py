"""The kernels behind the steps against what they replace: boolean indexing, 64 bits, sorting; `oracle_steps` where 32 bits end."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from eventbench.events import Events
from eventbench.steps import denoise, drop_hot_pixels, refractory_period
from eventbench.steps._compaction import kept_columns
from eventbench.steps._parts import select
from eventbench.steps.denoise import Denoise
from eventbench.steps.drop_hot_pixels import DropHotPixels
from eventbench.steps.refractory_period import RefractoryPeriod
from tests.steps import oracle_steps
from tests.support.recordings import fixed, recordings

generated = partial(settings, deadline=None, max_examples=60)
END = 2**32  # of what 32 bits count


@given(recordings(), st.data())
@generated()
def test_events_of_a_mask_are_those_of_boolean_indexing(events, data):
    share = data.draw(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]))
    mask = np.random.default_rng(data.draw(st.integers(0, 99))).random(len(events)) < share
    out = select(events, mask)
    expected = {name: getattr(events, name)[mask] for name in "txyp"}
    for name, column in expected.items():
        assert_array_equal(getattr(out, name), column)
        assert getattr(out, name).dtype == column.dtype
        assert getattr(out, name).flags.c_contiguous
    assert out == Events(**expected, sensor=events.sensor)


def test_new_columns_are_of_their_own_memory_and_writable_and_of_just_the_length_that_is_needed():
    events = fixed()
    mask = np.arange(len(events)) % 3 == 0
    columns = events.t, events.x, events.y, events.p
    for column, of in zip(kept_columns(*columns, mask), columns, strict=True):
        assert not np.shares_memory(column, of) and column.flags.writeable and len(column) == mask.sum()
        assert column.dtype == of.dtype


def test_a_mask_that_is_true_for_all_gives_the_recording_itself():
    events = fixed()
    assert select(events, np.ones(len(events), np.bool_)) is events


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (denoise, Denoise(filter_time_us=1000)),
        (denoise, Denoise(filter_time_us=3, neighbours=4)),
        (refractory_period, RefractoryPeriod(period_us=1000)),
        (refractory_period, RefractoryPeriod(period_us=3, since_any=True)),
        (refractory_period, RefractoryPeriod(period_us=3, tonic=True)),
    ],
)
@given(events=recordings())
@generated()
def test_the_kernels_of_32_and_of_64_bits_keep_the_same_events(module, step, events):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "fits_uint32", lambda number: False)
        in_64_bits = step.apply(events)
    assert step.apply(events) == in_64_bits


@pytest.mark.parametrize("span", [END - 4, END - 3, END - 2, END - 1, END, END + 1])
@pytest.mark.parametrize("start", [0, -1, 7, 1 - 2**63, 2**63 - 2 - END])
def test_where_32_bits_end_no_event_is_kept_or_dropped_wrongly(span, start):
    t = [start, start, start + 1, start + span - 1, start + span, start + span]
    events = Events(t=t, x=[0, 1, 0, 1, 0, 0], y=[0] * 6, p=[1] * 6, sensor=(2, 1))
    for time_us in (1, 2, 3, span - 1, span, span + 1):
        for since_any in (False, True):
            kept = RefractoryPeriod(period_us=time_us, since_any=since_any).apply(events)
            expected = oracle_steps.refractory_period(events, time_us, since_any)
            assert kept.t.tolist() == events.t[expected].tolist()
        supported = Denoise(filter_time_us=time_us).apply(events)
        assert supported.t.tolist() == events.t[oracle_steps.denoise(events, time_us, 8)].tolist()


@given(recordings(), st.sampled_from([None, 0, 0.5, 3.0, 1000.0, 40_000.0]))
@generated()
def test_hot_pixels_are_the_same_by_counting_and_by_sorting(events, most_hz):
    step = DropHotPixels(most_hz=most_hz)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drop_hot_pixels, "MOST_IN_A_TABLE", 0)
        by_sorting = step.apply(events)
    assert step.apply(events) == by_sorting


def test_a_sensor_that_one_bad_event_made_enormous_takes_no_table_of_its_pixels():
    t = np.arange(1001)
    events = Events(t=t, x=[5] * 1000 + [65535], y=[5] * 1000 + [65535], p=t % 2, sensor=(65536, 65536))
    assert DropHotPixels().apply(events).x.tolist() == [65535]
