"""`SubmissionFolder`: a submission folder, read and checked; written by `train`, by hand or by another program."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from eventbench import digest
from eventbench.errors import BadSubmission
from eventbench.specs import base
from eventbench.specs.catalog import Named
from eventbench.specs.pipeline import Pipeline
from eventbench.specs.submission import Submission
from eventbench.submission.files import DESCRIPTION, digests, submission_files
from eventbench.submission.model import make_model
from eventbench.submission.user_code import load_code
from eventbench.submission.weights import fill_model

PIPELINE = "pipeline.toml"


class FilledModel(NamedTuple):
    """A model with the weights of a file, and the sha256 of that file."""

    model: nn.Module
    digest: str


class SubmissionFolder:
    """The submission in `folder`, checked when it is opened.

    The folder is a package: the file of its model is executed once, here, with what it imports from beside it; `filled_model`
    reads each weights file once. Raises BadSubmission for an inconsistent `submission.toml` or one that names a missing file,
    UnknownName for an unknown model.

    Attributes
    ----------
    spec : the content of submission.toml
    code : the model's class, loaded
    files : sha256 of each file that a model of one's own is made of, by its path in the folder; empty where that is one file
        (`code.digest`), and for a model of the package
    seeds : the seed of each of spec.weights, in the same order
    """

    def __init__(self, folder: Path) -> None:
        toml = folder / DESCRIPTION
        if not toml.is_file():
            raise BadSubmission(
                "no submission.toml",
                where=folder,
                fix="eventbench train writes one; the README describes it",
            )
        self.folder, self.spec = folder, base.load(toml, Submission)
        self._check_weights(toml)
        self.seeds = self._checked_seeds(toml)
        self.files: dict[str, str] = {}
        if self.spec.model.is_own:  # before any of them is executed
            files = submission_files(folder, self.spec.weights)
            self.files = digests(files, self.spec.model.name.rpartition(":")[0])
        self.code = load_code(self.spec.model.name, folder)

    def refuse_other_pipeline(self, pipeline: Named[Pipeline]) -> None:
        """Raises BadSubmission where the folder has a `pipeline.toml` that is not the pipeline of the task."""
        refuse_other_pipeline(self.folder, pipeline)

    def _check_weights(self, toml: Path) -> None:
        if not self.spec.weights:
            raise BadSubmission(
                "weights is an empty list", where=toml, allowed="one safetensors file for each seed"
            )
        for name in self.spec.weights:
            if not name.endswith(".safetensors") or Path(name).name != name:
                raise BadSubmission(
                    f"weights has {name!r}",
                    where=toml,
                    allowed="files *.safetensors in the folder itself",
                )
            if not (self.folder / name).is_file():
                raise BadSubmission(
                    f"{name} is missing",
                    where=self.folder,
                    fix="put every weights file into the folder",
                )
        if len(set(self.spec.weights)) < len(self.spec.weights):
            raise BadSubmission(
                "weights names a file twice", where=toml, allowed="a different file for each seed"
            )

    def _checked_seeds(self, toml: Path) -> list[int]:
        count = len(self.spec.weights)
        seeds = self.spec.training.get("seeds", list(range(count)))
        are_integers = isinstance(seeds, list) and all(type(seed) is int for seed in seeds)
        if not are_integers or len(seeds) != count or len(set(seeds)) != count:
            raise BadSubmission(
                f"training.seeds is {seeds!r}", where=toml, allowed=f"{count} different whole numbers"
            )
        return list(seeds)

    def model(self, sensor: tuple[int, int], time_steps: int, classes: int) -> nn.Module:
        """The model, made for these frames, with its initial weights."""
        return make_model(self.code, self.spec.model.config, sensor, time_steps, classes)

    def filled_model(
        self, weights: str, sensor: tuple[int, int], time_steps: int, classes: int
    ) -> FilledModel:
        """The model, made for these frames, with the weights of a file, which is read once.

        Raises BadSubmission if the model cannot be made, or if a key or shape of the weights does not match it.
        """
        model = self.model(sensor, time_steps, classes)
        return FilledModel(model, self.fill(model, weights))

    def fill(self, model: nn.Module, weights: str) -> str:
        """Load a weights file into the model; return its sha256. Raises BadSubmission if it does not match the model."""
        path = self.folder / weights
        try:
            content = path.read_bytes()
            state = load(content)
        except (SafetensorError, OSError, ValueError) as error:
            raise BadSubmission(f"not a readable safetensors file: {error}", where=path) from None
        fill_model(model, state, path)
        return digest.of_bytes(content)


def refuse_other_pipeline(folder: Path, pipeline: Named[Pipeline]) -> None:
    """Raises BadSubmission where `folder` has a `pipeline.toml` that is not the pipeline of a task."""
    path = folder / PIPELINE
    if path.is_file() and base.load(path, Pipeline).digest != pipeline.spec.digest:
        raise BadSubmission(
            "a pipeline of its own, which this task does not take",
            where=path,
            allowed=f"the task's {pipeline.id}, which every model of its board gets",
            fix=f"take {PIPELINE} out of the folder, and train on {pipeline.id}",
        )
