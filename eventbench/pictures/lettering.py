"""Text in pictures: Pillow's own typeface in three sizes, text shortened to a width, times in a suitable unit."""

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
    """Pillow's own typeface, which has only few letters beyond ASCII."""
    return ImageFont.load_default(size=size)


def width_of(text: str, size: int) -> int:
    """The width of a text in pixels."""
    return int(font(size).getlength(text) + 0.5)


def shortened(text: str, size: int, max_width: int) -> str:
    """The text in ASCII, its middle left out if it is wider than `max_width` pixels."""
    text = text.encode("ascii", "replace").decode("ascii")
    if width_of(text, size) <= max_width:
        return text
    letters = len(text)
    while letters > 2 and width_of(f"{text[: letters // 2]}...{text[-(letters // 2) :]}", size) > max_width:
        letters -= 1
    return f"{text[: letters // 2]}...{text[-(letters // 2) :]}" if letters > 2 else ""


def draw_text(
    draw: ImageDraw.ImageDraw,
    position: tuple[float, float],
    text: str,
    size: int,
    colour: RGB,
    anchor: str = "la",
) -> None:
    """Draw a text; `anchor` is Pillow's: which point of the text is at `position`."""
    draw.text(position, text, fill=colour, font=font(size), anchor=anchor)


def time_unit(span_us: float) -> tuple[int, str]:
    """(microseconds in the unit, its name) of the unit for times within a span."""
    return next(((divisor, name) for limit, divisor, name in _UNITS if span_us < limit), (1_000_000, "s"))


def format_time(us: float, span_us: float) -> str:
    """A time within a span, without its unit, with enough digits to distinguish thousandths of the span."""
    divisor, _ = time_unit(span_us)
    scale = span_us / divisor
    digits = 0 if divisor == 1 or scale >= 500 else 1 if scale >= 50 else 2 if scale >= 5 else 3
    return f"{us / divisor:,.{digits}f}"


def format_duration(us: float) -> str:
    """A duration with its unit and about three digits: "27.4 ms"."""
    divisor, name = time_unit(us)
    return f"{us / divisor:,.4g} {name}" if us / divisor < 1000 else f"{us / divisor:,.0f} {name}"


def tick_distance(span: float, max_ticks: int) -> float:
    """The distance of at most `max_ticks` ticks over a span: 1, 2 or 5 times a power of ten."""
    power = 1.0
    while power * max_ticks * 10 < span:
        power *= 10
    while power * max_ticks > span * 10 and power > 1e-9:
        power /= 10
    return next((power * k for k in (1, 2, 5, 10, 20, 50) if span / (power * k) <= max_ticks), span)
