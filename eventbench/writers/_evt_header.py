"""The header of Prophesee RAW as their software writes it, of a recording that no camera's plug-in made."""

from __future__ import annotations

MOST_SIDE = 1 << 11  # 11 bits of x and of y


def header(version: str, sensor: tuple[int, int]) -> bytes:
    """The lines of a file of EVT `version` ("2.0", "3.0"): the encoding in both the older and the newer way, and the size."""
    width, height = sensor
    lines = (
        f"evt {version}",
        f"format EVT{version[0]};height={height};width={width}",
        f"geometry {width}x{height}",
        "end",
    )
    return "".join(f"% {line}\n" for line in lines).encode("ascii")
