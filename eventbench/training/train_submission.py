"""Where submissions are made: a model trained for every seed, into a folder that appears when it is complete."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from tqdm import tqdm

from eventbench import digest
from eventbench.errors import BadSubmission
from eventbench.layers.lif import backends_used
from eventbench.loading.task_data import TaskData
from eventbench.specs.base import About
from eventbench.specs.submission import ModelRef, Submission
from eventbench.submission.model import call_model, make_model
from eventbench.submission.user_code import ModelCode, load_code
from eventbench.training.curves import draw_learning_curves
from eventbench.training.heap import keep_heap
from eventbench.training.loop import Epoch, fit, write_log
from eventbench.training.recipe import Recipe
from eventbench.training.step import precision, seed_everything


def train_submission(
    task_data: TaskData,
    model: ModelCode | str,
    config: dict[str, Any],
    seeds: list[int],
    target: Path,
    *,
    recipe: Recipe | None = None,
    epochs: int | None = None,
    quiet: bool = False,
) -> list[dict[str, Any]]:
    """Train `model` once a seed and write the submission folder `target`; what each run came to.

    The folder grows as `<target>.unfinished` and is renamed when whole; a run with the same arguments goes on there with
    the seeds that are left. Raises BadSubmission when `target` is there already, or when a model cannot be trained.
    """
    if target.exists():
        raise BadSubmission("is there already", where=target, fix="name another folder, or remove this one")
    if len(set(seeds)) < len(seeds):
        raise BadSubmission(f"seeds are {seeds}", where=target, allowed="each of them once")
    recipe = recipe or Recipe()
    if epochs is not None:
        recipe = msgspec.structs.replace(recipe, epochs=epochs)
    keep_heap()
    trained_in = precision(recipe, task_data.device)
    code = load_by_path(model) if isinstance(model, str) else model
    name = code.name
    _try(task_data, code, config)  # refused before anything is written
    asked = {
        "model": {"name": name, "config": config},
        "task": task_data.task.id,
        "store": task_data.store_digest,
        "recipe": msgspec.to_builtins(recipe),
        "code": code.digest if code.submitted else "",
    }
    draft = _draft(target, asked)
    if code.submitted:
        shutil.copyfile(code.file, draft / code.file.name)
    runs = [_run(task_data, code, config, seed, recipe, draft, quiet) for seed in seeds]
    draw_learning_curves(runs, draft / "learning_curve.png", f"{name} on {task_data.task.id}")
    training = {
        "seeds": seeds,
        "task": task_data.task.id,
        "selection": "best validation epoch",
        "recipe": asked["recipe"],
        "precision": trained_in,
        "lif_backends": sorted({name for run in runs for name in run["lif_backends"]}),
        "epochs": [run["epochs"] for run in runs],
        "best_epoch": [run["best_epoch"] for run in runs],
        "validation_accuracy": [run["validation_accuracy"] for run in runs],
    }
    submission = Submission(
        model=ModelRef(name=name, config=config),
        weights=[f"seed{seed}.safetensors" for seed in seeds],
        training=training,
        about=About(title=name),
    )
    (draft / "submission.toml").write_bytes(msgspec.toml.encode(submission))
    draft.rename(target)
    for state in (target / "asked.json", *(target / f"seed{seed}.json" for seed in seeds)):
        state.unlink()  # what a resumed run would have needed
    return [{key: value for key, value in run.items() if key != "log"} for run in runs]


def load_by_path(model: str) -> ModelCode:
    """A model of the package by name, or of a file anywhere (`path/my_model.py:MyNet`); raises where there is none."""
    file, _, class_name = model.rpartition(":")
    if not file.endswith(".py"):
        return load_code(model)
    path = Path(file).expanduser().absolute()
    return load_code(f"{path.name}:{class_name}", path.parent)


def _draft(target: Path, asked: dict[str, Any]) -> Path:
    """The unfinished folder, emptied unless the same thing was asked for when it was begun."""
    draft = target.with_name(target.name + ".unfinished")
    stated = draft / "asked.json"
    content = digest.canonical_json(asked)
    if draft.exists() and not (stated.is_file() and stated.read_bytes() == content):
        shutil.rmtree(draft)
    draft.mkdir(parents=True, exist_ok=True)
    if not stated.exists():
        stated.write_bytes(content)
    return draft


def _try(task_data: TaskData, code: ModelCode, config: dict[str, Any]) -> None:
    """Hold the untrained model to the contract on a few samples."""
    model = (
        make_model(code, config, task_data.sensor, task_data.time_steps, task_data.classes)
        .to(task_data.device)
        .eval()
    )
    frames, _ = next(task_data.split("validation").batches(4))
    with torch.no_grad():
        call_model(model, frames, task_data.classes, code.name)


def _run(
    task_data: TaskData,
    code: ModelCode,
    config: dict[str, Any],
    seed: int,
    recipe: Recipe,
    draft: Path,
    quiet: bool,
) -> dict[str, Any]:
    done = draft / f"seed{seed}.json"
    if done.is_file():
        return json.loads(done.read_text())
    start = time.perf_counter()
    generator = seed_everything(seed, task_data.device)
    model = make_model(code, config, task_data.sensor, task_data.time_steps, task_data.classes).to(
        task_data.device
    )
    with tqdm(
        total=recipe.epochs, desc=f"{code.name} seed {seed}", unit="epoch", disable=quiet or None
    ) as bar:

        def progress(epoch: Epoch) -> None:
            bar.set_postfix(loss=f"{epoch.train_loss:.3f}", validation=f"{epoch.validation_accuracy:.3f}")
            bar.update()

        try:
            log = fit(
                model,
                task_data.split("train"),
                task_data.split("validation"),
                recipe,
                generator,
                progress=progress,
            )
        except (RuntimeError, TypeError, ValueError) as error:
            if not code.submitted:
                raise
            raise BadSubmission(
                f"training failed: {type(error).__name__}: {error}", where=code.name
            ) from error
    best = max(log, key=lambda epoch: (epoch.validation_accuracy, -epoch.validation_loss))
    write_log(log, draft / f"seed{seed}.csv")
    # Copies, since safetensors refuses two keys of one memory, as tied weights are.
    state = {key: value.detach().cpu().contiguous().clone() for key, value in model.state_dict().items()}
    try:
        save_file(state, draft / f"seed{seed}.safetensors")
    except SafetensorError as error:
        raise BadSubmission(
            f"the weights cannot be written: {error}", where=draft, fix="run the same command again"
        ) from None
    run = {
        "seed": seed,
        "epochs": len(log),
        "best_epoch": best.epoch,
        "validation_accuracy": best.validation_accuracy,
        "lif_backends": sorted(set(backends_used(model).values())),
        "seconds": round(time.perf_counter() - start, 1),
        "log": [epoch._asdict() for epoch in log],
    }
    begun = done.with_suffix(".tmp")
    begun.write_text(json.dumps(run))
    begun.replace(done)  # last: its presence says that the seed is finished
    return run
