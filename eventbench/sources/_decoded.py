"""`Decoded`: the events of a recording and what was done to get them; sorting and dropping as every source does them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from eventbench.errors import BadEvents, BadRecording
from eventbench.events import Events

Size = tuple[int, int]
Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


LOSSES = ("outside_sensor", "before_clock", "cut_off", "marked")
MENDED = ("steps_back", "clock_restarts", "clock_words_damaged")  # times were not as the file has them


class Note(NamedTuple):
    """Something a decoder met and dealt with: `what` is a sentence for people, `times` how often it was met.

    `fix` is what to do about it, "" where nothing has to be done; doctor makes a warning of a note that has one.
    `kind` is a code: one of LOSSES where it says what is not among the events, of MENDED where times were mended, else
    "other_streams" and the like.
    """

    kind: str
    what: str
    times: int = 1
    fix: str = ""


class Decoded(NamedTuple):
    """The events of a recording, what of the file is not among them, and what else was done.

    `lost` counts by reason: "outside_sensor", "before_clock" and "marked" are events, "cut_off" is the word, record or packet that
    the file's end cuts. Stores keep it in their account.
    """

    events: Events
    lost: Mapping[str, int] = {}
    notes: tuple[Note, ...] = ()

    @property
    def mended(self) -> dict[str, int]:
        """How often times had to be mended, by kind: "steps_back" counts events, "clock_restarts" places."""
        return {note.kind: note.times for note in self.notes if note.kind in MENDED}


def counted(number: int, noun: str) -> str:
    """A number and what it counts: "1 event", "2,000 events"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def how_to_set(parameter: str, value: str | bool | int) -> str:
    """Where a parameter of a source is set, as an error's advice says it: in a card, on the command line and in Python."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    in_toml = f'"{text}"' if isinstance(value, str) else text
    in_python = in_toml if isinstance(value, str) else str(value)
    return f"set {parameter} = {in_toml} in [source] of a card, --set {parameter}={text}, or {parameter}={in_python} in eb.read"


def decoded(
    columns: Sequence[np.ndarray],
    *,
    sensor: Sequence[int],
    name: str,
    sort: bool = False,
    outside: str = "refuse",
    notes: Iterable[Note] = (),
    fixes: Mapping[str, str] | None = None,
) -> Decoded:
    """Events of the columns t, x, y, p (events,); what is wrong with them becomes a BadRecording of the file `name`.

    `sort` and `outside` are as every source has them. `fixes` gives the advice for a `reason` of BadEvents, where the
    format has a better one than to sort the events, or to drop them.
    """
    t, x, y, p = columns
    met = list(notes)
    try:
        if outside == "drop" and len(x) == len(y) and (dropped := outside_of(x, y, sensor)) is not None:
            met.append(dropped_note(int(dropped.sum())))
            t, x, y, p = t[~dropped], x[~dropped], y[~dropped], p[~dropped]
        if sort and len(t) == len(x) == len(y) == len(p):
            (t, x, y, p), note = in_order(t, x, y, p)
            met += [note] if note else []
        events = Events(t=t, x=x, y=y, p=p, sensor=sensor)
    except BadEvents as error:
        if error.reason == "time_runs_backwards":
            error = _with_all_steps(error, t)
        advice = {**FIXES, **(fixes or {})}.get(error.reason)
        raise error.as_kind(BadRecording, where=name, fix=advice) from None
    return Decoded(events, {note.kind: note.times for note in met if note.kind in LOSSES}, tuple(met))


FIXES = {
    "time_runs_backwards": f"if the file is sound, {how_to_set('sort', True)}",
    "outside_sensor": f"give the true sensor size, or, to leave these events out, {how_to_set('outside', 'drop')}",
}


def _with_all_steps(error: BadEvents, t: np.ndarray) -> BadEvents:
    """The error of the first step back, with how many there are where it is not the only one."""
    steps = np.diff(t.astype(np.int64))
    back = int((steps < 0).sum())
    if back < 2:
        return error
    what = f"{error.what}, and so {back:,} times in {len(t):,} events, by {-int(steps.min()):,} us at most"
    return BadEvents(what, fix=error.fix, reason=error.reason)


def in_order(t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray) -> tuple[Columns, Note | None]:
    """The columns in order of time (stable), and a note where times step back; as they are where none does."""
    steps = np.diff(t) if t.dtype.kind == "i" else np.diff(t.astype(np.int64))
    back = int((steps < 0).sum())
    if not back:
        return (t, x, y, p), None
    order = np.argsort(t, kind="stable")
    note = steps_back_note(back, len(t), -int(steps.min()))
    return (t[order], x[order], y[order], p[order]), note


def steps_back_note(back: int, events: int, by: int) -> Note:
    """That times of so many events stepped back, by so many microseconds at most, and that all were sorted."""
    what = f"time steps back at {back:,} of {events:,} events, by {by:,} us at most: sorted"
    return Note("steps_back", what, back)


def dropped_note(events: int) -> Note:
    """That so many events lay off the sensor."""
    return Note("outside_sensor", f"{counted(events, 'event')} off the sensor: dropped", events)


def outside_of(x: np.ndarray, y: np.ndarray, sensor: Sequence[int]) -> np.ndarray | None:
    """bool (events,): which lie outside; None where none does."""
    width, height = sensor
    if not len(x) or (min(x.min(), y.min()) >= 0 and x.max() < width and y.max() < height):
        return None
    out: np.ndarray = (x < 0) | (x >= width) | (y < 0) | (y >= height)
    return out
