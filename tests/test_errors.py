"""Errors: their fields, the line made from them, another kind of the same, and the way through a process pool."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from eventbench import errors
from eventbench.errors import BadRecording, BadStore, EventbenchError, UnknownName
from eventbench.preprocess.report import Refused, Report

KINDS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, EventbenchError)
]


def full() -> BadRecording:
    return BadRecording(
        "event 3 of 7 is cut off",
        where=Path("folder") / "a.bin",
        allowed="5 bytes an event",
        fix="download it again",
        reason="truncated",
    )


def test_each_part_is_a_field() -> None:
    error = full()
    assert {name: getattr(error, name) for name in errors.FIELDS} == {
        "what": "event 3 of 7 is cut off",
        "where": Path("folder") / "a.bin",
        "allowed": "5 bytes an event",
        "fix": "download it again",
        "reason": "truncated",
    }


def test_parts_not_given_are_empty() -> None:
    assert [getattr(EventbenchError("nothing works"), name) for name in errors.FIELDS] == [
        "nothing works", "", "", "", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (EventbenchError("bad"), "bad"),
        (EventbenchError("bad", where="a.toml"), "a.toml: bad"),
        (EventbenchError("bad", allowed="good"), "bad; allowed: good"),
        (EventbenchError("bad", fix="mend it"), "bad; mend it"),
        (EventbenchError("bad", reason="rotten"), "bad"),
        (EventbenchError("bad\n  of two lines"), "bad of two lines"),
        (full(), "folder/a.bin: event 3 of 7 is cut off; allowed: 5 bytes an event; download it again"),
    ],
)
def test_the_line_has_the_parts_that_there_are(error: EventbenchError, line: str) -> None:
    assert str(error).replace("\\", "/") == line


def test_an_unknown_name_names_the_nearest_and_all_that_are_known() -> None:
    error = UnknownName("metric", "acuracy", ["top5", "accuracy"], where="t.toml")
    assert str(error) == (
        "t.toml: no metric named 'acuracy'; allowed: accuracy, top5; did you mean 'accuracy'?"
    )
    assert UnknownName("metric", "zzz", []).allowed == "none are known"
    assert UnknownName("metric", "zzz", ["accuracy"]).fix == ""


def test_the_line_without_the_place() -> None:
    assert full().unlocated == "event 3 of 7 is cut off; allowed: 5 bytes an event; download it again"
    assert full().where == Path("folder") / "a.bin"


def test_as_another_kind_it_keeps_its_fields() -> None:
    original = full()
    other = original.as_kind(BadStore)
    assert type(other) is BadStore
    assert [getattr(other, name) for name in errors.FIELDS] == [
        getattr(original, name) for name in errors.FIELDS
    ]
    assert str(other) == str(original)


def test_as_another_kind_it_takes_a_new_place_and_new_advice() -> None:
    other = full().as_kind(BadStore, where="s.h5", fix="")
    assert str(other) == "s.h5: event 3 of 7 is cut off; allowed: 5 bytes an event"
    assert other.reason == "truncated"


def test_any_kind_can_become_any_other() -> None:
    for kind in KINDS:
        assert str(UnknownName("metric", "a", ["b"]).as_kind(kind)) == "no metric named 'a'; allowed: b"
        assert str(full().as_kind(kind)) == str(full())


def refused() -> Refused:
    return Refused(Report(Path("a.h5"), samples=1, refused={"a.bin": "a.bin: is empty"}))


def every_error() -> list[EventbenchError]:
    plain = [kind("bad", where="here", reason="rotten") for kind in KINDS if kind is not UnknownName]
    return [*plain, UnknownName("metric", "acuracy", ["accuracy"], where="t.toml"), refused()]


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
def test_pickling_keeps_kind_line_and_fields(error: EventbenchError) -> None:
    restored = pickle.loads(pickle.dumps(error))
    assert type(restored) is type(error)
    assert str(restored) == str(error) and restored.args == error.args
    assert [getattr(restored, name) for name in errors.FIELDS] == [
        getattr(error, name) for name in errors.FIELDS
    ]


def test_a_refusal_keeps_its_report_when_pickled() -> None:
    assert pickle.loads(pickle.dumps(refused())).report.refused == {"a.bin": "a.bin: is empty"}


def test_an_error_of_a_worker_process_arrives_whole() -> None:
    # Spawned, as on platforms without fork. A built-in raises it there: a worker need not import this file.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        lost = pool.submit(pickle.loads, pickle.dumps(_RaisesWhenRead()))
        with pytest.raises(UnknownName) as raised:
            lost.result()
    assert raised.value.fix == "did you mean 'accuracy'?"


class _RaisesWhenRead:
    def __reduce__(self) -> tuple[object, ...]:
        from eventbench import registry

        return registry.Family.get, (registry.metrics, "acuracy")
