"""Steps, then a representation: how a pipeline makes frames of events."""

from __future__ import annotations

import numpy as np

from eventbench import registry
from eventbench.errors import BadSpec
from eventbench.representations.base import Account, Representation
from eventbench.specs.catalog import Named
from eventbench.specs.pipeline import Pipeline
from eventbench.steps.base import Step
from eventbench.store.read import EventStore


def bin_sample(
    events: EventStore, row: int, pipeline: Named[Pipeline], steps: list[Step], representation: Representation
) -> tuple[np.ndarray, int, Account]:
    """The frames of a sample, the events that came, and the account of what the steps left of them."""
    if not steps:
        columns = events.columns(row)
        frames, account = representation.apply_packed(columns)
        return frames, len(columns.dt), account
    sample = events[row]
    came = len(sample)
    lost: dict[str, int] = {}
    for table, step in zip(pipeline.spec.steps, steps, strict=True):
        before, sample = len(sample), step.apply(sample)
        lost[table["name"]] = lost.get(table["name"], 0) + before - len(sample)
    frames, account = representation.apply(sample)
    return frames, came, account._replace(lost=lost | account.lost)


def prepared(pipeline: Named[Pipeline]) -> tuple[list[Step], Representation]:
    """The steps and the representation a pipeline names. Raises BadSpec, or UnknownName, where it cannot be followed."""
    where = pipeline.path.name
    steps = [registry.steps.build(step, where=where) for step in pipeline.spec.steps]
    for table, step in zip(pipeline.spec.steps, steps, strict=True):
        if step.random:
            raise BadSpec(
                f"step {table['name']!r} is random: a store must come out the same every time",
                where=where,
                fix="augment the view of the training data with it: eb.open_store(..., augment=[...])",
            )
    return steps, registry.representations.build(pipeline.spec.representation, where=where)
