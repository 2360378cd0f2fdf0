"""NumPy files: `.npz` with arrays t, x, y, p, or `.npy` with a structured or an (events, 4) array."""

from __future__ import annotations

import io
from typing import Any, ClassVar

import numpy as np

from eventbench.errors import BadEvents, BadRecording
from eventbench.events import Events
from eventbench.sources.base import Source, smallest_sensor


class NumpyColumns(Source, frozen=True, forbid_unknown_fields=True):
    """Reader of columns saved by NumPy; pickled objects are never loaded.

    `order` names the columns of an (events, 4) array, as in "txyp"; a structured array or an `.npz` needs none.
    The sensor is `sensor` in the `.npz` (width, height) where it is there.
    """

    version: ClassVar[int] = 1
    suffixes: ClassVar[tuple[str, ...]] = (".npz", ".npy")
    magics: ClassVar[tuple[bytes, ...]] = (b"\x93NUMPY", b"PK\x03\x04")

    order: str = ""

    def decode(self, data: bytes, name: str, sensor: tuple[int, int] | None = None) -> Events:
        """The events in `data`. Raises BadRecording where there are no four columns of events."""
        try:
            loaded = np.load(io.BytesIO(data), allow_pickle=False)
            columns = self._columns(loaded, name)
        except BadRecording:
            raise
        except Exception as error:  # np.load raises a dozen unrelated types on foreign bytes
            raise BadRecording(f"not a readable NumPy file: {error}", where=name) from None
        inside = columns.pop("sensor", None)
        if sensor is None and inside is not None:
            sensor = np.ravel(inside).tolist()  # type: ignore[assignment]  # Events refuses what is no (width, height)
        if sensor is None:
            sensor = smallest_sensor(columns["x"], columns["y"], name)
        try:
            return Events(**columns, sensor=sensor)
        except BadEvents as error:
            raise BadRecording(str(error), where=name) from None

    def _columns(self, loaded: Any, name: str) -> dict[str, np.ndarray]:
        if isinstance(loaded, np.lib.npyio.NpzFile):
            missing = [column for column in "txyp" if column not in loaded.files]
            if missing:
                raise BadRecording(
                    f"no array {missing[0]!r} among {loaded.files}", where=name, allowed="arrays t, x, y, p"
                )
            return {key: loaded[key] for key in ("t", "x", "y", "p", "sensor") if key in loaded.files}
        if loaded.dtype.names:
            missing = [column for column in "txyp" if column not in loaded.dtype.names]
            if missing:
                raise BadRecording(
                    f"no field {missing[0]!r} among {list(loaded.dtype.names)}",
                    where=name,
                    allowed="fields t, x, y, p",
                )
            return {key: np.ascontiguousarray(loaded[key]) for key in "txyp"}
        if loaded.ndim == 2 and loaded.shape[1] == 4 and sorted(self.order) == sorted("txyp"):
            return {key: np.ascontiguousarray(loaded[:, self.order.index(key)]) for key in "txyp"}
        raise BadRecording(
            f"an array {loaded.shape} of {loaded.dtype} does not say which column is which",
            where=name,
            allowed='a structured array, or (events, 4) with order = "txyp"',
        )
