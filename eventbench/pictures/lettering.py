"""Text in pictures: Pillow's own typeface in three sizes, text shortened to a width, and times with a fitting unit."""

from __future__ import annotations

from functools import cache

from PIL import ImageDraw, ImageFont

from eventbench.pictures.palette import RGB

TITLE, BODY, SMALL = 19, 14, 12
_UNITS = (
    (2_000, 1, "us"),
    (2_000_000, 1_000, "ms"),
)  # (spans below this, microseconds in the unit, its name)


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own typeface, which has little more than ASCII."""
    return ImageFont.load_default(size=size)


def width_of(text: str, size: int) -> int:
    """The width of a text in pixels."""
    return int(font(size).getlength(text) + 0.5)


def fitted(text: str, size: int, room: int) -> str:
    """The text in ASCII, its middle left out where it is wider than `room` pixels."""
    text = text.encode("ascii", "replace").decode("ascii")
    if width_of(text, size) <= room:
        return text
    letters = len(text)
    while letters > 2 and width_of(f"{text[: letters // 2]}...{text[-(letters // 2) :]}", size) > room:
        letters -= 1
    return f"{text[: letters // 2]}...{text[-(letters // 2) :]}" if letters > 2 else ""


def write(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, colour: RGB, anchor: str = "la"
) -> None:
    """Draw a text; `anchor` is Pillow's, which part of the text lies at `at`."""
    draw.text(at, text, fill=colour, font=font(size), anchor=anchor)


def unit_of(span_us: float) -> tuple[int, str]:
    """(microseconds in the unit, its name) of the unit for times within a span."""
    return next(((divisor, name) for below, divisor, name in _UNITS if span_us < below), (1_000_000, "s"))


def moment(us: float, span_us: float) -> str:
    """A time within a span, without its unit, with enough digits to tell apart thousandths of the span."""
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
