"""Base classes of several steps: those applied with a probability, and those that drop a random share of the events."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from eventbench.events import Events
from eventbench.steps._parts import check_number, check_range, require_generator
from eventbench.steps.base import Step


def _name_of(step: Step) -> str:
    return type(step).__module__.rpartition(".")[2]


class AppliedWithProbability(Step, frozen=True, forbid_unknown_fields=True):
    """A step that changes a whole recording with `probability`, else returns it unchanged."""

    probability: float = 1.0

    def __post_init__(self) -> None:
        check_number(_name_of(self), "probability", self.probability, 0, 1)

    @property
    def random(self) -> bool:
        """Whether some recordings are left unchanged."""
        return self.probability < 1

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The changed events, the same number, or `events` itself."""
        if self.random and require_generator(_name_of(self), generator).random() >= self.probability:
            return events
        return self.change(events)

    @abstractmethod
    def change(self, events: Events) -> Events:
        """The changed events, the same number, in order of time."""


class DropsShare(Step, frozen=True, forbid_unknown_fields=True):
    """A step that drops a share of a recording, drawn uniformly from [least, most] for each recording."""

    least: float
    most: float

    def __post_init__(self) -> None:
        check_range(_name_of(self), "least to most", (self.least, self.most), 0, 1)

    @property
    def random(self) -> bool:
        """Always."""
        return True

    def apply(self, events: Events, generator: np.random.Generator | None = None) -> Events:
        """The remaining events, in their order."""
        generator = require_generator(_name_of(self), generator)
        return self.drop(events, generator.uniform(self.least, self.most), generator)

    @abstractmethod
    def drop(self, events: Events, share: float, generator: np.random.Generator) -> Events:
        """The events that remain when `share` of them (or of the pixels, the area, the time) is dropped."""
