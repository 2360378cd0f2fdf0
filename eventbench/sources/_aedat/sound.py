"""What a decoder gives whose kernel has looked at every event already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eventbench.errors import BadEvents
from eventbench.events import Events
from eventbench.events.events import checked_sensor
from eventbench.sources._decoded import LOSSES, Columns, Decoded, Note


def fits(highest: Sequence[int], sensor: Sequence[int]) -> bool:
    """Whether the highest x and y are on a sensor of (width, height), and that is one."""
    try:
        width, height = checked_sensor(sensor)
    except BadEvents:
        return False
    return highest[0] < width and highest[1] < height


def sound(columns: Columns, sensor: Sequence[int], notes: Iterable[Note] = ()) -> Decoded:
    """The events of columns t, x, y, p (events,) that are known to be in order and on the sensor; as `decoded` has them."""
    met = tuple(notes)
    events = Events.trusted(*columns, checked_sensor(sensor))
    return Decoded(events, {note.kind: note.times for note in met if note.kind in LOSSES}, met)
