"""From sensor to picture by whole factors: a small sensor enlarged, pixel by pixel, a large one taken in blocks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventbench.events import Events

THIN = 24  # rows of pixels that a sensor of one line gets at least, as a cochlea's


class Lens(NamedTuple):
    """Blocks of `block` x `block` sensor pixels become rectangles of `wide` x `high` pixels."""

    block: int
    wide: int
    high: int
    grid: tuple[int, int]

    @classmethod
    def of(cls, sensor: tuple[int, int], room: int) -> Lens:
        """The one whose picture's longer side comes nearest to `room` from below; a quarter more is taken where it fits."""
        longer = max(sensor)
        block = max(1, -(-longer * 4 // (room * 5)))
        columns, rows = -(-sensor[0] // block), -(-sensor[1] // block)
        wide = max(1, room * 5 // (4 * max(columns, rows)))
        return cls(block, wide, max(wide, -(-THIN // rows)), (columns, rows))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the picture."""
        return self.grid[0] * self.wide, self.grid[1] * self.high

    def cells(self, events: Events) -> np.ndarray:
        """int64 (events,): the place of each in the flattened grid of blocks."""
        return (events.y // self.block).astype(np.int64) * self.grid[0] + events.x // self.block

    def enlarge(self, pixels: np.ndarray) -> np.ndarray:
        """(rows, columns, 3) of blocks as the picture (height, width, 3)."""
        return np.repeat(np.repeat(pixels, self.high, 0), self.wide, 1)

    @property
    def told(self) -> str:
        """What the factors are, in words."""
        if self.block > 1:
            return f"{self.block}x{self.block} pixels in one"
        return f"enlarged {self.wide} times" if self.wide > 1 else ""
