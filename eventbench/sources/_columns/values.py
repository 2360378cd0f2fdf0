"""Values of columns: times of any unit as whole microseconds, whole numbers, polarities of unsigned types, fixed point."""

from __future__ import annotations

import numpy as np

from eventbench.errors import BadRecording
from eventbench.sources.base import PER_US, how_to_set

MINUS_ONE = (2**8 - 1, 2**16 - 1, 2**32 - 1, 2**64 - 1)  # -1, written into an unsigned type
DATES_S = (946_684_800, 4_102_444_800)  # 2000 and 2100, in seconds since 1970
WIDEST = 4096  # pixels of a side; no event camera has more
FIXED_POINT_EVENTS = 16  # with fewer, a common divisor may be chance


def microseconds(t: np.ndarray, unit: str, name: str) -> np.ndarray:
    """int64 microseconds of times in `unit`, rounded to the nearest where the unit is finer or times have fractions."""
    times, over = PER_US[unit]
    if t.dtype.kind == "f":
        if len(t) and not (np.isfinite(t).all() and np.abs(t).max() * times / over < 2**62):
            raise BadRecording(
                "a time is not a finite number, or is over 2**62 us",
                where=name,
                fix="leave such events out where the file is written",
            )
        return np.rint(t.astype(np.float64) * times / over).astype(np.int64)
    if t.dtype.kind not in "iu":
        raise BadRecording(f"times are {t.dtype}", where=name, allowed="numbers")
    if times == over and t.dtype.kind == "i":
        return t.astype(np.int64, copy=False)
    if len(t) and max(abs(int(t.min())), abs(int(t.max()))) * times >= 2**62 * over:
        raise BadRecording(f"times reach {t.max()} {unit}", where=name, allowed="up to 2**62 us")
    whole = t.astype(np.int64) * times
    return whole if over == 1 else (whole + over // 2) // over


def whole_or_in(t: np.ndarray, unit: str, name: str) -> np.ndarray:
    """As `microseconds`, but times in "us" must be whole: seconds read as microseconds would all be rounded to 0."""
    if unit == "us" and t.dtype.kind == "f" and np.isfinite(t).all() and (t != np.rint(t)).any():
        at = int(np.argmax(t != np.rint(t)))
        likely = likely_unit(t)
        raise BadRecording(
            f"t is {t[at]} at event {at:,}, a fraction of a microsecond",
            where=name,
            allowed="whole microseconds",
            fix=f"{how_to_set('unit', likely)} if that is what they are{_precision(t, likely)}, or round them first",
            reason="unit_in_doubt",
        )
    return microseconds(t, unit, name)


def likely_unit(t: np.ndarray) -> str:
    """The unit, "s" or "ms", that times with fractions are most likely in.

    Milliseconds where three decimals say all of them, for cameras count microseconds, and where they are no date and
    not shorter than a second.
    """
    part = t[:: max(1, len(t) // 1000)].astype(np.float64)
    if DATES_S[0] <= part[0] <= DATES_S[1]:
        return "s"
    thousandth = np.abs(part * 1000 - np.rint(part * 1000)) < 1e-3
    return "ms" if thousandth.all() and part[-1] - part[0] > 1 and t.dtype != np.float32 else "s"


def time_step_us(t: np.ndarray, unit: str) -> float:
    """Microseconds between the largest time and the next one its floating point type can say; 0 for whole numbers."""
    if t.dtype.kind != "f" or not len(t):
        return 0.0
    times, over = PER_US[unit]
    return float(np.spacing(np.abs(t[np.isfinite(t)]).max(initial=0))) * times / over


def _precision(t: np.ndarray, unit: str) -> str:
    step = time_step_us(t, unit)
    return f" ({t.dtype} keeps them to {step:.1f} us only)" if step > 1 else ""


def whole_numbers(column: np.ndarray, column_name: str, name: str) -> np.ndarray:
    """A column of whole numbers; floats are taken where each is one. Raises BadRecording for any other."""
    if column.dtype.kind in "iub":
        return column
    if column.dtype.kind != "f":
        raise BadRecording(f"{column_name} is {column.dtype}", where=name, allowed="whole numbers")
    finite = np.isfinite(column)
    if not finite.all():
        at, count = int(np.argmin(finite)), int(np.count_nonzero(~finite))
        raise BadRecording(
            f"{column_name} is {column[at]} at event {at:,} ({count:,} such)",
            where=name,
            allowed="whole numbers",
            fix="leave these events out where the file is written: what they were is lost",
        )
    if np.abs(column).max(initial=0) >= 2**53:
        raise BadRecording(
            f"{column_name} is {column.dtype}", where=name, allowed="whole numbers below 2**53"
        )
    whole = column.astype(np.int64)
    if (whole == column).all():
        return whole
    at = int(np.argmax(whole != column))
    raise BadRecording(
        f"{column_name} is {column[at]} at event {at:,}",
        where=name,
        allowed="whole numbers",
        fix="round rectified coordinates first, as you mean it",
    )


def signed_polarity(p: np.ndarray) -> np.ndarray:
    """Polarities, of which 255 or 4294967295 beside 1 is -1 in an unsigned type; any others as they are."""
    if not len(p) or p.dtype.kind not in "iu":
        return p
    low, high = int(p.min()), int(p.max())
    if high not in MINUS_ONE or not (low == 1 or low == high > MINUS_ONE[1]):
        return p
    on = p == 1
    return on if (on | (p == p.dtype.type(high))).all() else p


def common_step(x: np.ndarray, y: np.ndarray) -> int:
    """The whole number over 1 that all x and all y are multiples of, as fixed point is; 1 where there is none."""
    if min(len(x), len(y)) < FIXED_POINT_EVENTS or x.dtype.kind not in "iu" or y.dtype.kind not in "iu":
        return 1
    step = int(np.gcd(np.gcd.reduce(x.astype(np.int64)), np.gcd.reduce(y.astype(np.int64))))
    return step if step > 1 else 1


def refuse_fixed_point(x: np.ndarray, y: np.ndarray, name: str) -> None:
    """Raises BadRecording for coordinates no camera has, of a file that does not state its sensor's size."""
    if not (len(x) and len(y)) or x.dtype.kind not in "iu" or y.dtype.kind not in "iu":
        return
    reach = max(int(x.max()), int(y.max()))
    if reach < WIDEST:
        return
    step = common_step(x, y)
    wide = f"x reaches {int(x.max()):,} and y {int(y.max()):,}, more than any camera has"
    if step > 1:
        raise BadRecording(
            f"{wide}, and all are multiples of {step}: fixed point",
            where=name,
            fix=f"{how_to_set('subpixels', step)}",
            reason="fixed_point",
        )
    raise BadRecording(
        wide,
        where=name,
        fix=f"give sensor=(width, height) if they are right; {how_to_set('subpixels', 32)} if they are in 32nds of a pixel",
        reason="fixed_point",
    )
