"""Files in pieces, over every source: the pieces hold what reading the file whole gives, however small they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventbench import registry
from eventbench.sources.base import Decoded, Source
from tests.sources.test_fuzz import DECODERS
from tests.support.formats import aedat2, aedat4, aedat31, dat, event_stream, evt
from tests.support.fuzz_corpus import harmed, seeds
from tests.support.pieces import check_pieces, check_windows, outcome, pieces_of

Event = tuple[int, int, int, int]
SENSOR = (320, 240)
IN_PIECES = [name for name in DECODERS if registry.sources.get(name).scan is not Source.scan]

# Readings of each file: as it is, and with every parameter that changes events.
READINGS: tuple[dict[str, object], ...] = (
    {},
    {"sort": True, "outside": "drop"},
    {"sort": True, "outside": "drop", "salvage": True},
)


def built(name: str, reading: dict[str, object]) -> Source:
    return registry.sources.build({"name": name, **reading}, where="a test")


def events_in(expected: Decoded | str) -> int:
    return len(expected.events) if isinstance(expected, Decoded) else 0


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / f"a{registry.sources.get(name).suffixes[0]}"
    path.write_bytes(data)
    return path


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::SyntaxWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", DECODERS)
def test_pieces_and_windows_of_sound_and_of_cut_files_are_those_of_the_file_read_whole(
    name: str, tmp_path: Path
) -> None:
    rng, most = np.random.default_rng(0), 0
    try:
        files = seeds(name, None)
    except LookupError as missing:
        pytest.skip(str(missing))  # which test_fuzz.py asks of every source
    isolated = registry.sources.get(name).read_isolated  # each piece is a call of another process
    for data in files[: 8 if name in IN_PIECES and not isolated else 2]:
        for content in (data, data[: len(data) * 2 // 3], data[:-1]):
            path = written(tmp_path, name, content)
            for reading in READINGS:
                source = built(name, reading)
                for sensor in (None, (20, 15)):
                    expected = outcome(source, path, sensor)
                    with pieces_of(max(5, events_in(expected) // 50)):
                        most = max(most, check_pieces(source, path, sensor, expected))
                        if isinstance(expected, Decoded):
                            check_windows(source, path, sensor, expected, rng)
    assert most > 1 or name not in IN_PIECES, "no file of it came in several pieces"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::SyntaxWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", IN_PIECES)
def test_pieces_of_harmed_files_are_those_of_the_file_read_whole_or_refused_as_it_is(
    name: str, tmp_path: Path
) -> None:
    rng, sound = np.random.default_rng(1), seeds(name, None)
    for number in range(40 if registry.sources.get(name).read_isolated else 150):
        path = written(tmp_path, name, harmed(sound[number % len(sound)], sound, rng))
        source = built(name, READINGS[number % len(READINGS)])
        expected = outcome(source, path, None)
        with pieces_of(max(int(rng.integers(1, 12)), events_in(expected) // 50)):
            check_pieces(source, path, None, expected)


def in_packets(events: Iterable[Event], pack: Callable[[bytes], bytes], compression: int) -> bytes:
    """An AEDAT 4 file of packets of 17 events and, between them, of inertial samples."""
    rows = list(events)
    packets = [(0, pack(aedat4.events(rows[k : k + 17]))) for k in range(0, len(rows), 17)]
    return aedat4.write([*packets[:2], (1, b"imu"), *packets[2:]], SENSOR, compression)


def in_packets_of_31(events: Iterable[Event]) -> bytes:
    """An AEDAT 3.1 file of packets of 17 events."""
    rows = list(events)
    return aedat31.write([aedat31.polarity(rows[k : k + 17]) for k in range(0, len(rows), 17)], b"DAVIS346")


WRITERS: dict[str, list[Callable[[Iterable[Event]], bytes]]] = {
    "aedat2": [lambda events: aedat2.write(events, "DAVIS346B", others=[1 << 31] * 50)],
    "aedat31": [in_packets_of_31, lambda events: in_packets_of_31(events)[:-3]],
    "aedat4": [
        lambda events: in_packets(events, bytes, aedat4.NONE),
        lambda events: in_packets(events, aedat4.lz4, aedat4.LZ4),
        lambda events: in_packets(events, aedat4.zstd, aedat4.ZSTD),
    ],
    "dat": [dat.write],
    "event_stream": [lambda events: event_stream.write(events, SENSOR)],
    "evt": [evt.evt2, evt.evt21, evt.evt3, evt.evt4, lambda events: evt.evt3(events, SENSOR)],
    "text_columns": [lambda events: "".join(f"{t} {x} {y} {p}\n" for t, x, y, p in events).encode()],
}


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    """Up to 400 events with gaps of any length below the clocks' and many of one time."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 400))
    t = np.cumsum(generator.integers(0, draw(st.sampled_from([1, 2, 50, 5000, 100_000])), count))
    columns = [t, *(generator.integers(0, side, count) for side in (*SENSOR, 2))]
    return [(int(t), int(x), int(y), int(p)) for t, x, y, p in zip(*columns, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    events=event_lists(),
    back=st.integers(0, 30),
    size=st.integers(1, 90),
    reading=st.sampled_from(READINGS),
    seed=st.integers(0, 2**32 - 1),
)
def test_generated_files_in_pieces_of_any_size(
    name: str,
    events: list[Event],
    back: int,
    size: int,
    reading: dict[str, object],
    seed: int,
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(seed)
    for k in rng.integers(0, len(events), back if name == "text_columns" else 0).tolist():
        t, *rest = events[k]
        events[k] = max(0, t - int(rng.integers(0, 300))), *rest  # type: ignore[assignment]
    for write in WRITERS[name]:
        path = written(tmp_path, name, write(events))
        source = built(name, reading)
        for sensor in (SENSOR, (300, 200)):
            expected = outcome(source, path, sensor)
            with pieces_of(size):
                check_pieces(source, path, sensor, expected)
                if isinstance(expected, Decoded):
                    check_windows(source, path, sensor, expected, rng)
