"""What every source owes the rest, run over each member of the family: names, endings, and how foreign bytes are met."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventbench import registry
from eventbench.errors import BadRecording, EventbenchError
from eventbench.events import Events
from eventbench.sources.base import PER_US, Source

NAMES = registry.sources.names()
DECODERS = [name for name in NAMES if registry.sources.get(name).suffixes]


@pytest.mark.parametrize("name", NAMES)
def test_a_source_has_a_version_a_summary_and_is_made_without_parameters(name: str) -> None:
    made = registry.sources.build({"name": name}, where="a.toml")
    assert isinstance(made, Source)
    assert made.version >= 1
    assert registry.sources.summary(name)
    assert hash(made) == hash(registry.sources.build({"name": name}, where="a.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_source_says_what_the_documentation_and_the_doctor_need(name: str) -> None:
    source: type[Source] = registry.sources.get(name)
    assert all(msgspec.structs.astuple(source.about))
    assert source.time_unit in PER_US
    assert set(source.shared_suffixes) <= set(source.suffixes)
    for method in ("decode_row", "recordings_in", "labels_in", "subjects_in"):
        assert (getattr(source, method) is not getattr(Source, method)) == source.holds_many
    assert isinstance(source().polarity_convention(None), str)


@pytest.mark.parametrize("name", NAMES)
def test_a_source_refuses_a_parameter_it_does_not_have(name: str) -> None:
    with pytest.raises(EventbenchError, match=rf"^a\.toml \[source {name}\]: unknown key 'no_such'"):
        registry.sources.build({"name": name, "no_such": 1}, where="a.toml")


@pytest.mark.parametrize("name", DECODERS)
def test_endings_are_lower_case_and_begin_with_a_dot(name: str) -> None:
    for suffix in registry.sources.get(name).suffixes:
        assert suffix == suffix.lower()
        assert suffix.startswith(".")


def test_no_first_bytes_belong_to_two_sources() -> None:
    magics = [(magic, name) for name in DECODERS for magic in registry.sources.get(name).magics]
    for magic, name in magics:
        assert magic
        assert not [other for start, other in magics if other != name and start.startswith(magic)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::SyntaxWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", DECODERS)
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_foreign_bytes_give_events_or_one_refusal_that_names_the_file(name: str, data: st.DataObject) -> None:
    kind: type[Source] = registry.sources.get(name)
    start = data.draw(st.sampled_from([b"", *kind.magics]))
    content = start + data.draw(st.binary(max_size=200))
    sensor = data.draw(st.sampled_from([None, (34, 34), (640, 480)]))
    try:
        events = kind().decode(content, "a.file", sensor)
    except BadRecording as error:
        if "a.file" not in str(error):
            pytest.fail(str(error))
    else:
        assert Events(t=events.t, x=events.x, y=events.y, p=events.p, sensor=events.sensor) == events
        assert sensor is None or events.sensor == sensor


@pytest.mark.parametrize("name", DECODERS)
def test_a_file_that_is_not_there_or_empty_is_refused(name: str, tmp_path: Path) -> None:
    source: Source = registry.sources.get(name)()
    path = tmp_path / "a.file"
    with pytest.raises(BadRecording, match=r"a.file: cannot be read: No such file or directory$"):
        source.read(path)
    path.write_bytes(b"")
    with pytest.raises(BadRecording, match=r"a.file: the file is empty \(0 bytes\)"):
        source.read(path)


def test_an_unknown_source_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        EventbenchError, match=r"^a\.toml: no source named 'atis_bn'; allowed: .*; did you mean 'atis_bin'\?$"
    ):
        registry.sources.build({"name": "atis_bn"}, where="a.toml")
