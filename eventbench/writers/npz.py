"""NumPy `.npz`: arrays t, x, y, p and sensor, as `np.load` gives them to tonic, SpikingJelly and anything else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np

from eventbench.events import EventBatch, Events
from eventbench.writers.base import Documentation, Size, Writer


class Npz(Writer, frozen=True, forbid_unknown_fields=True):
    """Writer of `.npz`. All events are in memory while it writes.

    Parameters
    ----------
    compressed : pack the arrays (smaller, and ten times slower)
    """

    about: ClassVar[Documentation] = Documentation(
        what="NumPy's `.npz`: t int64 (us), x and y uint16, p uint8, sensor (width, height)",
        readers="`np.load`, evutils",
        sensor="the array `sensor`",
        holds="any events",
        traps="none",
    )
    suffixes: ClassVar[tuple[str, ...]] = (".npz",)
    source: ClassVar[str] = "numpy_columns"
    whole: ClassVar[bool] = True

    compressed: bool = False

    def write(self, parts: Iterable[Events], sensor: Size, path: Path) -> None:
        """Write one array a column."""
        batch = EventBatch.of(parts, sensor)
        save = np.savez_compressed if self.compressed else np.savez
        with path.open("wb") as file:
            save(file, t=batch.t, x=batch.x, y=batch.y, p=batch.p, sensor=np.array(sensor))
