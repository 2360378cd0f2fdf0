"""`train_submission`: a model trained for every seed, into a folder that appears when it is complete."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch

from eventbench import digest
from eventbench.errors import BadSubmission
from eventbench.loading.task_data import TaskData
from eventbench.specs.base import About
from eventbench.specs.submission import ModelRef, Submission
from eventbench.submission.model import call_model
from eventbench.submission.user_code import ModelCode, load_code
from eventbench.training.curves import draw_learning_curves
from eventbench.training.heap import keep_heap
from eventbench.training.recipe import Recipe
from eventbench.training.step import precision
from eventbench.training.trained_run import ModelToTrain, TrainedRun, TrainingProgress, train_seed, unwatched


def train_submission(
    task_data: TaskData,
    model: ModelCode | str,
    config: dict[str, Any],
    seeds: Sequence[int],
    target: Path,
    *,
    recipe: Recipe | None = None,
    epochs: int | None = None,
    progress: TrainingProgress = unwatched,
) -> list[TrainedRun]:
    """Train `model` once a seed and write the submission folder `target`; what each run came to.

    `model` is loaded already, or named as in `load_by_path`. The folder grows as `<target>.unfinished` and is renamed
    when whole; a run with the same arguments goes on there with the seeds that are left. Raises BadSubmission when
    `target` exists already, or when a model cannot be trained.
    """
    if target.exists():
        raise BadSubmission("is there already", where=target, fix="name another folder, or remove this one")
    if len(set(seeds)) < len(seeds):
        raise BadSubmission(f"seeds are {list(seeds)}", where=target, allowed="each of them once")
    recipe = recipe or Recipe()
    if epochs is not None:
        recipe = msgspec.structs.replace(recipe, epochs=epochs)
    keep_heap()
    trained_in = precision(recipe, task_data.device)
    code = load_by_path(model) if isinstance(model, str) else model
    order = ModelToTrain(task_data, code, config, recipe)
    _try_model(order)  # refused before anything is written
    draft = _open_draft(target, _identity(order))
    if code.submitted:
        shutil.copyfile(code.file, draft / code.file.name)
    runs = [train_seed(order, seed, draft, progress) for seed in seeds]
    draw_learning_curves(runs, draft / "learning_curve.png", f"{code.name} on {task_data.task.id}")
    submission = Submission(
        model=ModelRef(name=code.name, config=config),
        weights=[f"seed{seed}.safetensors" for seed in seeds],
        training=_training_table(order, runs, trained_in),
        about=About(title=code.name),
    )
    (draft / "submission.toml").write_bytes(msgspec.toml.encode(submission))
    draft.rename(target)
    for state in (target / "asked.json", *(target / f"seed{seed}.json" for seed in seeds)):
        state.unlink()  # what a resumed run would have needed
    return runs


def load_by_path(model: str) -> ModelCode:
    """A model of the package by name, or of a file anywhere (`path/my_model.py:MyNet`); raises where there is none."""
    file, _, class_name = model.rpartition(":")
    if not file.endswith(".py"):
        return load_code(model)
    path = Path(file).expanduser().absolute()
    return load_code(f"{path.name}:{class_name}", path.parent)


def _identity(order: ModelToTrain) -> dict[str, Any]:
    """What the weights depend on: an unfinished folder is used again where all of it is the same."""
    return {
        "model": {"name": order.code.name, "config": order.config},
        "task": order.task_data.task.id,
        "store": order.task_data.store_digest,
        "recipe": msgspec.to_builtins(order.recipe),
        "code": order.code.digest if order.code.submitted else "",
    }


def _training_table(order: ModelToTrain, runs: list[TrainedRun], trained_in: str) -> dict[str, Any]:
    """`[training]` of submission.toml."""
    figure = order.kind.selected_by
    return {
        "seeds": [run.seed for run in runs],
        "task": order.task_data.task.id,
        "selection": "best validation epoch",
        "recipe": msgspec.to_builtins(order.recipe),
        "precision": trained_in,
        "lif_backends": sorted({name for run in runs for name in run.lif_backends}),
        "epochs": [len(run.log) for run in runs],
        "best_epoch": [run.best_epoch for run in runs],
        f"validation_{figure}": [run.best.validation_quality for run in runs],
    }


def _open_draft(target: Path, identity: dict[str, Any]) -> Path:
    """The unfinished folder, emptied unless it was begun with the same `identity`."""
    draft = target.with_name(target.name + ".unfinished")
    identity_file = draft / "asked.json"
    content = digest.canonical_json(identity)
    if draft.exists() and not (identity_file.is_file() and identity_file.read_bytes() == content):
        shutil.rmtree(draft)
    draft.mkdir(parents=True, exist_ok=True)
    if not identity_file.exists():
        identity_file.write_bytes(content)
    return draft


def _try_model(order: ModelToTrain) -> None:
    """Hold the untrained model to the contract on a few samples."""
    data, model = order.task_data, order.make().eval()
    frames, _ = next(data.split("validation").batches(4))
    with torch.no_grad():
        call_model(model, frames, data.classes, order.code.name, order.kind)
