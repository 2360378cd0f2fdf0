"""What the header of an EVT file says: the encoding, and the sensor's size by the name of its chip or system."""

from __future__ import annotations

import re

from eventbench.sources._percent_header import Header

CHIPS = {"gen3": (640, 480), "gen4": (1280, 720), "imx636": (1280, 720), "genx320": (320, 320)}
# The systems that older headers name by a number alone: size and encoding, as openeb takes them.
SYSTEMS = {
    **dict.fromkeys((21, 23, 25, 28, 29, 33, 34, 35, 41), ((640, 480), "2")),
    40: ((640, 480), "3"),
    **dict.fromkeys((26, 31, 39), ((1280, 720), "2")),
    **dict.fromkeys((30, 32, 46, 48, 49, 50, 58), ((1280, 720), "3")),
    64: ((320, 320), ""),
}
ENCODING = re.compile(r"^(?:evt\s+([\d.]+)|format\s+([\w.-]+))", re.IGNORECASE)
_LEGACY = re.compile(r"\bendianness[= ]legacy\b")
_SHORT = {"2.0": "2", "2.1": "21", "3.0": "3", "4.0": "4"}


def stated_encoding(header: Header) -> str:
    """ "2", "21", "3" or "4", or the name of another encoding as the header has it; "" where it names none."""
    for line in header.lines:
        if match := ENCODING.match(line):
            stated = match[1] or match[2].removeprefix("EVT").removeprefix("evt")
            return _SHORT.get(stated, stated)
    return ""


def upper_half_first(header: Header) -> bool:
    """Whether the halves of words of EVT 2.1 are swapped."""
    return any(_LEGACY.search(line) for line in header.lines)


def system(header: Header) -> tuple[tuple[int, int], str] | None:
    """(size, encoding) of the system that the header names by its number."""
    for line in header.lines:
        if match := re.match(r"system_id\s+(\d{1,4})$", line, re.IGNORECASE):
            return SYSTEMS.get(int(match[1]))
    return None


def size_of_chip(header: Header) -> tuple[int, int] | None:
    """(width, height) of the chip that the plug-in or the system is for; None where neither is named."""
    for line in header.lines:
        if line.startswith("plugin_name "):
            for chip, size in CHIPS.items():
                if chip in line:
                    return size
    named = system(header)
    return named[0] if named else None
