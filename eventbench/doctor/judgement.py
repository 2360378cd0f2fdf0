"""Judgement: from a summary to findings, what makes one doubt a recording and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

from eventbench.doctor.findings import Finding, undecodable
from eventbench.doctor.signs import Signs
from eventbench.errors import EventbenchError
from eventbench.events.summary import HOT_SHARE, SHORT_US, Summary
from eventbench.events.units import Suspicion
from eventbench.sources.base import FIXES, Source, how_to_set, unit_cure, unit_doubt

COARSE_US = 1_000
FAR_OUT, FAR_AT_LEAST = 2, 64
# Sizes of cameras: N-MNIST's ATIS, DVS128, DAVIS240, ATIS, DVXplorer Lite, DAVIS346, Gen3 HVGA and VGA, DVXplorer, Gen4.
CAMERAS = {
    (34, 34), (128, 128), (240, 180), (304, 240), (320, 240), (320, 320), (346, 260), (480, 360), (640, 480), (1280, 720)
}  # fmt: skip
Findings = tuple[list[Finding], list[Finding]]  # problems, warnings


class Times(NamedTuple):
    """What there is to say of a recording's times: the unit they were read in, the doubt about it, the clock's step."""

    read_as: str
    suspected: Suspicion | None
    tick_us: int


def of_refused(
    source: Source | None, error: EventbenchError, signs: Signs | None, sensor: tuple[int, int] | None
) -> Findings:
    """What is wrong with a file that its decoder refused: all of it where its columns can be had.

    `source` is None where the format is unknown.
    """
    if source is None or signs is None:
        return [undecodable(error)], []
    if not signs.rows:
        return [_empty()], []
    problems = []
    if signs.steps_back:
        problems.append(_order(source, signs))
    if signs.outside and signs.x and signs.y:
        problems.append(_outside(source, signs, sensor or signs.stated_size, error))
    counted = {"time_runs_backwards": signs.steps_back, "outside_sensor": signs.outside}
    if not counted.get(error.reason):
        problems.append(undecodable(error))
    return problems, []


def _empty() -> Finding:
    fix = "leave it out of the dataset; where it should have events, write it again from what it was made of"
    return Finding(about="empty", what="no event in it", fix=fix, breaks=True)


def _order(source: Source, signs: Signs) -> Finding:
    back = f"time steps back at {signs.steps_back:,} of {signs.rows:,} events"
    what = f"{back}, first at event {signs.first_back:,}, by {signs.furthest_back_us:,.0f} us at most"
    if signs.clock_us and 2 * signs.furthest_back_us > signs.clock_us:
        fix = f"the clock of {signs.clock_us:,} us began anew: add that to all that follows, or cut the recording there"
    elif source.settable("sort"):
        fix = FIXES["time_runs_backwards"]
    else:
        fix = "sort its events by time, in a way that keeps equal times in order (stable), and write the file again"
    if signs.steps_back <= 3 and signs.furthest_back_us > COARSE_US and "anew" not in fix:
        fix += "; so few and large steps may be several recordings end to end: cut it there"
    return Finding(about="order", what=what, fix=fix, breaks=True)


def _outside(source: Source, signs: Signs, size: tuple[int, int] | None, error: EventbenchError) -> Finding:
    assert signs.x is not None and signs.y is not None
    reach = f"x is {signs.x[0]:,} to {signs.x[1]:,}, y {signs.y[0]:,} to {signs.y[1]:,}"
    what = f"{signs.outside:,} of {signs.rows:,} events lie outside the sensor: {reach}"
    fix = FIXES["outside_sensor"]
    starts_at_1 = (signs.x[0], signs.y[0]) == (1, 1)
    if starts_at_1 and size is not None and signs.x[1] <= size[0] and signs.y[1] <= size[1]:
        fix = f"x and y seem to count from 1: {_take_1(source)}"
    elif error.reason == "outside_sensor" and error.fix:
        fix = error.fix  # a decoder may know more of its format
    return Finding(about="range", what=what, fix=fix, breaks=True)


def _take_1(source: Source) -> str:
    return how_to_set("first", 1) if source.settable("first") else "take 1 from both"


def counted_from_1(source: Source, summary: Summary, signs: Signs | None) -> Finding | None:
    """A warning where no event has x or y 0, and the sensor is a camera's only if they count from 1."""
    if signs is None or signs.x is None or signs.y is None or (signs.x[0], signs.y[0]) != (1, 1):
        return None
    width, height = summary.sensor
    if (width - 1, height - 1) not in CAMERAS or not source.settable("first"):
        return None
    what = f"x and y begin at 1 and reach {width - 1} and {height - 1}, the size of a camera: do they count from 1? (likely)"
    return Finding(about="range", what=what, fix=f"if so, {_take_1(source)}")


def of_decoded(
    source: Source, summary: Summary, times: Times, signs: Signs | None, *, size_known: bool
) -> Findings:
    """What makes one doubt a recording that could be decoded. `size_known`: not told from its events alone."""
    n = summary.events
    if not n:
        return [_empty()], []
    problems: list[Finding] = []
    warnings: list[Finding] = []
    if summary.hot_pixels:
        hot = sum(pixel.events for pixel in summary.hot_pixels)
        (problems if hot > HOT_SHARE * n else warnings).append(_hot(summary, hot))
    if summary.on in (0, n) and n > 1 and source.has_polarity:
        what = f"only {'ON' if summary.on else 'OFF'} events: is the polarity lost?"
        fix = "look whether the column of polarities is the right one, and how its values are written"
        warnings.append(Finding(about="polarity", what=what, fix=fix))
    warnings += _doubtful_times(source, summary, times)
    if 2 * summary.repeated > n:
        what = f"{summary.repeated:,} of {n:,} events repeat another one"
        fix = "look whether the file was written twice into itself"
        warnings.append(Finding(about="repeated", what=what, fix=fix))
    if not size_known:
        doubts = (_far_out(summary), counted_from_1(source, summary, signs))
        warnings += [finding for finding in doubts if finding]
    return problems, warnings


def _doubtful_times(source: Source, summary: Summary, times: Times) -> list[Finding]:
    """Warnings about the unit of times, how coarse they are, gaps, and a start below zero."""
    warnings = []
    suspected, tick_us = times.suspected, times.tick_us
    if suspected:
        fix = unit_cure(suspected, times.read_as, settable=source.settable("unit"))
        warnings.append(Finding(about="time unit", what=unit_doubt(suspected), fix=fix))
    elif tick_us >= COARSE_US and summary.events > 100:
        what = f"its times come in steps of {tick_us:,} us: they were rounded"
        fix = "get them as the camera gave them, or expect ties in time"
        warnings.append(Finding(about="clock", what=what, fix=fix))
    duration = summary.duration_us
    if summary.events > 2 and 2 * summary.longest_gap_us > duration >= SHORT_US:
        share = summary.longest_gap_us / duration
        what = f"nothing happens for {summary.longest_gap_us:,} us, {share:.0%} of its time"
        fix = 'cut the part that matters (step crop_time), or make frames with split_by = "count"'
        warnings.append(Finding(about="gap", what=what, fix=fix))
    if summary.first_us is not None and summary.first_us < 0:
        what = f"its time starts below zero, at {summary.first_us:,} us"
        fix = "nothing, where times count from the first event, as in all representations here"
        warnings.append(Finding(about="start", what=what, fix=fix))
    return warnings


def _hot(summary: Summary, hot: int) -> Finding:
    shown = ", ".join(f"({pixel.x}, {pixel.y}) with {pixel.events:,}" for pixel in summary.hot_pixels[:5])
    more = f" and {len(summary.hot_pixels) - 5:,} more" if len(summary.hot_pixels) > 5 else ""
    what = f"hot pixels hold {hot / summary.events:.1%} of all events: {shown}{more}"
    return Finding(
        about="hot pixels", what=what, fix="drop them: the step drop_hot_pixels finds the same ones"
    )


def _far_out(summary: Summary) -> Finding | None:
    """A size told from the events is as large as the one event that is farthest out."""
    for side, most, usual in (
        ("x", summary.sensor[0], summary.extent[0]),
        ("y", summary.sensor[1], summary.extent[1]),
    ):
        if most > FAR_AT_LEAST and most > FAR_OUT * (usual + 1):
            what = f"{side} reaches {most - 1:,}, but 99.9% of events lie below {usual + 1:,}"
            return Finding(
                about="range",
                what=what,
                fix=f"give the true size with --sensor; to leave out what lies outside, {how_to_set('outside', 'drop')}",
            )
    return None
