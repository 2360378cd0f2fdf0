"""`PixelGrid`: a sensor scaled to a picture by whole factors: small ones enlarged, large ones in blocks of pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from eventbench.events import Events

MIN_HEIGHT = 24  # of a picture in pixels, for sensors with few rows, such as a cochlea


@njit(cache=True, nogil=True)
def count_cells(x, y, p, block, columns, by_polarity):  # type: ignore[no-untyped-def]
    """Add events to the counts of their cells, int64 (cells, 2)."""
    for i in range(x.shape[0]):
        by_polarity[np.int64(y[i]) // block * columns + np.int64(x[i]) // block, p[i]] += 1


class PixelGrid(NamedTuple):
    """Blocks of `block` x `block` sensor pixels, in `columns` and `rows`, drawn as cells of `cell_width` x `cell_height`."""

    block: int
    cell_width: int
    cell_height: int
    columns: int
    rows: int

    @classmethod
    def of(cls, sensor: tuple[int, int], room: int) -> PixelGrid:
        """The grid whose picture has a longer side of about `room` pixels; it may exceed that by a quarter."""
        longer = max(sensor)
        block = max(1, -(-longer * 4 // (room * 5)))
        columns, rows = -(-sensor[0] // block), -(-sensor[1] // block)
        side = max(1, room * 5 // (4 * max(columns, rows)))
        return cls(block, side, max(side, -(-MIN_HEIGHT // rows)), columns, rows)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the picture."""
        return self.columns * self.cell_width, self.rows * self.cell_height

    def cells(self, events: Events) -> np.ndarray:
        """int64 (events,): the cell of each event, row * columns + column."""
        rows, columns = events.y // self.block, events.x // self.block
        cells: np.ndarray = rows.astype(np.int64) * self.columns + columns
        return cells

    def add(self, events: Events, by_polarity: np.ndarray) -> None:
        """Add the events of each cell and polarity to `by_polarity`, int64 (cells, 2)."""
        count_cells(events.x, events.y, events.p, self.block, self.columns, by_polarity)

    def enlarge(self, cells: np.ndarray) -> np.ndarray:
        """The picture (height, width, 3) of the cells' colours (rows, columns, 3)."""
        if self.cell_width == self.cell_height == 1:
            return cells
        return np.repeat(np.repeat(cells, self.cell_height, 0), self.cell_width, 1)

    @property
    def description(self) -> str:
        """The scale in words, for the note on a picture; empty at full size."""
        if self.block > 1:
            return f"{self.block}x{self.block} pixels in one"
        return f"enlarged {self.cell_width} times" if self.cell_width > 1 else ""
