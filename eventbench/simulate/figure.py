"""`Subject`: a head, a body and two arms of two segments, drawn as capsules (thick lines with round ends).

Points of an arm are (outward, up) from its shoulder, in pixels, so that the left arm mirrors the right one.
Arm 0 is the subject's right arm, which is on the left of the picture.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eventbench.simulate.random import Draws

RIGHT, LEFT = 0, 1
PARTS = 8  # body, head, then upper arm, forearm and hand of each arm


class Limbs(NamedTuple):
    """Lengths of a subject in pixels; `shoulder` is measured from the middle of the body."""

    shoulder: float
    upper: float
    fore: float

    @property
    def reach(self) -> float:
        """The length of a straight arm from shoulder to hand."""
        return self.upper + self.fore


class Arm(NamedTuple):
    """One arm over time: elbow and hand, each (frames, 2), (outward, up) from its shoulder in pixels."""

    elbow: np.ndarray
    hand: np.ndarray


class Subject(NamedTuple):
    """A person, the same in all of their recordings; lengths in pixels, reflectances from 0 to 1."""

    limbs: Limbs
    thickness: float
    head: float
    girth: float
    skin: float
    cloth: float


def draw_subject(
    draws: Draws,
    *,
    unit: float,
    stature: tuple[float, float],
    limb: tuple[float, float],
    arm_reflectance: tuple[float, float],
    body_reflectance: tuple[float, float],
) -> Subject:
    """A random subject; `unit` is 1/64 of the picture in pixels, the ranges are factors and reflectances."""
    size = unit * draws.between("stature", stature)
    return Subject(
        limbs=Limbs(
            shoulder=6.5 * size * draws.between("shoulder", limb),
            upper=9.5 * size * draws.between("upper arm", limb),
            fore=10.0 * size * draws.between("forearm", limb),
        ),
        thickness=1.7 * size * draws.between("thickness", limb),
        head=4.2 * size * draws.between("head", limb),
        girth=5.5 * size * draws.between("girth", limb),
        skin=draws.between("skin", arm_reflectance),
        cloth=draws.between("cloth", body_reflectance),
    )


def capsules(subject: Subject, chest: np.ndarray, arms: tuple[Arm, Arm]) -> np.ndarray:
    """The parts to draw, (frames, parts, 6): x0, y0, x1, y1, radius, reflectance; later parts hide earlier ones.

    `chest` is (frames, 2): the point midway between the shoulders, in pixels from the top left.
    """
    parts = np.empty((len(chest), PARTS, 6))
    body_length = 3.0 * subject.limbs.reach
    neck = 1.25 * subject.head + 2.0 * subject.thickness
    parts[:, 0, 0:2] = chest + np.array([0.0, 0.75 * subject.girth])
    parts[:, 0, 2:4] = chest + np.array([0.0, body_length])
    parts[:, 0, 4:6] = subject.girth, subject.cloth
    parts[:, 1, 0:2] = parts[:, 1, 2:4] = chest - np.array([0.0, neck])
    parts[:, 1, 4:6] = subject.head, 0.7 * subject.skin
    for side, arm in enumerate(arms):
        outward = -1.0 if side == RIGHT else 1.0
        shoulder = chest + np.array([outward * subject.limbs.shoulder, 0.0])
        elbow = shoulder + arm.elbow * np.array([outward, -1.0])
        hand = shoulder + arm.hand * np.array([outward, -1.0])
        first = 2 + 3 * side
        parts[:, first, 0:2], parts[:, first, 2:4] = shoulder, elbow
        parts[:, first + 1, 0:2], parts[:, first + 1, 2:4] = elbow, hand
        parts[:, first + 2, 0:2] = parts[:, first + 2, 2:4] = hand
        parts[:, first : first + 3, 4] = subject.thickness
        parts[:, first + 2, 4] = 1.35 * subject.thickness
        parts[:, first : first + 3, 5] = subject.skin
    return parts
