"""Figures of a measured run; the reason of a figure that is not counted is raised, so that a test can match it."""

from __future__ import annotations

from eventbench.errors import NotCounted
from eventbench.metrics.base import Figure, Measured


def figures_or_reason(measured: Measured) -> dict[str, Figure]:
    for reason in measured.not_counted.values():
        raise NotCounted(reason)
    return measured.figures
