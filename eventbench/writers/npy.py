"""NumPy `.npy`: one structured array with fields t, x, y, p, as tonic's transforms take it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np

from eventbench.events import EventBatch, Events
from eventbench.writers.base import Documentation, Size, Writer


class Npy(Writer, frozen=True, forbid_unknown_fields=True):
    """Writer of `.npy`. All events are in memory while it writes."""

    about: ClassVar[Documentation] = Documentation(
        what="NumPy's `.npy`: a structured array, t int64 (us), x and y uint16, p uint8",
        readers="`np.load`, tonic's transforms",
        sensor="not in the file",
        holds="any events",
        traps="whoever reads it must be told the sensor's size",
    )
    suffixes: ClassVar[tuple[str, ...]] = (".npy",)
    source: ClassVar[str] = "numpy_columns"
    whole: ClassVar[bool] = True

    def states_sensor(self, path: Path) -> bool:  # noqa: ARG002  # whatever it is called
        """No."""
        return False

    def write(self, parts: Iterable[Events], sensor: Size, path: Path) -> None:
        """Write one structured array."""
        batch = EventBatch.of(parts, sensor)
        table = Events.trusted(batch.t, batch.x, batch.y, batch.p, sensor).to_structured()
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(table))
            file.write(table.view(np.uint8).data)  # np.save does not say why a write failed
