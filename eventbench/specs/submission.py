"""`Submission`: a submitted model, as a folder with `submission.toml` and weights."""

from __future__ import annotations

from typing import Any

from eventbench.specs.base import About, Spec


class ModelRef(Spec, frozen=True):
    """A model of the package (`tcja_net`) or of the folder (`my_model.py:MyNet`), and its keyword arguments."""

    name: str
    config: dict[str, Any] = {}

    @property
    def is_own(self) -> bool:
        """Whether it is a class in a file of the submitter."""
        return ".py:" in self.name


class Submission(Spec, frozen=True):
    """`submission.toml`. `weights` are safetensors files in the folder, one per seed; `training` describes the training.

    The title in `[about]` is what the board calls the submission; without one that is the model's name.

    `training.seeds`, if present, has the seed of each weights file, in the same order.
    """

    model: ModelRef
    weights: list[str]
    training: dict[str, Any] = {}
    about: About = About()
