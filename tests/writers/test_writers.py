"""Every writer: whatever the events, what is written reads back equal, here and in other programs; else it is refused."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tonic.transforms import ToFrame

import eventbench as eb
from eventbench import registry
from eventbench.errors import BadEvents, BadSpec, EventbenchError
from tests.support.formats import dat as dat_format
from tests.support.formats import event_stream as es_format
from tests.support.formats import evt as evt_format
from tests.support.made_events import ending, recordings, some

SMALL = (640, 480)


def columns_of(events: eb.Events) -> list[tuple[int, int, int, int]]:
    return list(zip(*(getattr(events, name).tolist() for name in "txyp"), strict=True))


@pytest.mark.slow
@given(events=recordings(most=2**24 - 1))
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_words_are_those_that_the_definitions_of_the_formats_give(tmp_path: Path, events: eb.Events) -> None:
    rows, size = columns_of(events), events.sensor
    expected = {
        "evt2": evt_format.evt2(rows),
        "evt3": evt_format.evt3(rows),
        "dat": dat_format.write(rows),
        "event_stream": es_format.write(rows, size),
    }
    for name, words in expected.items():
        path = tmp_path / name
        registry.writers.get(name)().write([events], size, path)
        end = b"% end\n"
        assert (
            path.read_bytes().rpartition(end)[2]
            == words.rpartition(b"evt 3.0\n")[2].rpartition(b"evt 2.0\n")[2].rpartition(end)[2]
        )


def test_a_text_file_has_the_order_unit_separator_and_header_that_are_asked_for(tmp_path: Path) -> None:
    events = eb.Events(
        t=[-1_000_001, 0, 1_234_567], x=[3, 20, 100], y=[1, 2, 0], p=[1, 0, 1], sensor=(640, 480)
    )
    expected: list[tuple[str, dict[str, Any], str]] = [
        ("a.csv", {}, "# geometry 640x480\nt,x,y,p\n-1000001,3,1,1\n0,20,2,0\n1234567,100,0,1\n"),
        ("a.txt", {"unit": "s"}, "# geometry 640x480\n# t_s x y p\n-1.000001 3 1 1\n0.000000 20 2 0\n1.234567 100 0 1\n"),
        ("a.tsv", {"header": "none", "order": "xypt", "signed": True}, "3\t1\t1\t-1000001\n20\t2\t-1\t0\n100\t0\t1\t1234567\n"),
        ("b.csv", {"header": "names", "unit": "ns", "separator": "semicolon"}, "t_ns;x;y;p\n-1000001000;3;1;1\n0;20;2;0\n1234567000;100;0;1\n"),
        ("c.csv", {"unit": "ms"}, "# geometry 640x480\nt_ms,x,y,p\n-1000.001,3,1,1\n0.000,20,2,0\n1234.567,100,0,1\n"),
    ]  # fmt: skip
    for name, parameters, text in expected:
        saved = events.save(tmp_path / name, **parameters)
        assert (tmp_path / name).read_text() == text
        assert bool(saved.notes) == ("header" in parameters)


def test_what_the_notes_say_reads_a_file_that_does_not_say_all(tmp_path: Path) -> None:
    events = some(50)
    saved = events.save(tmp_path / "a.csv", header="none", order="pxyt", unit="ms")
    assert saved.notes == (
        "the file does not say all of it; to read it: --source text_columns --set order=pxyt --set unit=ms --sensor 640x480",
    )
    assert eb.read(saved.path, SMALL, "text_columns", order="pxyt", unit="ms") == events


@given(events=recordings(first=-(2**26), side=50), unit=st.sampled_from(["ns", "us", "ms", "s"]))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_in_text_are_those_of_python(tmp_path: Path, events: eb.Events, unit: str) -> None:
    registry.writers.get("text")(unit=unit, header="none", order="pytx").write(
        [events], events.sensor, tmp_path / "a.csv"
    )

    def written(t: int) -> str:
        sign, t = "-" * (t < 0), abs(t)
        return {
            "ns": f"{sign}{t * 1000}",
            "us": f"{sign}{t}",
            "ms": f"{sign}{t // 10**3}.{t % 10**3:03}",
            "s": f"{sign}{t // 10**6}.{t % 10**6:06}",
        }[unit]

    rows = [f"{p},{y},{written(t)},{x}" for t, x, y, p in columns_of(events)]
    assert (tmp_path / "a.csv").read_text().splitlines() == rows


@pytest.mark.filterwarnings("ignore::eventbench.EventbenchWarning")  # one pixel in 115 days
def test_times_of_today_in_seconds_keep_their_microseconds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    t = np.sort(rng.integers(1_790_000_000_000_000, 1_800_000_000_000_000, 20_000))
    zeros = np.zeros(len(t), np.uint16)
    events = eb.Events(t=t, x=zeros, y=zeros, p=zeros, sensor=(1, 1))
    for unit in ("s", "ms", "us", "ns"):
        events.save(tmp_path / "a.csv", unit=unit, overwrite=True)
        assert eb.read(tmp_path / "a.csv") == events


def test_dsec_files_answer_as_its_loader_asks(tmp_path: Path) -> None:
    events = some(2000, start=7_777_777)
    for compression in ("gzip", "blosc", "none"):
        events.save(tmp_path / "a.h5", compression=compression, overwrite=True)
        with h5py.File(tmp_path / "a.h5") as file:
            assert int(file["t_offset"][()]) == events.t[0] > 7_777_776
            t, index = file["events/t"][:].astype(np.int64), file["ms_to_idx"][:]
            assert [str(file[f"events/{name}"].dtype) for name in "txyp"] == [
                "uint32",
                "uint16",
                "uint16",
                "uint8",
            ]
            milliseconds = 1000 * np.arange(len(index) - 1)
            assert index[:-1].tolist() == np.searchsorted(t, milliseconds).tolist()
            assert (index[-1], len(index) - 1) == (len(events), t[-1] // 1000 + 1)


def test_arrays_have_the_names_that_others_look_for(tmp_path: Path) -> None:
    events = some()
    events.save(tmp_path / "a.npz", compressed=True)
    with np.load(tmp_path / "a.npz") as loaded:
        assert sorted(loaded.files) == ["p", "sensor", "t", "x", "y"]
        assert np.array_equal(loaded["t"], events.t)
    events.save(tmp_path / "a.npy")
    table = np.load(tmp_path / "a.npy")
    assert table.dtype.names == ("t", "x", "y", "p")
    assert eb.Events.from_structured(table, sensor=SMALL) == events
    frames = ToFrame(sensor_size=(*SMALL, 2), n_time_bins=4)(table)
    assert frames.shape == (4, 2, 480, 640)


def test_text_is_read_by_what_reads_tables(tmp_path: Path) -> None:
    events = some()
    events.save(tmp_path / "a.txt")
    assert np.array_equal(np.loadtxt(tmp_path / "a.txt"), np.array(columns_of(events)))
    events.save(tmp_path / "a.csv", order="xypt")
    table = pytest.importorskip("polars").read_csv(tmp_path / "a.csv", comment_prefix="#")
    assert table.columns == ["x", "y", "p", "t"]
    assert table["t"].to_list() == events.t.tolist()


@pytest.mark.parametrize(
    ("name", "sensor", "t", "message"),
    [
        ("evt2", (2049, 10), [0], r"the sensor is 2049x10; allowed: up to 2048x2048 in this format; crop"),
        ("evt3", (10, 4096), [0], r"the sensor is 10x4096; allowed: up to 2048x2048"),
        ("dat", (16385, 2), [0], r"the sensor is 16385x2; allowed: up to 16384x16384"),
        ("event_stream", (65536, 2), [0], r"the sensor is 65536x2; allowed: up to 65535x65535"),
        ("aedat4", (32768, 2), [0], r"the sensor is 32768x2; allowed: up to 32767x32767"),
        ("evt2", (2, 2), [5, 2**34], r"times reach 17,179,869,184 us; allowed: up to 17,179,869,183 us .*--from-zero"),
        ("evt3", (2, 2), [5, 2**37], r"times reach 137,438,953,472 us; .*--from-zero"),
        ("dat", (2, 2), [5, 2**32], r"times reach 4,294,967,296 us; allowed: up to 4,294,967,295 us .*--from-zero"),
        ("dat", (2, 2), [0, 2**32], r"the events last 4,294,967,296 us; .*--start-us and --stop-us"),
        ("event_stream", (2, 2), [5, 2**34], r"the events last|times reach"),
        ("hdf5_dsec", (2, 2), [-5, 2**32], r"the events last 4,294,967,301 us"),
        ("text", (2, 2), [5, 2**52], r"times reach 4,503,599,627,370,496 us"),
        ("evt3", (2, 2), [-1, 5], r"times begin at -1 us; allowed: 0 us or more in this format; .*from_zero=True"),
        ("dat", (2, 2), [-1, 5], r"times begin at -1 us"),
        ("aedat4", (2, 2), [-1, 5], r"times begin at -1 us"),
    ],
)  # fmt: skip
def test_what_a_format_cannot_hold_is_refused_with_its_value_and_nothing_is_left(
    name: str, sensor: tuple[int, int], t: list[int], message: str, tmp_path: Path
) -> None:
    zeros = [0] * len(t)
    events = eb.Events(t=t, x=zeros, y=zeros, p=zeros, sensor=sensor)
    with pytest.raises(BadEvents, match=message) as error:
        events.save(tmp_path / f"a{ending(name)}", name)
    assert str(error.value).startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    if "from_zero" in error.value.fix and max(t) - min(t) < 2**30:
        assert events.save(tmp_path / "b", name, from_zero=True).from_zero_us == t[0]


def test_a_parameter_that_a_writer_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        BadSpec, match=r"text has no parameter 'ordr'; allowed: order, .*; did you mean 'order'"
    ):
        some().save(tmp_path / "a.csv", ordr="xypt")
    with pytest.raises(BadSpec, match="order is 'xyp'; allowed: t, x, y and p"):
        some().save(tmp_path / "a.csv", order="xyp")
    with pytest.raises(EventbenchError, match=r"no writer named 'evt'; allowed: .*did you mean 'evt3'"):
        some().save(tmp_path / "a.raw", "evt")


# What other programs read rightly. expelliarmus has wrong times of EVT 3, of files of cameras too.
PEERS = {
    "faery": ["evt2", "evt3", "dat", "event_stream", "aedat4"],
    "expelliarmus": ["evt2", "dat"],
    "evutils": ["evt2", "evt3", "dat", "aedat4", "hdf5_prophesee", "hdf5_dsec", "npz"],
    "eventcv": ["evt2", "evt3", "dat", "aedat4"],
}


def by_peer(peer: str, name: str, path: Path) -> list[np.ndarray]:
    """The columns t, x, y, p as another program reads them."""
    if peer == "faery":
        import faery

        rows = faery.events_stream_from_file(path).to_array()
        return [rows[key] for key in "txyp"]
    if peer == "expelliarmus":
        rows = pytest.importorskip("expelliarmus").Wizard(encoding=name).read(path)
        return [rows[key] for key in "txyp"]
    if peer == "evutils":
        reader = pytest.importorskip("evutils.io").EventReader(str(path))
        rows = reader.read_all()
        reader.close()
        return [rows[key] for key in "txyp"]
    table = pytest.importorskip("eventcv").load(str(path)).numpy()
    return [table[:, k].astype(np.int64) for k in (2, 0, 1, 3)]


@pytest.mark.parametrize("start", [0, 2**24 - 5000, 3_600_000_000])
@pytest.mark.parametrize(("peer", "name"), [(peer, name) for peer, names in PEERS.items() for name in names])
def test_other_programs_read_the_same_events(peer: str, name: str, start: int, tmp_path: Path) -> None:
    events, path = some(3000, start), tmp_path / f"a{ending(name)}"
    events.save(path, name)
    columns = by_peer(peer, name, path)
    for column, expected in zip(columns, (events.t, events.x, events.y, events.p), strict=True):
        assert np.array_equal(column, expected)


def test_the_header_of_a_raw_file_is_as_prophesees_software_writes_it(tmp_path: Path) -> None:
    some(3).save(tmp_path / "a.raw")
    lines = (tmp_path / "a.raw").read_bytes().split(b"\n% end\n")[0].split(b"\n")
    assert lines == [b"% evt 3.0", b"% format EVT3;height=480;width=640", b"% geometry 640x480"]


def test_an_event_stream_begins_as_its_definition_says(tmp_path: Path) -> None:
    some(3).save(tmp_path / "a.es")
    assert (tmp_path / "a.es").read_bytes()[:20] == b"Event Stream\x02\x00\x00\x01" + struct.pack(
        "<HH", *SMALL
    )


@pytest.mark.parametrize("name", registry.writers.names())
@pytest.mark.parametrize("file", ["evk3_evt3.raw", "dvxplorer_lite.aedat4", "dvs128_clip1.bs2"])
def test_recordings_of_cameras_are_written_and_read_back_equal(
    file: str, name: str, shared_data: Path, tmp_path: Path
) -> None:
    events, path = eb.read(shared_data / "recordings" / file), tmp_path / f"a{ending(name)}"
    saved = events.save(path, name, from_zero=True)
    told = None if registry.writers.get(name)().states_sensor(path) else events.sensor
    back = eb.read(path, told)
    assert (saved.from_zero_us, saved.events) == (events.t[0], len(events))
    assert np.array_equal(back.t, events.t - events.t[0])
    assert all(np.array_equal(getattr(back, column), getattr(events, column)) for column in "xyp")
