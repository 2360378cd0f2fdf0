"""What every writer owes the rest, run over each member of the family: equal when read back, within its limits, in parts."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import eventbench as eb
from eventbench import registry
from eventbench.errors import BadEvents
from tests.support.made_events import ending, recordings, some

NAMES = registry.writers.names()


@pytest.mark.parametrize("name", NAMES)
def test_a_writer_says_what_the_documentation_needs_and_which_source_reads_it(name: str) -> None:
    writer = registry.writers.get(name)
    assert all(getattr(writer.about, field) for field in ("what", "readers", "sensor", "holds", "traps"))
    assert writer.source in registry.sources.names()
    assert set(writer.suffixes) <= set(registry.sources.get(writer.source).suffixes)


def test_no_ending_belongs_to_two_writers() -> None:
    endings = [suffix for name in NAMES for suffix in registry.writers.get(name).suffixes]
    assert len(endings) == len(set(endings))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_events_are_written_and_read_back_equal_or_refused_for_a_reason(
    name: str, tmp_path: Path, data: st.DataObject
) -> None:
    limits = registry.writers.get(name)().limits()
    events = data.draw(recordings(max(limits.first_us, -(2**30)), 2**32 - 1, min(limits.side, 2048)))
    path = tmp_path / f"a{ending(name)}"
    try:
        saved = events.save(path, name, overwrite=True)
    except BadEvents as error:
        if error.reason not in ("no_events", "too_long", "time_too_late"):
            raise
        return
    assert (saved.events, saved.sensor, saved.bytes) == (len(events), events.sensor, path.stat().st_size)
    writer = registry.writers.get(name)
    told = None if writer().states_sensor(path) else events.sensor
    assert eb.read(path, told) == events


@pytest.mark.parametrize("name", NAMES)
def test_parts_are_written_as_the_whole_is(name: str, tmp_path: Path) -> None:
    writer = registry.writers.get(name)()
    events = some(start=2**24 - 5000, sensor=(min(640, writer.limits().side), min(480, writer.limits().side)))
    cuts = [0, 0, 1, 3, 400, 401, 1000, 1000]
    parts = [events[a:b] for a, b in pairwise(cuts)]
    whole, joined = tmp_path / f"whole{ending(name)}", tmp_path / f"joined{ending(name)}"
    writer.write([events], events.sensor, whole)
    writer.write(parts, events.sensor, joined)
    told = None if writer.states_sensor(whole) else events.sensor
    assert eb.read(joined, told) == eb.read(whole, told) == events


@pytest.mark.parametrize("name", NAMES)
def test_no_events_are_written_with_their_sensor_or_refused(name: str, tmp_path: Path) -> None:
    path, none = tmp_path / f"a{ending(name)}", eb.Events.empty((34, 34))
    try:
        none.save(path, name)
    except BadEvents as error:
        if error.reason != "no_events":
            raise
        assert list(tmp_path.iterdir()) == []  # some formats refuse, others do not
    else:
        states = registry.writers.get(name)().states_sensor(path)
        assert eb.read(path, None if states else (34, 34)) == none


@pytest.mark.parametrize("name", NAMES)
def test_what_is_beyond_its_limits_is_refused(name: str, tmp_path: Path) -> None:
    limits = registry.writers.get(name)().limits()
    times = [[limits.first_us - 1], [limits.last_us + 1], [0, limits.longest_us + 1]]
    beyond = [
        eb.Events(t=t, x=[0] * len(t), y=[0] * len(t), p=[1] * len(t), sensor=(2, 2))
        for t in times
        if min(t) > -(2**63) and max(t) < 2**63
    ]
    if limits.side < 65536:
        beyond += [eb.Events(t=[0], x=[0], y=[0], p=[0], sensor=(1, limits.side + 1))]
    for events in beyond:
        with pytest.raises(BadEvents, match="in this format"):
            events.save(tmp_path / f"a{ending(name)}", name)
    assert list(tmp_path.iterdir()) == []
