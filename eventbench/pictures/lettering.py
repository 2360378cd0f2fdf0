"""Text in pictures: a few sizes of Pillow's own typeface, cut to the room there is, and times as people say them."""

from __future__ import annotations

from functools import cache

from PIL import ImageDraw, ImageFont

from eventbench.pictures.palette import RGB

TITLE, BODY, SMALL = 19, 14, 12
_UNITS = ((2_000, 1, "us"), (2_000_000, 1_000, "ms"))  # spans below the first number are told in that unit


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own typeface; it has the letters of ASCII and little more."""
    return ImageFont.load_default(size=size)


def width_of(text: str, size: int) -> int:
    return int(font(size).getlength(text) + 0.5)


def fitted(text: str, size: int, room: int) -> str:
    """The text in ASCII, its middle left out where it is wider than `room` pixels."""
    text = text.encode("ascii", "replace").decode("ascii")
    if width_of(text, size) <= room:
        return text
    kept = len(text)
    while kept > 2 and width_of(f"{text[: kept // 2]}...{text[-(kept // 2) :]}", size) > room:
        kept -= 1
    return f"{text[: kept // 2]}...{text[-(kept // 2) :]}" if kept > 2 else ""


def write(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, colour: RGB, anchor: str = "la"
) -> None:
    draw.text(at, text, fill=colour, font=font(size), anchor=anchor)


def unit_of(span_us: float) -> tuple[int, str]:
    """(microseconds in the unit, its name) in which times of such a span are told."""
    return next(((divisor, name) for below, divisor, name in _UNITS if span_us < below), (1_000_000, "s"))


def moment(us: float, span_us: float) -> str:
    """A time within a span, without its unit, with as many digits as tell a thousandth of the span."""
    divisor, _ = unit_of(span_us)
    scale = span_us / divisor
    digits = 0 if divisor == 1 or scale >= 500 else 1 if scale >= 50 else 2 if scale >= 5 else 3
    return f"{us / divisor:,.{digits}f}"


def length(us: float) -> str:
    """A length of time with its unit and three digits: "27.4 ms"."""
    divisor, name = unit_of(us)
    return f"{us / divisor:,.4g} {name}" if us / divisor < 1000 else f"{us / divisor:,.0f} {name}"


def steps_to(span: float, most: int) -> float:
    """The distance of at most `most` ticks over a span: 1, 2 or 5 times a power of ten."""
    power = 1.0
    while power * most * 10 < span:
        power *= 10
    while power * most > span * 10 and power > 1e-9:
        power /= 10
    return next((power * k for k in (1, 2, 5, 10, 20, 50) if span / (power * k) <= most), span)
