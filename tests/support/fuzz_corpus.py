"""Small sound files of every format, written by the tests' writers or cut from real recordings, and ways to harm them."""

from __future__ import annotations

import io
from pathlib import Path

import h5py
import numpy as np
from scipy.io import savemat

from tests.support.formats import aedat2, aedat4, aedat31, dat, event_stream, evt
from tests.support.miniatures import atis_bytes, npy_bytes, npz_bytes, structured

EVENTS = [(k * 37, k * 7 % 100, k * 13 % 90, k % 2) for k in range(1, 120)]
COLUMNS = {name: np.array(values) for name, values in zip("txyp", zip(*EVENTS, strict=True), strict=True)}
# Whole numbers at which lengths, offsets and counts go wrong.
MAGIC = sorted(
    {0, *(2**k + d for k in (7, 8, 15, 16, 20, 24, 31, 32, 40, 63) for d in (-1, 0, 1)), 2**64 - 1}
)


def seeds(source: str, recordings: Path | None) -> list[bytes]:
    """Sound files of one source; the generated ones, and heads of real recordings where that folder is at hand."""
    cut = _HEADS.get(source, []) if recordings is not None else []
    real = [_head(recordings / name, start, size) for name, start, size in cut] if recordings else []
    return [*_generated(source), *real]


# Recording, what its beginning ends with where that is no line of # or %, bytes of the cut.
_HEADS = {
    "atis_bin": [("dvs128_clip1.bs2", b"", 6_000)],
    "aedat2": [(f"{name}.aedat", b"", 8_000) for name in
               ("davis240c_mixed", "dvs128_walking", "dvs128_checkerboard_noheaderchip", "cochlea_not_a_camera")],
    "aedat4": [("dvxplorer_lite.aedat4", b"packets", size) for size in (20_000, 90_000)],
    "dat": [("evk4_rect_dat2.dat", b"% end\n\x0c\x08", 8_000)],
    "evt": [("gen3_evt2.raw", b"", 8_000), ("evk3_evt3.raw", b"", 8_000)],
    "event_stream": [("pokerdvs_club.es", b"", 13_161)],
    "text_columns": [("nmnist_train00001_events.csv", b"lines", 4_000), ("seventeen_events.txt", b"lines", 4_000)],
}  # fmt: skip


def _head(path: Path, after: bytes, size: int) -> bytes:
    data = path.read_bytes()
    if after == b"packets":
        return _packets(data, size)
    if after == b"lines":
        return data[: data.rindex(b"\n", 0, size) + 1]
    start = data.index(after) + len(after) if after else _header_bytes(data)
    return data[: start + (size - start % 8) // 40 * 40]


def _header_bytes(data: bytes) -> int:
    at = 0
    while data[at : at + 1] in (b"#", b"%") and (end := data.find(b"\n", at)) >= 0:
        at = end + 1
    return at


def _packets(data: bytes, size: int) -> bytes:
    """The first whole packets of an AEDAT 4 file (a line, a header, packets, a table), and no table after them."""

    def u32(at: int) -> int:
        return int.from_bytes(data[at : at + 4], "little")

    start = end = 14 + 4 + u32(14)
    cut = start
    while u32(end) < 16:  # the number of a stream; the table has none
        end += 8 + u32(end + 4)
        cut = end if end <= size else cut
    table = end.to_bytes(8, "little")
    assert data[:start].count(table) == 1
    return data[:start].replace(table, b"\xff" * 8) + data[start:cut]


def _generated(source: str) -> list[bytes]:
    size = (100, 90)
    made = {
        "atis_bin": lambda: [atis_bytes([*EVENTS[:60], (0, 0, 240, 0), *EVENTS[60:]])],
        "aedat2": lambda: [aedat2.write(EVENTS, chip) for chip in ("DVS128", "DAVIS240C", "DAVIS346B")]
        + [aedat2.write(EVENTS, named=False)],
        "aedat31": lambda: [
            aedat31.write([aedat31.polarity(EVENTS[:50]), aedat31.special(5), aedat31.polarity(EVENTS[50:], invalid=[3])]),
            aedat31.write([aedat31.imu6(5), aedat31.polarity(EVENTS)], b"DAVIS240C"),
            aedat31.write([aedat31.polarity(EVENTS)]).replace(b"#Source 1: DVS128\r\n", b""),
        ],
        "aedat4": _aedat4,
        "dat": lambda: [
            *(dat.write(EVENTS, kind, size if end else None, end, version)
              for kind in (0, 12) for end in (False, True) for version in (None, 1, 2)),
            dat.N_CARS + dat.words(EVENTS, 2),
        ],
        "evt": lambda: [
            evt.evt2(EVENTS, size), evt.evt2(EVENTS, triggers=True), evt.evt21(EVENTS, size), evt.evt3(EVENTS, size),
            evt.evt3(EVENTS), evt.evt21(EVENTS),
            evt.header("3.0", (1280, 720)) + evt.evt3_vector(4097, 100, 7, 1, 0b100000000011, 0b10000001) * 20,
        ],
        "event_stream": lambda: [event_stream.write(EVENTS, size)],
        "hdf5_columns": _hdf5,
        "mat_columns": _mat,
        "numpy_columns": _numpy,
        "spikes_hdf5": _spikes,
        "text_columns": lambda: [
            b"".join(b"%d %d %d %d\n" % event for event in EVENTS),
            b"t,x,y,p\n" + b"".join(b"%d,%d,%d,%d\n" % event for event in EVENTS),
            b"100 90\n" + b"".join(b"%d.5e-3 %d %d %d\n" % event for event in EVENTS),
        ],
    }  # fmt: skip
    return made[source]()


def _aedat4() -> list[bytes]:
    made = []
    for compression, pack in ((aedat4.NONE, bytes), (aedat4.ZSTD, aedat4.zstd)):
        packets = [(0, pack(aedat4.events(EVENTS[:60]))), (1, b"imu"), (0, pack(aedat4.events(EVENTS[60:])))]
        made += [aedat4.write(packets, compression=compression, table=table) for table in (None, b"table")]
    return made


def _hdf5() -> list[bytes]:
    made = []
    for options in (
        {},
        {"compression": "gzip", "shuffle": True},
        {"compression": "lzf"},
        {"fletcher32": True},
    ):
        file = io.BytesIO()
        with h5py.File(file, "w") as out:
            for name, values in COLUMNS.items():
                out.create_dataset(
                    f"events/{name}",
                    data=values.astype("i8" if name == "t" else "u2"),
                    chunks=(64,),
                    **options,
                )
            out["t_offset"] = 1000
        made.append(file.getvalue())
    file = io.BytesIO()
    with h5py.File(file, "w", libver="latest") as out:
        out["CD/events"] = structured(COLUMNS, "xypt", {"x": "<u2", "y": "<u2", "p": "<i2", "t": "<i8"})
        out.attrs["geometry"] = "100x90"
    return [*made, file.getvalue(), _zeros_hdf5()]


def _zeros_hdf5() -> bytes:
    """A million values in a few kilobytes, as far as packing goes."""
    file = io.BytesIO()
    with h5py.File(file, "w") as out:
        for name in "txyp":
            out.create_dataset(
                f"events/{name}", data=np.zeros(2**18, "u2"), chunks=(2**18,), compression="gzip"
            )
    return file.getvalue()


def _mat() -> list[bytes]:
    made = []
    for packed in (False, True):
        file = io.BytesIO()
        columns = {"ts": COLUMNS["t"], "x": COLUMNS["x"], "y": COLUMNS["y"], "pol": COLUMNS["p"]}
        savemat(file, {name: values[:, None] for name, values in columns.items()}, do_compression=packed)
        made.append(file.getvalue())
    file = io.BytesIO()
    with h5py.File(file, "w", userblock_size=512) as out:
        for name, values in zip(("ts", "x", "y", "pol"), COLUMNS.values(), strict=True):
            out[name] = np.array([values], np.float64)
    modern = bytearray(file.getvalue())
    modern[:19] = b"MATLAB 7.3 MAT-file"
    return [*made, bytes(modern)]


def _numpy() -> list[bytes]:
    packed = io.BytesIO()
    np.savez_compressed(packed, **COLUMNS, sensor=[100, 90])
    zeros = io.BytesIO()
    np.savez_compressed(zeros, **{name: np.zeros(2**18, np.uint8) for name in "txyp"})
    return [
        npz_bytes(**COLUMNS, sensor=[100, 90]),
        packed.getvalue(),
        zeros.getvalue(),
        npy_bytes(structured(COLUMNS, "xytp")),
        npy_bytes(np.stack(list(COLUMNS.values()), axis=1)),
    ]


def _spikes() -> list[bytes]:
    file = io.BytesIO()
    with h5py.File(file, "w") as out:
        out.create_dataset("spikes/times", 1, h5py.vlen_dtype(np.float16))[0] = np.linspace(0, 1, 60).astype(
            "f2"
        )
        out.create_dataset("spikes/units", 1, h5py.vlen_dtype(np.uint16))[0] = np.arange(60) * 11 % 700
        out["labels"] = np.zeros(1, np.uint16)
    return [file.getvalue()]


def harmed(data: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """The file with one to four things done to it, most of them near its beginning, where sizes and offsets stand."""
    now = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        reach = max(1, len(now) if rng.random() < 0.5 else min(len(now), 600))
        at, size = int(rng.integers(reach)), int(2 ** rng.integers(0, 9))
        match rng.integers(9):
            case 0:
                for k in rng.integers(0, reach, rng.integers(1, 9)).tolist():
                    now[k : k + 1] = bytes([(now[k] if k < len(now) else 0) ^ 1 << int(rng.integers(8))])
            case 1:
                now[at : at + 1] = bytes(
                    [int(rng.choice([0, 1, 0x7F, 0x80, 0xFE, 0xFF, int(rng.integers(256))]))]
                )
            case 2 | 3:
                width = int(rng.choice([2, 4, 8]))
                value = MAGIC[int(rng.integers(len(MAGIC)))] % 2 ** (8 * width)
                at -= at % width if rng.random() < 0.5 else 0
                now[at : at + width] = value.to_bytes(width, "little" if rng.random() < 0.7 else "big")
            case 4:
                del now[at:]
            case 5:
                del now[at : at + size]
            case 6:
                now[at:at] = now[at : at + size] * int(rng.integers(1, 4))
            case 7:
                now[at:at] = rng.bytes(size) if rng.random() < 0.5 else bytes(size)
            case 8:
                other = others[int(rng.integers(len(others)))]
                start = int(rng.integers(max(1, len(other))))
                now[at : at + size] = other[start : start + size]
    return bytes(now)
