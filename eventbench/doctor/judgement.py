"""From figures to findings: what makes one doubt a recording, and what to do about it."""

from __future__ import annotations

from eventbench.doctor.findings import Finding, undecodable
from eventbench.doctor.signs import Signs
from eventbench.doctor.units import Suspicion
from eventbench.events.summary import HOT_SHARE, SHORT_US, Summary

UNIT_SETTABLE = ("text_columns", "numpy_columns", "hdf5_columns", "mat_columns")
FIRST_SETTABLE = ("text_columns", "mat_columns")
COARSE_US = 1_000
FAR_OUT, FAR_AT_LEAST = 2, 64
Found = tuple[list[Finding], list[Finding]]  # problems, warnings


def of_refused(source: str, message: str, signs: Signs | None, sensor: tuple[int, int] | None) -> Found:
    """What is wrong with a file that its decoder refused: all of it where its columns can be had."""
    if signs is None:
        return [undecodable(message)], []
    if not signs.rows:
        return [_empty()], []
    problems = []
    if signs.steps_back:
        problems.append(_order(source, signs))
    if signs.outside and signs.x and signs.y:
        problems.append(_outside(source, signs, sensor or signs.stated_size))
    told = ("backwards" in message and signs.steps_back) or (" is " in message and signs.outside)
    if not told:
        problems.append(undecodable(message))
    return problems, []


def _empty() -> Finding:
    fix = "fetch it again; if it is empty at its origin, leave it out of the dataset"
    return Finding(about="empty", what="no event in it", fix=fix, breaks=True)


def _order(source: str, signs: Signs) -> Finding:
    back = f"time steps back at {signs.steps_back:,} of {signs.rows:,} events"
    what = f"{back}, first at event {signs.first_back:,}, by {signs.furthest_back_us:,.0f} us at most"
    if signs.clock_us and 2 * signs.furthest_back_us > signs.clock_us:
        fix = f"the clock of {signs.clock_us:,} us began anew: add that to all that follows, or cut the recording there"
    elif source == "aedat2":
        fix = "if the file is sound, set sort = true in [source] of the card"
    else:
        fix = "sort its events by time, in a way that keeps equal times in order (stable), and write the file again"
    if signs.steps_back <= 3 and signs.furthest_back_us > COARSE_US and "anew" not in fix:
        fix += "; so few and large steps may be several recordings end to end: cut it there"
    return Finding(about="order", what=what, fix=fix, breaks=True)


def _outside(source: str, signs: Signs, size: tuple[int, int] | None) -> Finding:
    assert signs.x is not None and signs.y is not None
    reach = f"x is {signs.x[0]:,} to {signs.x[1]:,}, y {signs.y[0]:,} to {signs.y[1]:,}"
    what = f"{signs.outside:,} of {signs.rows:,} events lie outside the sensor: {reach}"
    fix = "give the true size of the sensor, or drop these events"
    if (
        size is not None
        and (signs.x[0], signs.y[0]) == (1, 1)
        and signs.x[1] <= size[0]
        and signs.y[1] <= size[1]
    ):
        fix = "x and y seem to count from 1: " + (
            "set first = 1 in [source] of the card" if source in FIRST_SETTABLE else "take 1 from both"
        )
    return Finding(about="range", what=what, fix=fix, breaks=True)


def of_decoded(
    source: str, figures: Summary, suspected: Suspicion | None, tick_us: int, stated: bool
) -> Found:
    """What makes one doubt a recording that could be decoded. `stated`: its sensor is known, not told from its events."""
    n = figures.events
    if not n:
        return [_empty()], []
    problems: list[Finding] = []
    warnings: list[Finding] = []
    if figures.hot_pixels:
        hot = sum(pixel.events for pixel in figures.hot_pixels)
        (problems if hot > HOT_SHARE * n else warnings).append(_hot(figures, hot))
    if figures.on in (0, n) and n > 1 and source != "spikes_hdf5":
        what = f"only {'ON' if figures.on else 'OFF'} events: is the polarity lost?"
        fix = "look whether the column of polarities is the right one, and how its values are written"
        warnings.append(Finding(about="polarity", what=what, fix=fix))
    if suspected:
        what = f"{suspected.why}: are its times in {_unit_told(suspected.unit)}?"
        warnings.append(Finding(about="time unit", what=what, fix=_unit_fix(source, suspected.unit)))
    elif tick_us >= COARSE_US and n > 100:
        what = f"its times come in steps of {tick_us:,} us: they were rounded"
        warnings.append(
            Finding(about="clock", what=what, fix="get them as the camera gave them, or expect ties in time")
        )
    duration = figures.duration_us
    if n > 2 and 2 * figures.longest_gap_us > duration >= SHORT_US:
        share = figures.longest_gap_us / duration
        what = f"nothing happens for {figures.longest_gap_us:,} us, {share:.0%} of its time"
        fix = 'cut the part that matters (step crop_time), or make frames with split_by = "count"'
        warnings.append(Finding(about="gap", what=what, fix=fix))
    if figures.first_us is not None and figures.first_us < 0:
        what = f"its time starts below zero, at {figures.first_us:,} us"
        fix = "nothing, where times count from the first event, as in all representations here"
        warnings.append(Finding(about="start", what=what, fix=fix))
    if 2 * figures.repeated > n:
        what = f"{figures.repeated:,} of {n:,} events repeat another one"
        warnings.append(
            Finding(about="repeated", what=what, fix="look whether the file was written twice into itself")
        )
    if not stated and (far := _far_out(figures)):
        warnings.append(far)
    return problems, warnings


def _hot(figures: Summary, hot: int) -> Finding:
    shown = ", ".join(f"({pixel.x}, {pixel.y}) with {pixel.events:,}" for pixel in figures.hot_pixels[:5])
    more = f" and {len(figures.hot_pixels) - 5:,} more" if len(figures.hot_pixels) > 5 else ""
    what = f"hot pixels hold {hot / figures.events:.1%} of all events: {shown}{more}"
    return Finding(
        about="hot pixels", what=what, fix="drop them: the step drop_hot_pixels finds the same ones"
    )


def _far_out(figures: Summary) -> Finding | None:
    """A size told from the events is as large as the one event that is farthest out."""
    for side, most, usual in (
        ("x", figures.sensor[0], figures.extent[0]),
        ("y", figures.sensor[1], figures.extent[1]),
    ):
        if most > FAR_AT_LEAST and most > FAR_OUT * (usual + 1):
            what = f"{side} reaches {most - 1:,}, but 99.9% of events lie below {usual + 1:,}"
            return Finding(
                about="range",
                what=what,
                fix="give the true size with --sensor, and look at what lies outside",
            )
    return None


def _unit_told(unit: str) -> str:
    words = {"ns": "nanoseconds", "ms": "milliseconds", "ms or s": "milliseconds or seconds"}
    return words.get(unit, "frames, an index for a time")


def _unit_fix(source: str, unit: str) -> str:
    if unit == "frame index":
        return "multiply each by the time between frames before use: the step scale_time"
    if source in UNIT_SETTABLE:
        return f'if so, set unit = "{unit.partition(" ")[0]}" in [source] of the card'
    return f"if so, scale them: the step scale_time, least = most = {'0.001' if unit == 'ns' else '1000'}"
