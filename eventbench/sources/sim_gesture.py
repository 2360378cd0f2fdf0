"""Eleven arm gestures, simulated: a figure before a texture, seen by a DVS pixel model.

The embedded dataset. A recording is drawn from the card's parameters and its id alone, with whole-number hashing and
+ - * / only (`simulate/arithmetic.py`), so the same card gives the same bytes on any machine, in any order.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
import numpy as np

from eventbench.errors import BadRecording, BadSpec
from eventbench.events import Events
from eventbench.simulate.gestures import GESTURES
from eventbench.simulate.pixel import Pixel, dvs_events
from eventbench.simulate.random import Draws
from eventbench.simulate.scene import Scene, log_intensity
from eventbench.sources.base import Documentation, Source
from eventbench.specs.sample import Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card

Count = Annotated[int, msgspec.Meta(ge=0)]
AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]
_ID = re.compile(r"(?P<split>[a-z]+)/s(?P<subject>\d{3,})-(?P<gesture>[a-z_]+)-(?P<take>[1-9]\d*)")


class Subjects(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many people each split has. They are numbered through, so no two splits share one."""

    train: Count = 40
    validation: Count = 10
    test: Count = 15

    def numbers(self) -> dict[str, range]:
        """The subjects' numbers by split."""
        first, numbers = 0, {}
        for split in self.__struct_fields__:
            count = getattr(self, split)
            numbers[split] = range(first, first + count)
            first += count
        return numbers


class SimGesture(Source, frozen=True, forbid_unknown_fields=True):
    """`takes` recordings of each gesture by each subject, `duration_us` long, rendered `frame_rate_hz` times a second.

    `seed` decides everything that is random; all recordings are made by one camera (one threshold mismatch).
    """

    about: ClassVar[Documentation] = Documentation(
        what="the simulator of this package: no file",
        recognised="never: a card names it",
        sensor="the card",
        unit="us",
        polarity="1 is ON",
        traps=(
            "Whole-number hashing and + - * / only, so the same card gives the same bytes on every machine. "
            "Change a parameter and it is another data set."
        ),
    )

    seed: int = 0
    subjects: Subjects = Subjects()
    takes: AtLeastOne = 2
    duration_us: AtLeastOne = 1_200_000
    frame_rate_hz: AtLeastOne = 250
    pixel: Pixel = Pixel()
    scene: Scene = Scene()

    def __post_init__(self) -> None:
        if self.changes_events:
            raise BadSpec(
                "sort, outside and salvage are for files", where="sim_gesture", fix="leave them out"
            )

    def samples(self, card: Card) -> list[Sample]:
        """Every sample of the card, sorted by id: `<split>/s<subject>-<gesture>-<take>`.

        Raises BadSpec when the card's classes are not the gestures, in their order, or its splits are not these.
        """
        if card.classes != list(GESTURES):
            raise BadSpec(
                f"classes are {card.classes}",
                where="sim_gesture card",
                allowed=f"{list(GESTURES)}, in this order",
            )
        numbers = {split: people for split, people in self.subjects.numbers().items() if people}
        if set(card.splits) != set(numbers):
            raise BadSpec(
                f"splits are {sorted(card.splits)}, but subjects are given for {sorted(numbers)}",
                where="sim_gesture card",
                fix="give each split a count in [source.subjects] and a [splits.<name>] table",
            )
        samples = [
            Sample(name, split, label, f"s{number:03d}", name)
            for split, people in numbers.items()
            for number in people
            for label, gesture in enumerate(GESTURES)
            for take in range(1, self.takes + 1)
            for name in [f"{split}/s{number:03d}-{gesture}-{take}"]
        ]
        return sorted(samples)

    def read(self, recording: Path | str, sensor: tuple[int, int] | None = None) -> Events:
        """The events of the recording with this id, on a 64 x 64 sensor where none is given.

        Raises BadRecording when the id is none of this card's.
        """
        name = str(recording)
        number, gesture = self._parts(name)
        width, height = sensor or (64, 64)
        frames = self.duration_us * self.frame_rate_hz // 1_000_000 + 1
        times = np.arange(frames, dtype=np.int64) * self.duration_us // max(frames - 1, 1)
        person = Draws(self.seed, "subject", number)
        shown = log_intensity(
            self.scene,
            gesture,
            person,
            Draws(self.seed, "recording", name),
            times / self.duration_us,
            (width, height),
        )
        return dvs_events(shown, times, self.pixel, camera=self.seed, noise=f"{self.seed} {name}")

    def _parts(self, name: str) -> tuple[int, str]:
        parts = _ID.fullmatch(name)
        if parts is not None:
            split, number, gesture = parts["split"], int(parts["subject"]), parts["gesture"]
            people = self.subjects.numbers().get(split, range(0))
            canonical = name == f"{split}/s{number:03d}-{gesture}-{parts['take']}"
            if number in people and gesture in GESTURES and int(parts["take"]) <= self.takes and canonical:
                return number, gesture
        raise BadRecording(
            f"no simulated recording {name!r}",
            where="sim_gesture",
            allowed=f"<split>/s<subject>-<gesture>-<take>, take 1 to {self.takes}, such as train/s000-clap-1",
        )
