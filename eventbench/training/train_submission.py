"""`train_submission`: trains a model for every seed, into a submission folder that appears when it is complete."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from eventbench import digest
from eventbench.errors import BadSubmission, EventbenchError
from eventbench.loading.task_data import TaskData
from eventbench.specs.base import About
from eventbench.specs.submission import ModelRef, Submission
from eventbench.submission.contract import check_metrics, check_scores, held_to_contract, refuse_missing
from eventbench.submission.files import LEARNING_CURVE, UNFINISHED, digests, needed_files
from eventbench.submission.folder import PIPELINE, refuse_other_pipeline
from eventbench.submission.user_code import ModelCode, load_code
from eventbench.training.curves import draw_learning_curves
from eventbench.training.heap import keep_heap
from eventbench.training.recipe import Recipe
from eventbench.training.step import precision
from eventbench.training.trained_run import TrainedRun, TrainingJob, TrainingProgress, train_seed, unwatched

CHECKED_BEFORE_TRAINING = 6  # samples: enough for an uneven batch


def train_submission(
    task_data: TaskData,
    model: ModelCode | str,
    config: dict[str, Any],
    seeds: Sequence[int],
    target: Path,
    *,
    recipe: Recipe | None = None,
    epochs: int | None = None,
    title: str = "",
    named: Sequence[Path] = (),
    progress: TrainingProgress = unwatched,
    note: Callable[[str], object] = lambda _: None,
) -> list[TrainedRun]:
    """Train `model` once per seed, write the submission folder `target` and return the results of the runs.

    `model` is loaded code, or a name as in `load_by_path`. A model of one's own is copied with all that it needs: what
    `needed_files` finds, and the files and folders `named` beside it. `title` is what the board will call it, else the class's
    name. The folder is `<target>.unfinished` until it is complete; a
    call with the same arguments continues there with the remaining seeds. `note` is told, before the first epoch, what the
    scoring will not be able to compute. Raises BadSubmission if `target` exists
    already, or if the model cannot be trained.
    """
    if target.exists():
        raise BadSubmission("exists already", where=target, fix="choose another folder, or remove this one")
    if len(set(seeds)) < len(seeds):
        raise BadSubmission(f"seeds are {list(seeds)}", where=target, allowed="different seeds")
    recipe = recipe or Recipe()
    if epochs is not None:
        recipe = msgspec.structs.replace(recipe, epochs=epochs)
    keep_heap()
    dtype_name = precision(recipe, task_data.device)
    code = load_by_path(model) if isinstance(model, str) else model
    job = TrainingJob(task_data, code, config, recipe)
    for metric, why in _check_model(job).items():  # before anything is written
        note(f"{metric} will not be counted: {why}")
    files = needed_files(code, named) if code.submitted else {}
    if PIPELINE in files:
        refuse_other_pipeline(code.file.parent, task_data.pipeline)
    _check_copy(job, files)
    draft = _open_draft(target, _identity(job, files))
    _copy(files, draft)
    runs = [train_seed(job, seed, draft, progress) for seed in seeds]
    draw_learning_curves(runs, draft / LEARNING_CURVE, f"{code.name} on {task_data.task.id}")
    submission = Submission(
        model=ModelRef(name=code.name, config=config),
        weights=[f"seed{seed}.safetensors" for seed in seeds],
        training=_training_table(job, runs, dtype_name),
        about=About(title=title or code.name.rpartition(":")[2]),
    )
    (draft / "submission.toml").write_bytes(msgspec.toml.encode(submission))
    draft.rename(target)
    for state_file in (target / UNFINISHED, *(target / f"seed{seed}.json" for seed in seeds)):
        state_file.unlink()  # only needed to resume
    return runs


def load_by_path(model: str) -> ModelCode:
    """A model of the package by name, or of any file (`path/my_model.py:MyNet`). Raises as `load_code` does."""
    file, _, class_name = model.rpartition(":")
    if not file.endswith(".py"):
        return load_code(model)
    path = Path(file).expanduser().absolute()
    return load_code(f"{path.name}:{class_name}", path.parent)


def _copy(files: dict[str, Path], folder: Path) -> None:
    """Copy files to their paths below a folder."""
    for name, path in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)


def _check_copy(job: TrainingJob, files: dict[str, Path]) -> None:
    """Raises BadSubmission where a model that reads files beside its own cannot be made of the copies of `files`.

    Only code that names `__file__` can find such files; any other is not executed a second time.
    """
    if not any(b"__file__" in path.read_bytes() for name, path in files.items() if name.endswith(".py")):
        return
    with tempfile.TemporaryDirectory(prefix="eventbench-") as place:
        folder = Path(place).resolve()
        _copy(files, folder)
        try:
            dataclasses.replace(job, code=load_code(job.code.name, folder)).make()
        except EventbenchError as error:
            raise BadSubmission(
                f"it cannot be made of the files that belong to it: {error.what.replace(place, '')}",
                where=job.code.name,
                allowed=f"what it reads among them: {', '.join(files)}",
                fix="name what it reads from beside it: eventbench train --file FILE, which may be repeated",
            ) from error


def _identity(job: TrainingJob, files: dict[str, Path]) -> dict[str, Any]:
    """What the weights depend on; an unfinished folder with the same identity is continued."""
    return {
        "model": {"name": job.code.name, "config": job.config},
        "task": job.task_data.task.id,
        "store": job.task_data.store_digest,
        **({"recordings": raw} if (raw := job.task_data.raw_digest) else {}),
        "recipe": msgspec.to_builtins(job.recipe),
        "code": job.code.digest if job.code.submitted else "",
        **({"files": of_files} if (of_files := digests(files, job.code.file.name)) else {}),
    }


def _training_table(job: TrainingJob, runs: list[TrainedRun], dtype_name: str) -> dict[str, Any]:
    """The table `[training]` of submission.toml."""
    figure = job.kind.selected_by
    return {
        "seeds": [run.seed for run in runs],
        "task": job.task_data.task.id,
        "selection": "best validation epoch",
        "recipe": job.recipe.as_table(),
        "precision": dtype_name,
        "lif_backends": sorted({name for run in runs for name in run.lif_backends}),
        "epochs": [len(run.log) for run in runs],
        "best_epoch": [run.best_epoch for run in runs],
        f"validation_{figure}": [run.best.validation_quality for run in runs],
    }


def _open_draft(target: Path, identity: dict[str, Any]) -> Path:
    """The unfinished folder; emptied unless it was started with the same `identity`."""
    draft = target.with_name(target.name + ".unfinished")
    identity_file = draft / UNFINISHED
    content = digest.canonical_json(identity)
    if draft.exists() and not (identity_file.is_file() and identity_file.read_bytes() == content):
        shutil.rmtree(draft)
    draft.mkdir(parents=True, exist_ok=True)
    if not identity_file.exists():
        identity_file.write_bytes(content)
    return draft


def _check_model(job: TrainingJob) -> dict[str, str]:
    """Check on a few validation samples that the untrained model can be scored, as `submit --check` does.

    Returns which metrics will not be counted, and why.
    """
    data, name, metrics = job.task_data, job.code.name, job.task_data.task.spec.metrics
    frames, labels = next(data.split("validation").batches(CHECKED_BEFORE_TRAINING))
    model = held_to_contract(job.make(), job.kind, data.classes, name, metrics).eval()
    check_scores(model, frames, name)
    measured = check_metrics(model, frames, labels, metrics)
    refuse_missing(measured, job.task_data.task.spec, name)
    return measured.not_counted
