"""`Pipeline`: how events become the array that a network sees."""

from __future__ import annotations

from typing import Any

from eventbench.specs.base import About, Spec


class Pipeline(Spec, frozen=True):
    """One recipe: `pipelines/<name>-vN.toml`.

    `steps` are applied to the events in order, then `representation` makes the array. Each is a table with a
    `name` and the parameters of that member (the representation's include the dtype and overflow policy).
    """

    representation: dict[str, Any]
    steps: list[dict[str, Any]] = []
    about: About = About()
