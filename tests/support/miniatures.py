"""Small data sets on disk, written from the formats' definitions and by none of the package's code."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

from eventbench.cli import main
from eventbench.home import Places
from eventbench.specs import catalog
from eventbench.specs.card import Card
from eventbench.specs.pipeline import Pipeline
from eventbench.specs.task import Task

Event = tuple[int, int, int, int]  # t, x, y, p

SENSOR = (8, 6)
CLASSES = ("left", "right")


def atis_bytes(events: Iterable[Event]) -> bytes:
    """The 40-bit form of events whose times fit 23 bits; y = 240 is written as it is given: a marker."""
    return b"".join(struct.pack(">BBBH", x, y, p << 7 | t >> 16, t & 0xFFFF) for t, x, y, p in events)


def structured(columns: dict[str, np.ndarray], order: str, kinds: dict[str, Any] | None = None) -> np.ndarray:
    """A structured array of t, x, y and p with its fields in `order`, as "xytp"."""
    kinds = {"t": "<i8", "x": "<u2", "y": "<u2", "p": "u1"} | (kinds or {})
    array = np.empty(len(columns["t"]), [(name, kinds[name]) for name in order])
    for name in order:
        array[name] = columns[name]
    return array


def npy_bytes(array: np.ndarray, *, allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def npz_bytes(**columns: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **columns)
    return file.getvalue()


def sided_events(side: int, seed: int, n: int = 60) -> list[Event]:
    """`n` events of which nine in ten lie in the left half (side 0) or the right half (side 1) of the sensor."""
    rng = np.random.default_rng([side, seed])
    width, height = SENSOR
    half = width // 2
    at = np.where(rng.random(n) < 0.9, side, 1 - side)
    x = rng.integers(0, half, n) + at * half
    t = np.cumsum(rng.integers(0, 4000, n))
    return [
        (int(a), int(b), int(c), int(d))
        for a, b, c, d in zip(t, x, rng.integers(0, height, n), rng.integers(0, 2, n), strict=True)
    ]


class Miniature(NamedTuple):
    """A data set of two classes in class folders, its card, a pipeline and a task, each a TOML file."""

    card: Path
    pipeline: Path
    task: Path
    places: Places

    @property
    def raw(self) -> Path:
        return self.places.data / "mini"

    def file(self, split: str, k: int) -> Path:
        """The recording number `k` of a split, counted from 1; classes take turns."""
        return self.raw / split / CLASSES[(k - 1) % 2] / f"{k:05d}.bin"

    @property
    def flags(self) -> list[str]:
        """What a command line needs to work in these folders only."""
        return ["--data-dir", str(self.places.data), "--cache-dir", str(self.places.cache)]

    @property
    def board(self) -> list[str]:
        return ["--board", str(self.places.board)]

    @property
    def order(self) -> catalog.Named[Task]:
        return catalog.task(str(self.task))

    @property
    def named_card(self) -> catalog.Named[Card]:
        return catalog.card(str(self.card))

    @property
    def named_pipeline(self) -> catalog.Named[Pipeline]:
        return catalog.pipeline(str(self.pipeline))


def miniature(folder: Path, train: int = 24, test: int = 10, events: int = 60, **card: Any) -> Miniature:
    """`train` and `test` recordings under `folder`; `card` replaces values of the card."""
    made = Miniature(
        card=folder / "mini.toml",
        pipeline=folder / "mini_frames-v1.toml",
        task=folder / "mini-v1.toml",
        places=Places(folder / "raw", folder / "stores", folder / "board"),
    )
    for number, (split, count) in enumerate((("train", train), ("test", test))):
        for k in range(1, count + 1):
            path = made.file(split, k)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(atis_bytes(sided_events((k - 1) % 2, 10_000 * number + k, events)))
    write_toml(made.card, card_table(train, test) | card)
    write_pipeline(made.pipeline)
    write_task(made.task, made)
    (folder / "board").mkdir(exist_ok=True)
    return made


def card_table(train: int, test: int) -> dict[str, Any]:
    return {
        "sensor": list(SENSOR),
        "classes": list(CLASSES),
        "source": {"name": "atis_bin"},
        "layout": {"name": "class_folders", "folders": {"train": "train", "test": "test"}, "suffix": ".bin"},
        "splits": {
            split: {"samples": n, "per_class": [n - n // 2, n // 2], "numbered": split + "/{:05d}"}
            for split, n in (("train", train), ("test", test))
        },
        "obtain": {"how": "ask for it"},
    }


def write_pipeline(path: Path, steps: Sequence[dict[str, Any]] = (), **changes: Any) -> Path:
    frames = {"name": "frames", "bins": 4, "split_by": "time", "dtype": "uint8", "overflow": "saturate"}
    return write_toml(path, {"steps": list(steps), "representation": frames | changes})


def write_task(path: Path, made: Miniature, **changes: Any) -> Path:
    return write_toml(
        path,
        {
            "dataset": str(made.card),
            "pipeline": str(made.pipeline),
            "metrics": ["accuracy", "parameters"],
            "validation": {"carve": 0.25, "by": "class"},
            "seeds": [0, 1],
        }
        | changes,
    )


def write_toml(path: Path, table: dict[str, Any]) -> Path:
    path.write_bytes(msgspec.toml.encode(table))
    return path


def run_cli(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command line run in this process."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line of a command line that must be refused, without the program's name."""
    status, _, err = run_cli(capsys, *arguments)
    assert status == 2, err
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("eventbench: ")
    return lines[0].removeprefix("eventbench: ")
