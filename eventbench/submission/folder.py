"""A submission folder: written by `train`, by hand or by another program; read by `submit`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from eventbench import digest
from eventbench.errors import BadSubmission, some
from eventbench.specs import base
from eventbench.specs.submission import Submission
from eventbench.submission.model import make_model
from eventbench.submission.user_code import load_code


class FilledModel(NamedTuple):
    """A model with one file's weights in it, and the sha256 of that file."""

    model: nn.Module
    digest: str


class SubmissionFolder:
    """A submission as it lies in `folder`, checked when it is opened.

    Its model's file is executed once, here; `filled_model` reads each file of weights once. Raises BadSubmission for a
    `submission.toml` that does not hold together or names a file that is missing, UnknownName for a model there is not.

    Attributes
    ----------
    spec : what submission.toml says
    code : the model's class, loaded
    seeds : of each of spec.weights, in the same order
    """

    def __init__(self, folder: Path) -> None:
        toml = folder / "submission.toml"
        if not toml.is_file():
            raise BadSubmission(
                "no submission.toml",
                where=folder,
                fix="eventbench train writes one; the README shows what is in it",
            )
        self.folder, self.spec = folder, base.load(toml, Submission)
        self._check_weights(toml)
        self.seeds = self._checked_seeds(toml)
        self.code = load_code(self.spec.model.name, folder)

    def _check_weights(self, toml: Path) -> None:
        if not self.spec.weights:
            raise BadSubmission("weights is an empty list", where=toml, allowed="one safetensors file a seed")
        for name in self.spec.weights:
            if not name.endswith(".safetensors") or Path(name).name != name:
                raise BadSubmission(
                    f"weights are named {name!r}",
                    where=toml,
                    allowed="files *.safetensors of the folder itself",
                )
            if not (self.folder / name).is_file():
                raise BadSubmission(
                    f"{name} is not there",
                    where=self.folder,
                    fix="every file of weights must lie in the folder",
                )
        if len(set(self.spec.weights)) < len(self.spec.weights):
            raise BadSubmission(
                "weights name a file twice", where=toml, allowed="one file a seed, each of its own"
            )

    def _checked_seeds(self, toml: Path) -> list[int]:
        number = len(self.spec.weights)
        seeds = self.spec.training.get("seeds", list(range(number)))
        whole = isinstance(seeds, list) and all(type(seed) is int for seed in seeds)
        if not whole or len(seeds) != number or len(set(seeds)) != number:
            raise BadSubmission(
                f"training.seeds is {seeds!r}", where=toml, allowed=f"{number} different whole numbers"
            )
        return list(seeds)

    def model(self, sensor: tuple[int, int], time_steps: int, classes: int) -> nn.Module:
        """The model, made for these frames, with the weights it starts with."""
        return make_model(self.code, self.spec.model.config, sensor, time_steps, classes)

    def filled_model(
        self, weights: str, sensor: tuple[int, int], time_steps: int, classes: int
    ) -> FilledModel:
        """The model, made for these frames, with the weights of one file, which is read once.

        Raises BadSubmission where the model cannot be made, or the weights do not fit it to the last key and shape.
        """
        model = self.model(sensor, time_steps, classes)
        return FilledModel(model, self.fill(model, weights))

    def fill(self, model: nn.Module, weights: str) -> str:
        """Load one file of weights; its sha256. Raises BadSubmission where it does not fit the model."""
        path = self.folder / weights
        try:
            content = path.read_bytes()
            state = load(content)
        except (SafetensorError, OSError, ValueError) as error:
            raise BadSubmission(f"not a readable safetensors file: {error}", where=path) from None
        _check_state(state, model.state_dict(), path)
        model.load_state_dict(state)
        return digest.of_bytes(content)


def _check_state(state: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor], path: Path) -> None:
    missing, extra = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    if missing or extra:
        clauses = ["the weights are not this model's"]
        clauses += [f"missing: {some(missing, 3)}"] if missing else []
        clauses += [f"not in the model: {some(extra, 3)}"] if extra else []
        raise BadSubmission("; ".join(clauses), where=path)
    for key, tensor in state.items():
        if tensor.shape != own[key].shape:
            raise BadSubmission(
                f"{key} is {tuple(tensor.shape)}",
                where=path,
                allowed=f"{tuple(own[key].shape)}, as the model is made",
            )
        if tensor.dtype != own[key].dtype:
            raise BadSubmission(
                f"{key} is {tensor.dtype}", where=path, allowed=f"{own[key].dtype}, as the model is made"
            )
        if not tensor.isfinite().all():
            raise BadSubmission(f"{key} holds values that are not finite", where=path)
