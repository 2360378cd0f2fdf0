"""What is told of the words of an EVT file that are no events, and of a clock that did not only advance."""

from __future__ import annotations

from typing import Literal

import numpy as np

from eventbench.errors import BadRecording
from eventbench.sources._decoded import Note, counted, how_to_set
from eventbench.sources._evt.clock import DAMAGED, RESTART, Clock, doubtful_wraps, joined
from eventbench.sources._evt.decoding import Judged
from eventbench.sources._evt.state import EARLY, OTHERS, TOUCHED, TRIGGERS


def told_clock(
    found: Judged, bits: int, restart: Literal["refuse", "join"], name: str
) -> tuple[Clock, list[Note]]:
    """The clock that events are decoded by, and what is told of it before they are.

    `bits`: of the low part. Raises BadRecording where the clock begins anew, unless `restart` joins the parts.
    """
    clock, notes = found.clock, []
    restarts = np.flatnonzero(clock.kinds == RESTART).tolist()
    if restarts:
        first = restarts[0]
        before, after = (int(clock.high[k]) << bits for k in (first - 1, first))
        what = f"the clock begins anew at byte {int(found.places[first]):,}: after {before:,} us come {after:,} us"
        what += f" ({len(restarts):,} such places)" if len(restarts) > 1 else ""
        if restart == "refuse":
            raise BadRecording(
                what,
                where=name,
                fix=f"cut the file there, or, to let each part go on from the end of the last, {how_to_set('restart', 'join')}",
                reason="clock_restarts",
            )
        fix = "expect a gap of unknown length there"
        notes.append(Note("clock_restarts", f"{what}: joined", len(restarts), fix))
    if leaps := doubtful_wraps(found.written, clock):
        ticks = int(clock.high[leaps[0]] - clock.high[leaps[0] - 1])
        place = int(found.places[leaps[0]])
        what = (
            f"the clock wrapped at byte {place:,} with a leap of {ticks << bits:,} us: it may have begun anew"
        )
        fix = "if the camera was started again there, cut the file there"
        notes.append(Note("clock_leaps", what, len(leaps), fix))
    return (clock._replace(high=joined(clock)) if restarts else clock), notes


def told_words(state: np.ndarray, found: Judged | None) -> list[Note]:
    """What is told of the words when all are decoded: damaged ones, those of events without a time, and other kinds."""
    notes = []
    if found is not None and (damaged := np.flatnonzero(found.clock.kinds == DAMAGED).tolist()):
        touched, place = int(state[TOUCHED]), int(found.places[damaged[0]])
        what = (
            f"{counted(len(damaged), 'damaged word')} of time, the first at byte {place:,}, passed over: the time of "
            f"{counted(touched, 'event')} until the next word is told from the word before"
        )
        fix = (
            "nothing, where a few are: times are right again from the next word on; else fetch the file again"
        )
        notes.append(Note("clock_words_damaged", what, touched, fix))
    early, triggers, others = (int(state[slot]) for slot in (EARLY, TRIGGERS, OTHERS))
    if early:
        what = f"{counted(early, 'event')} before the first word of time: left out"
        notes.append(Note("before_clock", what, early))
    if triggers:
        what = f"{counted(triggers, 'external trigger')}: no events of pixels, left out"
        notes.append(Note("triggers", what, triggers))
    if others:
        what = f"{counted(others, 'word')} of other kinds, as of the camera's own state: left out"
        notes.append(Note("other_words", what, others))
    return notes
