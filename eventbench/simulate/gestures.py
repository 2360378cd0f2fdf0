"""The eleven gestures, modelled on DVS128 Gesture (Amir et al. 2017): the positions of both arms over time.

Clockwise is as seen by the camera. A circling arm is straight, starts at a random angle, makes a whole number of turns,
and its changes of speed are independent of its direction: a clockwise recording played backwards is an equally likely
counter-clockwise one. So only the order of the events shows the direction, not their counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from eventbench.simulate.arithmetic import TAU, cosine, sine
from eventbench.simulate.figure import LEFT, RIGHT, Arm, Limbs
from eventbench.simulate.random import Draws


class Motion(NamedTuple):
    """The parameters of a gesture: the subject's limbs, random draws, and the progress over time.

    `progress` is float64 (frames,), from 0 at the start of the gesture to 1 at its end; `cycles` is the number of swings
    in that time, `turns` the number of whole turns of a circle, `size` a factor on the movement of the hands.
    """

    limbs: Limbs
    draws: Draws
    progress: np.ndarray
    cycles: float
    turns: int
    size: float

    def swing(self, name: str, cycles: float) -> np.ndarray:
        """A phase in radians that runs through `cycles` cycles from a random start."""
        return TAU * (cycles * self.progress + self.draws.between(f"{name} start", (0.0, 1.0)))


Arms = tuple[Arm, Arm]


def _track(outward: np.ndarray | float, up: np.ndarray | float, progress: np.ndarray) -> np.ndarray:
    track = np.empty((len(progress), 2))
    track[:, 0], track[:, 1] = outward, up
    return track


def _reach(hand: np.ndarray, limbs: Limbs, bend: float) -> Arm:
    """The arm whose hand is nearest to `hand` (frames, 2), with its elbow on the side `bend` (-1 or 1) of the line to it.

    The elbow is drawn at 0.8 of its distance from that line, since a bent elbow also points at the camera.
    """
    distance = np.maximum(np.sqrt(hand[:, 0] * hand[:, 0] + hand[:, 1] * hand[:, 1]), 1e-6)
    direction = hand / distance[:, None]
    distance = np.minimum(distance, 0.999 * limbs.reach)
    along = (limbs.upper * limbs.upper - limbs.fore * limbs.fore + distance * distance) / (2.0 * distance)
    across = 0.8 * bend * np.sqrt(np.maximum(limbs.upper * limbs.upper - along * along, 0.0))
    elbow = np.empty_like(direction)
    elbow[:, 0] = direction[:, 0] * along - direction[:, 1] * across
    elbow[:, 1] = direction[:, 1] * along + direction[:, 0] * across
    return Arm(elbow, direction * distance[:, None])


def _rest(motion: Motion, name: str) -> Arm:
    """An arm that hangs and sways a little."""
    limbs, draws = motion.limbs, motion.draws
    sway = sine(motion.swing(f"{name} sway", draws.between(f"{name} sway cycles", (0.3, 0.9))))
    outward = draws.between(f"{name} hang", (0.05, 0.3)) + 0.02 * sway
    return _reach(_track(outward * limbs.reach, -0.93 * limbs.reach, motion.progress), limbs, 1.0)


def _pair(side: int, active: Arm, idle: Arm) -> Arms:
    return (active, idle) if side == RIGHT else (idle, active)


def _wave(side: int, motion: Motion) -> Arms:
    """Upper arm out, forearm up and swinging from side to side."""
    limbs, draws = motion.limbs, motion.draws
    lift = draws.between("lift", (-0.2, 0.5))
    elbow = _track(cosine(lift) * limbs.upper, sine(lift) * limbs.upper, motion.progress)
    tilt = draws.between("tilt", (-0.1, 0.3)) + 0.75 * motion.size * sine(motion.swing("wave", motion.cycles))
    fore = _track(sine(tilt) * limbs.fore, cosine(tilt) * limbs.fore, motion.progress)
    return _pair(side, Arm(elbow, elbow + fore), _rest(motion, "idle"))


def _circle(side: int, clockwise: bool, motion: Motion) -> Arms:
    """A straight arm circles about its shoulder; the circle is seen slightly from the side."""
    limbs, draws = motion.limbs, motion.draws
    direction = 1.0 if clockwise == (side == LEFT) else -1.0  # on the left, from up to outward is clockwise
    angle = TAU * draws.between("circle start", (0.0, 1.0)) + direction * TAU * motion.turns * motion.progress
    aspect = draws.between("wide", (0.8, 1.0))
    hand = _track(aspect * limbs.reach * sine(angle), limbs.reach * cosine(angle), motion.progress)
    return _pair(side, Arm(hand * (limbs.upper / limbs.reach), hand), _rest(motion, "idle"))


def _clap(motion: Motion) -> Arms:
    """Both hands in front of the chest, meeting and parting."""
    limbs, draws = motion.limbs, motion.draws
    opening = 0.5 - 0.5 * cosine(motion.swing("clap", motion.cycles))
    height = draws.between("height", (-0.55, -0.15)) * limbs.reach
    outward = 1.2 - limbs.shoulder + 0.8 * motion.size * limbs.reach * opening
    arm = _reach(_track(outward, height, motion.progress), limbs, 1.0)
    return arm, arm


def _roll(motion: Motion) -> Arms:
    """Both hands in front of the chest, circling each other."""
    limbs, draws = motion.limbs, motion.draws
    phase = draws.sign("way") * motion.swing("roll", motion.cycles)
    height = draws.between("height", (-0.55, -0.25)) * limbs.reach
    radius = 0.36 * motion.size * limbs.reach
    shift = draws.between("shift", (-0.1, 0.1)) * limbs.reach
    arms = []
    for side, sign in ((RIGHT, 1.0), (LEFT, -1.0)):
        across = shift + sign * 0.8 * radius * cosine(phase)  # to the right of the picture
        outward = (-across if side == RIGHT else across) - limbs.shoulder
        up = height + sign * radius * sine(phase)
        arms.append(_reach(_track(outward, up, motion.progress), limbs, 1.0))
    return arms[0], arms[1]


def _drums(motion: Motion) -> Arms:
    """Both forearms forward, hands up and down alternately."""
    limbs, draws = motion.limbs, motion.draws
    phase = motion.swing("drums", motion.cycles)
    height = draws.between("height", (-0.6, -0.4)) * limbs.reach
    outward = draws.between("outward", (0.1, 0.35)) * limbs.reach
    lift = 0.32 * motion.size * limbs.reach * sine(phase)
    return (
        _reach(_track(outward, height + lift, motion.progress), limbs, 1.0),
        _reach(_track(outward, height - lift, motion.progress), limbs, 1.0),
    )


def _guitar(motion: Motion) -> Arms:
    """The left hand slides along the neck of a guitar; the right hand strums in front of the belly."""
    limbs, draws = motion.limbs, motion.draws
    slide = sine(motion.swing("slide", draws.between("slide cycles", (0.5, 1.2))))
    neck = draws.between("neck", (-0.15, 0.25)) * limbs.reach
    left = _reach(
        _track((0.72 + 0.08 * slide) * limbs.reach, neck + 0.03 * limbs.reach * slide, motion.progress),
        limbs,
        -1.0,
    )
    strum = motion.size * sine(motion.swing("strum", motion.cycles))
    right = _track((-0.2 + 0.12 * strum) * limbs.reach, (-0.55 + 0.34 * strum) * limbs.reach, motion.progress)
    return _reach(right, limbs, 1.0), left


def _other(motion: Motion) -> Arms:
    """None of the ten other gestures: each hand follows its own Lissajous figure, with two very different frequencies."""
    limbs, draws = motion.limbs, motion.draws
    arms = []
    for name in ("right", "left"):
        slow = sine(motion.swing(f"{name} slow", draws.between(f"{name} slow cycles", (0.5, 1.0))))
        fast = sine(motion.swing(f"{name} fast", draws.between(f"{name} fast cycles", (1.4, 2.2))))
        across, high = (slow, fast) if draws.sign(f"{name} axis") > 0 else (fast, slow)
        outward = draws.between(f"{name} outward", (0.2, 0.5)) + 0.4 * motion.size * across
        up = draws.between(f"{name} up", (-0.3, 0.3)) + 0.5 * motion.size * high
        arms.append(_reach(_track(outward * limbs.reach, up * limbs.reach, motion.progress), limbs, 1.0))
    return arms[0], arms[1]


GESTURES: dict[str, Callable[[Motion], Arms]] = {
    "clap": _clap,
    "right_wave": lambda motion: _wave(RIGHT, motion),
    "left_wave": lambda motion: _wave(LEFT, motion),
    "right_clockwise": lambda motion: _circle(RIGHT, True, motion),
    "right_counter_clockwise": lambda motion: _circle(RIGHT, False, motion),
    "left_clockwise": lambda motion: _circle(LEFT, True, motion),
    "left_counter_clockwise": lambda motion: _circle(LEFT, False, motion),
    "roll": _roll,
    "drums": _drums,
    "guitar": _guitar,
    "other": _other,
}
