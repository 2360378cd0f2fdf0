"""A long file, which is not held in memory, is told as a small one is; its signs are the same however it is cut."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventbench import registry
from eventbench.doctor import Examined, examine, examine_folder, recording
from eventbench.doctor.raw import raw_of_bytes, signs_of_file
from eventbench.doctor.recording import examine_bytes, examine_long
from eventbench.doctor.signs import Signs, signs_of
from eventbench.errors import EventbenchError
from eventbench.recordings import windows
from eventbench.recordings.read import Reading
from eventbench.sources import _file_blocks, aedat2, atis_bin
from eventbench.sources._columns import stored
from eventbench.sources.base import PER_US, RawColumns, Source
from tests.support import fuzz_corpus

FORMATS = [name for name in registry.sources.names() if registry.sources.get(name).suffixes]
READINGS = (Reading(), Reading((40, 30)), Reading(parameters={"sort": True, "outside": "drop"}))


def told(path: Path, reading: Reading, *, long: bool) -> Examined | str:
    try:
        return examine_long(path, reading) if long else examine_bytes(path, path.read_bytes(), reading)
    except EventbenchError as error:
        return str(error)


@pytest.mark.slow
@pytest.mark.parametrize("source", FORMATS)
def test_a_file_told_in_pieces_is_told_as_from_its_bytes(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "SMALL_BYTES", -1)
    rng = np.random.default_rng(11)
    seeds = fuzz_corpus.seeds(source, None)
    many = registry.sources.get(source).holds_many
    harmed = [fuzz_corpus.harmed(seeds[k % len(seeds)], seeds, rng) for k in range(3 if many else 12)]
    path = tmp_path / f"a{registry.sources.get(source).suffixes[0]}"
    for data in [seed for seed in [*seeds, *harmed] if seed]:
        path.write_bytes(data)
        for reading in READINGS:
            assert told(path, reading, long=True) == told(path, reading, long=False)


def test_a_file_beyond_the_limit_is_not_read_into_memory_and_told_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, seed in enumerate(fuzz_corpus.seeds("evt", None)):
        (tmp_path / f"{number}.raw").write_bytes(seed)
    (tmp_path / "other.raw").write_bytes(b"nothing that is known" * 9)
    paths = sorted(tmp_path.iterdir())
    whole = [examine(path) for path in paths], examine_folder(tmp_path)
    monkeypatch.setattr(recording, "LONG_BYTES", 0)
    assert ([examine(path) for path in paths], examine_folder(tmp_path)) == whole


def from_all_at_once(raw: RawColumns, sensor: tuple[int, int] | None) -> Signs:
    """The oracle, with NumPy from whole columns."""
    times, over = PER_US[raw.unit]
    with np.errstate(invalid="ignore"):  # inf - inf
        steps = np.diff(raw.t if raw.t.dtype.kind == "i" else raw.t.astype(np.float64))
    back = np.flatnonzero((steps < 0) & np.isfinite(steps))
    values = np.unique(raw.p[np.isfinite(raw.p)])[:8].tolist()
    size = sensor or raw.size
    outside = 0
    if size is not None and len(raw.t):
        outside = int(np.count_nonzero((raw.x < 0) | (raw.x >= size[0]) | (raw.y < 0) | (raw.y >= size[1])))
    x, y, t = (_range(column) for column in (raw.x, raw.y, raw.t))
    return Signs(
        rows=len(raw.t),
        unit=raw.unit,
        polarities=[int(value) if float(value).is_integer() else float(value) for value in values],
        polarity_type=str(raw.p.dtype),
        x=x,
        y=y,
        t_us=t and (t[0] * times / over, t[1] * times / over),
        steps_back=len(back),
        first_back=int(back[0]) + 1 if len(back) else None,
        furthest_back_us=-float(steps[back].min()) * times / over if len(back) else 0.0,
        overflow_markers=raw.overflow_markers,
        wraps=raw.wraps,
        clock_us=raw.clock_us,
        other_words=raw.other_words,
        stated_size=raw.size,
        outside=outside,
    )


def _range(column: np.ndarray) -> tuple[float, float] | None:
    column = column[np.isfinite(column)]
    return (column.min().item(), column.max().item()) if len(column) else None


@st.composite
def raw_columns(draw: st.DrawFn) -> RawColumns:
    n = draw(st.integers(0, 30))
    odd = [0.0, 1.0, -1.0, 2.5, np.nan, np.inf, -np.inf]
    columns: list[np.ndarray] = []
    for _ in "txyp":
        kind = draw(st.sampled_from(["i1", "i8", "u2", "u8", "f4", "f8", "?"]))
        values: st.SearchStrategy[float] = st.integers(0, 100) | st.integers(0, 3)
        if kind[0] == "i":
            values |= st.integers(-100, 100)
        elif kind[0] == "f":
            values |= st.sampled_from(odd)
        columns.append(np.array(draw(st.lists(values, min_size=n, max_size=n))).astype(kind))
    size = draw(st.sampled_from([None, (4, 3)]))
    unit = draw(st.sampled_from(["ns", "us", "s"]))
    t, x, y, p = columns
    return RawColumns(
        t, x, y, p, unit=unit, size=size, overflow_markers=3, wraps=2, clock_us=7, other_words=1
    )


@settings(deadline=None)
@given(raw_columns(), st.lists(st.integers(0, 30), max_size=4), st.sampled_from([None, (90, 2)]))
def test_signs_of_any_cut_are_those_of_all_rows_at_once(
    raw: RawColumns, cuts: list[int], sensor: tuple[int, int] | None
) -> None:
    edges = [0, *sorted(min(cut, len(raw.t)) for cut in cuts), len(raw.t)]
    pieces: list[RawColumns] = []
    for start, stop in pairwise(edges):
        t, x, y, p = (column[start:stop] for column in (raw.t, raw.x, raw.y, raw.p))
        once = raw if not pieces else raw._replace(overflow_markers=0, wraps=0, other_words=0)
        pieces.append(once._replace(t=t, x=x, y=y, p=p))
    assert msgspec.json.encode(signs_of(pieces, sensor)) == msgspec.json.encode(from_all_at_once(raw, sensor))


CUT = [name for name in FORMATS if registry.sources.get(name).raw_pieces is not Source.raw_pieces]


@pytest.mark.parametrize("source", CUT)
def test_raw_columns_in_pieces_have_the_signs_of_the_whole(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = registry.sources.get(source)
    for module in (_file_blocks, aedat2, atis_bin, stored):
        for name in {"BLOCK_BYTES", "BLOCK_ROWS", "PIECE_EVENTS"} & set(vars(module)):
            monkeypatch.setattr(module, name, 64)
    rng = np.random.default_rng(5)
    seeds = fuzz_corpus.seeds(source, None)
    path = tmp_path / "a"
    for data in seeds + [fuzz_corpus.harmed(seeds[k % len(seeds)], seeds, rng) for k in range(200)]:
        path.write_bytes(data or b"x")
        whole = raw_of_bytes(kind(), data or b"x")
        assert signs_of_file(kind(), path, None).signs() == signs_of([whole] if whole else [], None)
