"""A submission folder: written by `train`, by hand or by another program; read by `submit`."""

from __future__ import annotations

import inspect
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from eventbench import digest
from eventbench.errors import BadSubmission, some
from eventbench.specs.base import load
from eventbench.specs.submission import Submission
from eventbench.submission.model import make_model
from eventbench.submission.user_code import model_class


class SubmissionFolder:
    """A submission as it lies in `folder`: what `submission.toml` says, and models made and filled from it."""

    def __init__(self, folder: Path) -> None:
        stated = folder / "submission.toml"
        if not stated.is_file():
            raise BadSubmission(
                "no submission.toml",
                where=folder,
                fix="eventbench train writes one; the README shows what is in it",
            )
        self.folder, self.spec = folder, load(stated, Submission)
        if not self.spec.weights:
            raise BadSubmission(
                "weights is an empty list", where=stated, allowed="one safetensors file a seed"
            )
        for name in self.spec.weights:
            if not name.endswith(".safetensors") or Path(name).name != name:
                raise BadSubmission(
                    f"weights are named {name!r}",
                    where=stated,
                    allowed="files *.safetensors of the folder itself",
                )
            if not (folder / name).is_file():
                raise BadSubmission(
                    f"{name} is not there", where=folder, fix="every file of weights must lie in the folder"
                )
        if len(set(self.spec.weights)) < len(self.spec.weights):
            raise BadSubmission(
                "weights name a file twice", where=stated, allowed="one file a seed, each of its own"
            )
        seeds = self.spec.training.get("seeds", list(range(len(self.spec.weights))))
        whole = isinstance(seeds, list) and all(type(seed) is int for seed in seeds)
        if not whole or len(seeds) != len(self.spec.weights) or len(set(seeds)) != len(seeds):
            raise BadSubmission(
                f"training.seeds is {seeds!r}",
                where=stated,
                allowed=f"{len(self.spec.weights)} different whole numbers",
            )
        self.seeds: list[int] = seeds
        model_class(self.spec.model.name, folder)  # an unknown one is refused before a store is made for it

    def model(self, sensor: tuple[int, int], time_steps: int, classes: int) -> nn.Module:
        """The model, made for these frames, with the weights it starts with."""
        return make_model(
            self.spec.model.name, self.spec.model.config, sensor, time_steps, classes, self.folder
        )

    def code(self) -> str:
        """sha256 of the file that the model's class is written in."""
        return digest.of_file(Path(inspect.getfile(model_class(self.spec.model.name, self.folder))))

    def fill(self, model: nn.Module, weights: str) -> None:
        """Load one file of weights. Raises BadSubmission where it does not fit the model to the last key and shape."""
        path = self.folder / weights
        try:
            state = load_file(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise BadSubmission(f"not a readable safetensors file: {error}", where=path) from None
        own = model.state_dict()
        missing, extra = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        if missing or extra:
            told = [f"missing: {some(missing, 3)}"] * bool(missing) + [
                f"not in the model: {some(extra, 3)}"
            ] * bool(extra)
            raise BadSubmission(f"the weights are not this model's; {'; '.join(told)}", where=path)
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
        model.load_state_dict(state)
