"""`Scene`: ranges from which subject, position, light and motion are drawn; and the frames that the camera sees."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np

from eventbench.errors import BadSpec
from eventbench.simulate.arithmetic import TAU, sine
from eventbench.simulate.figure import capsules, draw_subject
from eventbench.simulate.gestures import GESTURES, Motion
from eventbench.simulate.random import Draws
from eventbench.simulate.render import background, render

Range = tuple[float, float]


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ranges from which subjects and recordings are drawn, each (low, high).

    Of a subject: `stature` and `limb` (factors on the whole and on each length), `arm_reflectance`,
    `body_reflectance`, `pace` (a factor on cycles). Of a recording: `place_x`, `place_y` (position of the chest, as a
    fraction of the picture), `light`, `slope` (change of the light across the picture), `background` (its mean
    reflectance), `texture` (its contrast), `grain` (its coarsest cell, in 1/64 of the picture), `cycles` (of a swing
    in the recording), `turns` (whole turns of a circle), `rest` (fraction of the recording before, and after, the gesture in
    which the arms are still), `size` (a factor on the movement of the hands), `rubato` (variation of the speed within a
    recording) and `sway` (of the body, in 1/64 of the picture). `dark` is the intensity of a pixel without light.

    Raises BadSpec if a range is reversed or beyond what can be drawn.
    """

    stature: Range = (0.75, 1.15)
    limb: Range = (0.9, 1.1)
    arm_reflectance: Range = (0.7, 0.95)
    body_reflectance: Range = (0.1, 0.4)
    pace: Range = (0.9, 1.1)
    place_x: Range = (0.32, 0.68)
    place_y: Range = (0.31, 0.61)
    light: Range = (0.3, 1.5)
    slope: Range = (-0.4, 0.4)
    background: Range = (0.15, 0.35)
    texture: Range = (0.2, 0.7)
    grain: Range = (6.0, 16.0)
    cycles: Range = (2.0, 3.0)
    turns: tuple[int, int] = (2, 3)
    rest: Range = (0.0, 0.1)
    size: Range = (0.8, 1.1)
    rubato: Range = (0.0, 0.1)
    sway: Range = (0.0, 0.6)
    dark: Annotated[float, msgspec.Meta(gt=0.0)] = 0.02

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            limits = getattr(self, name)
            if not isinstance(limits, tuple):
                continue
            minimum, maximum = _BOUNDS.get(name, (0.0, 100.0))
            if not minimum <= limits[0] <= limits[1] <= maximum:
                raise BadSpec(
                    f"{name} is {list(limits)}",
                    where="scene",
                    allowed=f"[low, high], low first, both from {minimum:g} to {maximum:g}",
                )


# Within these limits every intensity is positive and no gesture runs backwards.
_BOUNDS = {
    "stature": (0.1, 10.0),
    "limb": (0.1, 10.0),
    "slope": (-0.9, 0.9),
    "texture": (0.0, 1.0),
    "grain": (1.0, 100.0),
    "rest": (0.0, 0.45),
    "rubato": (0.0, 1.0),
}


def log_intensity(
    scene: Scene, gesture: str, person: Draws, recording: Draws, progress: np.ndarray, sensor: tuple[int, int]
) -> np.ndarray:
    """What the camera sees: natural log of intensity, float64 (frames, height, width).

    `progress` is float64 (frames,), from 0 at the start of the recording to 1 at its end; `sensor` is (width, height).
    """
    width, height = sensor
    unit = min(width, height) / 64.0
    subject = draw_subject(
        person,
        unit=unit,
        stature=scene.stature,
        limb=scene.limb,
        arm_reflectance=scene.arm_reflectance,
        body_reflectance=scene.body_reflectance,
    )
    motion = Motion(
        limbs=subject.limbs,
        draws=recording,
        progress=_gesture_progress(scene, recording, progress),
        cycles=recording.between("cycles", scene.cycles) * person.between("pace", scene.pace),
        turns=recording.whole("turns", scene.turns),
        size=recording.between("size", scene.size),
    )
    arms = GESTURES[gesture](motion)
    parts = capsules(subject, _chest(scene, recording, progress, sensor, unit), arms)
    picture = background(
        recording.key("texture"),
        height,
        width,
        recording.between("background", scene.background),
        recording.between("contrast", scene.texture),
        unit * recording.between("grain", scene.grain),
    )
    frames: np.ndarray = render(parts, picture, _light(scene, recording, sensor), scene.dark)
    return frames


def _gesture_progress(scene: Scene, recording: Draws, progress: np.ndarray) -> np.ndarray:
    """Progress of the gesture: still, then moving at a slightly varying speed, then still."""
    begin = recording.between("rest before", scene.rest)
    end = 1.0 - recording.between("rest after", scene.rest)
    steady = np.minimum(np.maximum((progress - begin) / (end - begin), 0.0), 1.0)
    depth = recording.between("rubato", scene.rubato)
    start = TAU * recording.between("rubato start", (0.0, 1.0))
    uneven: np.ndarray = steady + depth / TAU * (sine(TAU * steady + start) - sine(start))
    return uneven


def _chest(
    scene: Scene, recording: Draws, progress: np.ndarray, sensor: tuple[int, int], unit: float
) -> np.ndarray:
    """The point between the shoulders, float64 (frames, 2), in pixels from the top left: a position, and a sway about it."""
    chest = np.empty((len(progress), 2))
    for axis, name in enumerate(("x", "y")):
        position = recording.between(f"place {name}", (scene.place_x, scene.place_y)[axis]) * sensor[axis]
        amplitude = unit * recording.between(f"sway {name}", scene.sway)
        cycles = recording.between(f"sway {name} cycles", (0.3, 1.0))
        start = recording.between(f"sway {name} start", (0.0, 1.0))
        chest[:, axis] = position + amplitude * sine(TAU * (cycles * progress + start))
    return chest


def _light(scene: Scene, recording: Draws, sensor: tuple[int, int]) -> np.ndarray:
    """Illumination, float64 (height, width): a level, and a slope along each axis."""
    width, height = sensor
    level = recording.between("light", scene.light)
    across = recording.between("slope x", scene.slope) * (np.arange(width) / width - 0.5)
    down = recording.between("slope y", scene.slope) * (np.arange(height) / height - 0.5)
    return level * (1.0 + across[None, :] + down[:, None])
