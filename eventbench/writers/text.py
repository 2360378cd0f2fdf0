"""Text and CSV: an event a line, in the order and the unit that one likes; a line before them names the columns.

Before it, a comment states the sensor's size. How such files are read: `sources/text_columns.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.writers._digits import rows
from eventbench.writers.base import Documentation, Limits, Size, Writer

# Unit -> (digits behind the point, zeros after a whole number of microseconds).
UNITS = {"ns": (0, 3), "us": (0, 0), "ms": (3, 0), "s": (6, 0)}
SEPARATORS = {"comma": ",", "blank": " ", "tab": "\t", "semicolon": ";"}
_BY_ENDING = {".txt": "blank", ".tsv": "tab"}
BLOCK = 1 << 20


class Text(Writer, frozen=True, forbid_unknown_fields=True):
    """Writer of text.

    Parameters
    ----------
    order : of the columns, as "xypt"
    unit : of the times, "ns", "us", "ms" (three decimals) or "s" (six)
    separator : "comma", "blank", "tab" or "semicolon"; "" takes blanks for `.txt`, tabs for `.tsv`, else commas
    signed : write OFF as -1 instead of 0
    header : "all" for a comment with the sensor's size and a line of names, "names" for these alone, or "none"
    """

    about: ClassVar[Documentation] = Documentation(
        what="text: an event a line; order, unit, separator and header as one likes",
        readers='`np.loadtxt` (`.txt`), polars with `comment_prefix="#"`',
        sensor='a comment, `# geometry 640x480`, unless header is "names" or "none"',
        holds="times up to 2^51 us from zero, at least one event",
        traps=(
            "In `.txt` the names are a comment too, so that `np.loadtxt` reads the file as it is. A reader that takes every line "
            "for a row wants `header=none`."
        ),
    )
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".txt", ".tsv")
    source: ClassVar[str] = "text_columns"

    order: str = "txyp"
    unit: Literal["ns", "us", "ms", "s"] = "us"
    separator: Literal["", "comma", "blank", "tab", "semicolon"] = ""
    signed: bool = False
    header: Literal["all", "names", "none"] = "all"

    def __post_init__(self) -> None:
        if sorted(self.order) != sorted("txyp"):
            raise BadSpec(f"order is {self.order!r}", where="text", allowed='t, x, y and p, as "txyp"')

    def limits(self) -> Limits:
        """Times that float64 keeps to the microsecond when they are read as seconds."""
        return Limits(first_us=-(2**51), last_us=2**51)

    def reading(self, path: Path) -> Mapping[str, Any]:  # noqa: ARG002  # whatever it is called
        """Order and unit, where no line names them."""
        return {"order": self.order, "unit": self.unit} if self.header == "none" else {}

    def states_sensor(self, path: Path) -> bool:  # noqa: ARG002  # whatever it is called
        """In the comment."""
        return self.header == "all"

    def write(self, parts: Iterable[Events], sensor: Size, path: Path) -> None:
        """Write the header and the rows."""
        order = np.array(["txyp".index(column) for column in self.order])
        separator = SEPARATORS[self.separator or _BY_ENDING.get(path.suffix.lower(), "comma")]
        decimals, zeros = UNITS[self.unit]
        out = np.empty(BLOCK, np.uint8)
        with path.open("wb") as file:
            file.write(self._header(sensor, separator).encode("ascii"))
            for part in parts:
                columns, i = (part.t, part.x, part.y, part.p), 0
                while i < len(part):
                    n, i = rows(*columns, order, ord(separator), decimals, zeros, self.signed, i, out)
                    file.write(out[:n].data)

    def _header(self, sensor: Size, separator: str) -> str:
        time = "t" if self.unit == "us" else f"t_{self.unit}"
        names = separator.join(time if column == "t" else column for column in self.order)
        lines = [f"# geometry {sensor[0]}x{sensor[1]}\n"] if self.header == "all" else []
        if self.header != "none":
            lines.append(f"# {names}\n" if separator == " " else f"{names}\n")
        return "".join(lines)
