"""The --sensor option of verbs that read recordings: width and height, as in 34x34."""

from __future__ import annotations

import click

option = click.option(
    "--sensor", metavar="WxH", help="Width and height of the sensor in pixels, as in 34x34."
)


def size(sensor: str | None) -> tuple[int, int] | None:
    """(width, height) of "34x34"; None for None. Raises BadSpec for any other text."""
    from eventbench.errors import BadSpec

    if sensor is None:
        return None
    width, _, height = sensor.lower().partition("x")
    if not (
        width.isdecimal() and height.isdecimal() and 0 < int(width) <= 65536 and 0 < int(height) <= 65536
    ):
        raise BadSpec(f"--sensor is {sensor!r}", allowed="width x height in pixels, as in 128x128")
    return int(width), int(height)
