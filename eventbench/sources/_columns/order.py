"""Which column is which, told by how they behave: times rise, two are pixels, one has the two values of a polarity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from eventbench.errors import BadRecording
from eventbench.sources._columns.values import MINUS_ONE
from eventbench.sources.base import how_to_set

# The orders in use: ECD and v2e, Metavision, MVSEC and others, and with the polarity first.
ORDERS = ("txyp", "xypt", "xytp", "ptxy", "tpxy", "pxyt")
LEAST_EVENTS = 16  # with fewer, what columns do is chance
WIDE = 2048  # pixels of a side; more than almost any event camera has
WIDE_COST = 4
NEARLY = 0.1  # the share of steps back up to which times are nearly in order
LOOKED_AT = 1 << 16  # rows whose order is looked at
SURE = 2  # by how much the best order must be better than the next


class Behaviour(NamedTuple):
    """What one column does. `rises` counts different values in a row where it never steps back, else it is 0."""

    polarity: bool
    pixel: bool
    wide: bool
    back: float
    rises: int


def behaviour(column: np.ndarray) -> Behaviour:
    """What a column of numbers does."""
    if column.dtype.kind == "b":
        return Behaviour(True, True, False, 0.5, 0)
    finite = column.dtype.kind in "iu" or bool(np.isfinite(column).all())
    low, high = (column.min(), column.max()) if finite else (0, np.inf)
    whole = finite and (column.dtype.kind in "iu" or bool((column == np.rint(column)).all()))
    return behaviour_of(column[:LOOKED_AT], low, high, whole=whole)


def behaviour_of(head: np.ndarray, low: float, high: float, *, whole: bool) -> Behaviour:
    """What a column does that begins so, has values from `low` to `high`, and whole numbers only or others too."""
    steps = head[1:] < head[:-1]
    back = float(np.count_nonzero(steps)) / max(1, len(steps))
    values = set(np.unique(head)[:4].tolist()) if whole and (high <= 2 or high in MINUS_ONE) else set()
    return Behaviour(
        polarity=whole and bool(values) and _is_polarity(values),
        pixel=whole and low >= 0 and high < 65536,
        wide=bool(high >= WIDE),
        back=back,
        rises=0 if back else 1 + int(np.count_nonzero(head[1:] > head[:-1])),
    )


def _is_polarity(values: set[float]) -> bool:
    return any(values <= allowed for allowed in ({0, 1}, {-1, 1}, {1, 2}, *({1, most} for most in MINUS_ONE)))


class Cost(NamedTuple):
    """What speaks against an order: times out of order, and columns that do what they should not."""

    disorder: int
    doubts: int

    @property
    def total(self) -> int:
        """Of both."""
        return self.disorder + self.doubts


def cost_of(order: str, columns: Sequence[Behaviour]) -> Cost | None:
    """What speaks against the order; None where it is impossible."""
    by_name = dict(zip(order, columns, strict=True))
    t, x, y, p = (by_name[key] for key in "txyp")
    if not (p.polarity and x.pixel and y.pixel):
        return None
    disorder = 0 if not t.back else 1 if t.back <= NEARLY else 3
    rivals = sum(2 for pixels in (x, y) if pixels.rises > max(t.rises, LEAST_EVENTS))
    return Cost(disorder, rivals + WIDE_COST * (x.wide or y.wide))


def found_order(
    columns: Sequence[np.ndarray], default: str, name: str, behaviours: Sequence[Behaviour] = ()
) -> str:
    """The order of four columns of numbers, such as "xypt".

    `default` is taken where nothing speaks for another order; "" where there is none. `behaviours` are what the columns
    do, where that is known. Raises BadRecording, with the orders that are possible, where the columns do not tell.
    """
    if default and len(columns[0]) < LEAST_EVENTS:
        return default
    behaviours = behaviours or [behaviour(column) for column in columns]
    costs = {order: cost for order in ORDERS if (cost := cost_of(order, behaviours)) is not None}
    ranked = sorted(costs, key=lambda order: costs[order].total)  # stable: the usual order first
    if not ranked and default:
        return default  # what is wrong with the columns is told later
    if not ranked:
        raise BadRecording(
            f"4 columns, none of them as times, pixels and polarities are: {_ranges(columns)}",
            where=name,
            fix=f"if that is their order, {how_to_set('order', 'txyp')}",
            reason="order_in_doubt",
        )
    best = costs[ranked[0]]
    if default in costs and not costs[default].doubts and costs[default].total <= best.total + 1:
        return default
    others = [order for order in ranked if order.index("t") != ranked[0].index("t")]
    ahead = min((costs[order].total for order in others), default=best.total + SURE) >= best.total + SURE
    enough = len(columns[0]) >= LEAST_EVENTS
    if enough and ahead and (best.doubts < SURE or ranked[0] == default):
        return ranked[0]
    if ranked == [default]:
        return default
    raise _doubt(columns, ranked, costs, name)


def _doubt(
    columns: Sequence[np.ndarray], ranked: list[str], costs: dict[str, Cost], name: str
) -> BadRecording:
    doubtless = sorted(ranked, key=lambda order: costs[order].doubts)[0]
    others = ", ".join(f'"{order}"' for order in ranked if order != doubtless)
    return BadRecording(
        f"the order of its columns is in doubt: {_ranges(columns)}",
        where=name,
        allowed="columns that are named, or an order that is",
        fix=f"{how_to_set('order', doubtless)}, which is most likely"
        + (f"; also possible: {others}" if others else ""),
        reason="order_in_doubt",
    )


def _ranges(columns: Sequence[np.ndarray]) -> str:
    return ", ".join(
        f"column {number} is {column.min()} to {column.max()}"
        for number, column in enumerate(columns, 1)
        if len(column)
    )
