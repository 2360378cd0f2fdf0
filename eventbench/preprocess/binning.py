"""`Binning`: steps, then a representation; how a pipeline makes frames of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eventbench import registry
from eventbench.errors import BadSpec
from eventbench.events import Events
from eventbench.events.packed import PackedEvents
from eventbench.representations.base import Account, Representation
from eventbench.specs.catalog import Named
from eventbench.specs.pipeline import Pipeline
from eventbench.steps.base import Step


@dataclass(frozen=True)
class Binning:
    """Events to frames (T, C, H, W): `steps` in order, then `representation`.

    It is made from a pipeline, `Binning.of(pipeline)`, or from a representation alone, `Binning(representation)`;
    `augmented` puts random steps before its own. Whoever makes frames of stored events, ahead of time or as they are
    asked for, does it with `apply`, so that the frames are the same everywhere. Without steps (`steps == ()`) a
    representation may as well be applied elsewhere, on a GPU for instance. It can be pickled.

    `step_names` are what the account calls the steps, in the same order.
    """

    representation: Representation
    steps: tuple[Step, ...] = ()
    step_names: tuple[str, ...] = ()

    @classmethod
    def of(cls, pipeline: Named[Pipeline]) -> Binning:
        """What a pipeline names. Raises UnknownName or BadSpec where it cannot be built, or a step is random."""
        where = pipeline.path.name
        steps = tuple(registry.steps.build(table, where=where) for table in pipeline.spec.steps)
        names = tuple(table["name"] for table in pipeline.spec.steps)
        for name, step in zip(names, steps, strict=True):
            if step.random:
                raise BadSpec(
                    f"step {name!r} is random: a store must come out the same every time",
                    where=where,
                    fix="augment the view of the training data with it: eb.open_store(..., augment=[...])",
                    reason="random_step",
                )
        return cls(registry.representations.build(pipeline.spec.representation, where=where), steps, names)

    def augmented(self, steps: Sequence[Step]) -> Binning:
        """The same with these steps, which may be random, before its own."""
        names = tuple(type(step).__name__ for step in steps)
        return Binning(self.representation, (*steps, *self.steps), names + self.step_names)

    def sensor(self, sensor: tuple[int, int]) -> tuple[int, int]:
        """The (width, height) that the representation sees of recordings of a `sensor` (width, height)."""
        for step in self.steps:
            sensor = step.sensor(sensor)
        return sensor

    def shape(self, sensor: tuple[int, int]) -> tuple[int, int, int, int]:
        """(T, C, H, W) of recordings of a `sensor` (width, height). Raises BadSpec where T is not fixed."""
        return self.representation.shape(self.sensor(sensor))

    @property
    def dtype(self) -> np.dtype:
        """The type of the frames' values."""
        return np.dtype(self.representation.array_dtype)

    def apply(
        self,
        recording: PackedEvents | Events,
        generator: np.random.Generator | None = None,
        out: np.ndarray | None = None,
    ) -> tuple[np.ndarray, Account]:
        """The frames (T, C, H, W), written into `out` when given, and the account of every event that came in.

        Random steps draw from `generator`; the account counts what a step removed under the step's name.
        """
        if not self.steps and isinstance(recording, PackedEvents):
            return self.representation.apply_packed(recording, out)
        events = recording.events() if isinstance(recording, PackedEvents) else recording
        came_in = len(events)
        lost: dict[str, int] = {}
        for name, step in zip(self.step_names, self.steps, strict=True):
            before, events = len(events), step.apply(events, generator)
            lost[name] = lost.get(name, 0) + before - len(events)
        frames, account = self.representation.apply(events, out)
        return frames, Account(came_in, account.binned, lost | account.lost)
