"""Training: seeded to the last bit, selected on validation, and a submission folder that is whole or not there."""

from __future__ import annotations

import csv
import json
import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from eventbench import registry
from eventbench.augmentations.nda import Nda
from eventbench.errors import BadSpec, BadSubmission
from eventbench.loading.resident_frames import ResidentFrames
from eventbench.loading.task_data import TaskData
from eventbench.models.conv_snn import ConvSNN
from eventbench.models.tcja_net import TCJANet
from eventbench.submission.folder import SubmissionFolder
from eventbench.training import train_submission as workshop
from eventbench.training import trained_run
from eventbench.training.loop import evaluate, fit
from eventbench.training.recipe import Recipe
from eventbench.training.step import precision, seed_everything
from eventbench.training.train_submission import train_submission
from tests.support.miniatures import Miniature, miniature, refused, run_cli, write_task
from tests.support.small_nets import COUNT_RUNS, LINEAR_NET, TINY

CPU = torch.device("cpu")
QUICK = Recipe(epochs=2, batch_size=6, learning_rate=0.05, shift_px=0)


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    return miniature(tmp_path_factory.mktemp("train"))


@pytest.fixture(scope="module")
def task_data(mini: Miniature) -> TaskData:
    return TaskData(mini.order, mini.places, CPU)


def weights(folder: Path, seed: int = 0) -> dict[str, torch.Tensor]:
    state = load_file(folder / f"seed{seed}.safetensors")
    return {key: value.clone() for key, value in state.items()}  # a map of the file would change with it


def same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(value, two[key]) for key, value in one.items())


def trained(
    task_data: TaskData, folder: Path, seeds: tuple[int, ...] = (0,), model: str = "conv_snn", **more: Any
) -> Path:
    config = more.pop("config", TINY if model == "conv_snn" else {})
    train_submission(task_data, model, config, list(seeds), folder, recipe=more.pop("recipe", QUICK), **more)
    return folder


def predictions(task_data: TaskData, folder: Path, seed: int = 0) -> torch.Tensor:
    handed = SubmissionFolder(folder)
    model = handed.model(task_data.sensor, task_data.time_steps, task_data.classes).eval()
    handed.fill(model, f"seed{seed}.safetensors")
    with torch.no_grad():
        return torch.cat([model(x) for x, _ in task_data.split("test").batches(50)])


def test_the_same_seed_gives_the_same_bits_and_another_others(task_data: TaskData, tmp_path: Path) -> None:
    one = trained(task_data, tmp_path / "one", (0, 1))
    two = trained(task_data, tmp_path / "two", (0,))
    assert same(weights(one), weights(two))
    assert torch.equal(predictions(task_data, one), predictions(task_data, two))
    assert (one / "seed0.csv").read_text() == (two / "seed0.csv").read_text()
    assert not same(weights(one, 0), weights(one, 1))


def test_two_epochs_learn_what_is_easy(task_data: TaskData) -> None:
    generator = seed_everything(0, CPU)

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.readout = torch.nn.Linear(2 * 8 * 6, 2)

        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            return self.readout(frames.sum(0).flatten(1))

    net = Net()
    log = fit(net, task_data.split("train"), task_data.split("validation"), QUICK, generator)
    assert [epoch.epoch for epoch in log] == [1, 2]
    assert log[-1].train_loss < log[0].train_loss
    assert evaluate(net, task_data.split("test"), 4)[1] >= 0.9


class Stepwise(torch.nn.Module):
    """Scores of every step, and their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.readout = torch.nn.Linear(2 * 8 * 6, 2)
        self.types: set[torch.dtype] = set()

    def scores_per_step(self, frames: torch.Tensor) -> torch.Tensor:
        scores = self.readout(frames.flatten(2))
        if self.training:
            self.types.add(scores.dtype)
        return scores

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return self.scores_per_step(frames).mean(0)


@pytest.mark.parametrize(
    "more",
    [
        {"loss": "rate_mse"},
        {"loss": "per_step_ce"},
        {"loss": "tet"},
        {"optimizer": "adam", "schedule": "cosine"},
        {"optimizer": "sgd", "schedule": "step", "step_size": 2},
        {"augment": [{"name": "nda", "flip": 0.0, "roll_px": 0, "cut_px": 0}]},
        {"augment": [{"name": "event_mix"}], "loss": "tet", "amp": True},
        {"amp": True, "channels_last": True},
    ],
    ids=str,
)
def test_every_choice_of_a_recipe_learns_what_is_easy(task_data: TaskData, more: dict[str, Any]) -> None:
    generator, net = seed_everything(0, CPU), Stepwise()
    recipe = Recipe(
        epochs=6, batch_size=6, learning_rate=0.02, shift_px=0, label_smoothing=0, weight_decay=0, **more
    )
    log = fit(net, task_data.split("train"), task_data.split("validation"), recipe, generator)
    assert log[-1].train_loss < log[0].train_loss
    assert evaluate(net, task_data.split("test"), 4)[1] >= 0.9
    assert net.types == {torch.bfloat16 if recipe.amp else torch.float32}
    kept = [epoch.validation_loss for epoch in log if epoch.validation_quality == 1.0]
    again = evaluate(net, task_data.split("validation"), 4, recipe.loss)
    assert again[0] == pytest.approx(min(kept), rel=1e-4)  # the loss that validates is the one that trains


def test_the_optimizer_follows_the_schedule(task_data: TaskData, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[float] = []
    whole = torch.optim.SGD.step

    def step(self: Any, *arguments: Any) -> Any:
        used.append(self.param_groups[0]["lr"])
        return whole(self, *arguments)

    monkeypatch.setattr(torch.optim.SGD, "step", step)
    recipe = Recipe(epochs=3, batch_size=6, optimizer="sgd", schedule="step", step_size=1, learning_rate=0.1)
    train = task_data.split("train")
    log = fit(Stepwise(), train, task_data.split("validation"), recipe, seed_everything(0, CPU))
    steps = -(-len(train) // 6)
    assert used == pytest.approx([0.1] * steps + [0.01] * steps + [0.001] * steps)
    assert [epoch.learning_rate for epoch in log] == pytest.approx([0.1, 0.01, 0.001])


def test_augmentation_reaches_what_is_trained_on_and_nothing_else(
    task_data: TaskData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def passed() -> bytes:
        return b"".join(x.numpy().tobytes() for x, _ in task_data.split("validation").batches(5))

    seen: list[int] = []
    whole = Nda.apply

    def apply(self: Nda, frames: torch.Tensor, *more: Any) -> Any:
        seen.append(len(frames))
        return whole(self, frames, *more)

    monkeypatch.setattr(Nda, "apply", apply)
    before = passed()
    recipe = Recipe(epochs=2, batch_size=6, augment=[{"name": "nda"}])
    fit(Stepwise(), task_data.split("train"), task_data.split("validation"), recipe, seed_everything(0, CPU))
    assert sum(seen) == 2 * len(task_data.split("train"))
    assert passed() == before


def test_random_steps_train_on_some_of_the_steps_and_evaluate_all(task_data: TaskData) -> None:
    train, validation = task_data.split("train"), task_data.split("validation")
    frames, _ = next(iter(validation.batches(1)))
    T, _, _, H, W = frames.shape
    recipe = Recipe(
        epochs=1, batch_size=6, shift_px=0, augment=[{"name": "random_steps", "steps": T - 1}], patience=1
    )
    lengths: set[tuple[bool, int]] = set()
    network = ConvSNN((W, H), T, train.classes, channels=[4])
    network.register_forward_pre_hook(lambda m, inputs: lengths.add((m.training, len(inputs[0]))))
    fit(network, train, validation, recipe, seed_everything(0, CPU))
    assert lengths == {(True, T - 1), (False, T)}
    gated = TCJANet((W, H), T, train.classes, channels=[4], gated_stages=1)
    with pytest.raises(BadSpec, match=f"made for T={T}, got T={T - 1}"):
        fit(gated, train, validation, recipe, seed_everything(0, CPU))


def test_a_loss_of_every_step_needs_a_model_that_gives_scores_at_every_step(task_data: TaskData) -> None:
    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.readout = torch.nn.Linear(96, 2)

        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            return self.readout(frames.sum(0).flatten(1))

    recipe = Recipe(epochs=1, loss="tet")
    with pytest.raises(
        BadSubmission,
        match=r"^Whole: loss 'tet' needs scores at each step, which the model does not have; give it",
    ):
        fit(Whole(), task_data.split("train"), task_data.split("validation"), recipe, seed_everything(0, CPU))


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"graph": True}, "recipe: graph is true on cpu; allowed: graph = true on CUDA only"),
        (
            {"amp": True, "amp_dtype": "float16"},
            "recipe: amp_dtype is float16 on cpu; allowed: bfloat16 here",
        ),
    ],
)
def test_a_recipe_that_the_device_cannot_follow_is_refused(
    task_data: TaskData, tmp_path: Path, more: dict[str, Any], line: str
) -> None:
    with pytest.raises(BadSpec) as refusal:
        trained(task_data, tmp_path / "s", recipe=Recipe(epochs=1, **more))
    assert str(refusal.value).startswith(line)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("more", [{"optimizer": "sgd"}, {"amp": True}])
def test_a_graph_of_what_waits_for_the_device_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(
        BadSpec, match=r"^recipe: graph is true with .*; allowed: adam or adamw, in float32 or"
    ):
        precision(Recipe(graph=True, **more), torch.device("cuda"))


def test_the_precision_of_training_is_named() -> None:
    gpu = torch.device("cuda")
    assert precision(Recipe(amp_dtype="float16"), CPU) == "float32"
    assert precision(Recipe(amp=True), CPU) == "bfloat16"
    assert precision(Recipe(amp=True), gpu) == "float16"
    assert precision(Recipe(amp=True, amp_dtype="bfloat16"), gpu) == "bfloat16"


def test_the_snn_learns_it_too(task_data: TaskData, tmp_path: Path) -> None:
    recipe = Recipe(epochs=8, batch_size=6, learning_rate=0.03, shift_px=0)
    folder = trained(task_data, tmp_path / "s", recipe=recipe)
    hits = (predictions(task_data, folder).argmax(1) == task_data.split("test").labels).float().mean()
    assert hits > 0.7


def test_the_weights_kept_are_those_of_the_best_validation_epoch(task_data: TaskData) -> None:
    class Wandering(torch.nn.Module):
        """Right in its second epoch and wrong ever after."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))
            self.epoch: torch.Tensor
            self.register_buffer("epoch", torch.zeros(()))

        def train(self, mode: bool = True) -> Any:
            if mode:
                self.epoch += 1
            return super().train(mode)

        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            side = frames.sum((0, 2, 3))
            right = side[:, 4:].sum(1) > side[:, :4].sum(1)
            good = right if self.epoch == 2 else ~right
            return torch.stack([~good, good], 1).float() + self.weight

    net = Wandering()
    recipe = Recipe(epochs=9, patience=3, batch_size=50, learning_rate=1e-6)
    seen: list[int] = []
    log = fit(
        net,
        task_data.split("train"),
        task_data.split("validation"),
        recipe,
        seed_everything(0, CPU),
        progress=lambda e: seen.append(e.epoch),
    )
    assert len(log) == 5  # the best one, and three without a better
    assert seen == [1, 2, 3, 4, 5]
    assert net.epoch == 2


def test_a_model_with_a_method_fit_of_its_own_is_trained_by_the_loop(task_data: TaskData) -> None:
    class Fitting(Stepwise):
        def fit(self, *anything: object) -> None:
            raise AssertionError("an unrelated method was called")

    net = Fitting()
    before = net.readout.weight.detach().clone()
    log = fit(net, task_data.split("train"), task_data.split("validation"), QUICK, seed_everything(0, CPU))
    assert len(log) == 2
    assert not torch.equal(net.readout.weight, before)


def test_a_model_that_fits_once_is_given_the_training_batches_once(task_data: TaskData) -> None:
    class Counting(Stepwise):
        samples = 0

        def fit_once(self, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> None:
            self.samples += sum(len(labels) for _, labels in batches)

    net, train = Counting(), task_data.split("train")
    before = net.readout.weight.detach().clone()
    log = fit(net, train, task_data.split("validation"), QUICK, seed_everything(0, CPU))
    assert len(log) == 1
    assert net.samples == len(train)
    assert torch.equal(net.readout.weight, before)


def test_a_loss_that_is_no_number_is_refused(task_data: TaskData) -> None:
    class Broken(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor(float("nan")))

        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            return torch.ones(frames.shape[1], 2) * self.weight

    with pytest.raises(
        BadSubmission, match=r"^the training loss is not a finite number; lower the learning rate$"
    ):
        fit(Broken(), task_data.split("train"), task_data.split("validation"), QUICK, seed_everything(0, CPU))


def test_the_test_split_is_never_touched(
    task_data: TaskData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    whole = TaskData.split

    def split(self: TaskData, name: str) -> Any:
        asked.append(name)
        return whole(self, name)

    monkeypatch.setattr(TaskData, "split", split)
    trained(task_data, tmp_path / "s")
    assert set(asked) == {"train", "validation"}


def test_a_submission_folder_says_what_was_done(task_data: TaskData, tmp_path: Path) -> None:
    folder = trained(task_data, tmp_path / "deep" / "s", (3, 1))
    stated = tomllib.loads((folder / "submission.toml").read_text())
    assert stated["model"] == {"name": "conv_snn", "config": TINY}
    assert stated["weights"] == ["seed3.safetensors", "seed1.safetensors"]
    assert stated["training"]["seeds"] == [3, 1]
    assert stated["training"]["recipe"]["epochs"] == 2
    assert len(stated["training"]["validation_accuracy"]) == 2
    assert stated["training"]["precision"] == "float32"
    assert stated["training"]["lif_backends"] == ["numba"]
    for seed in (3, 1):
        rows = list(csv.DictReader((folder / f"seed{seed}.csv").read_text().splitlines()))
        assert [row["epoch"] for row in rows] == ["1", "2"]
        for row in rows:
            assert 0 <= float(row["validation_accuracy"]) <= 1
            assert float(row["train_loss"]) > 0
    assert (folder / "learning_curve.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert not (folder / "asked.json").exists()
    assert not folder.with_name("s.unfinished").exists()
    assert SubmissionFolder(folder).seeds == [3, 1]


def test_an_interrupted_training_goes_on_with_the_seeds_left(
    task_data: TaskData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(task_data, tmp_path / "whole", (0, 1, 2))
    trained_seeds: list[int] = []

    def once(*arguments: Any, **more: Any) -> Any:
        trained_seeds.append(1)
        if len(trained_seeds) == 2:
            raise KeyboardInterrupt
        return fit(*arguments, **more)

    monkeypatch.setattr(trained_run, "fit", once)
    folder = tmp_path / "s"
    with pytest.raises(KeyboardInterrupt):
        trained(task_data, folder, (0, 1, 2))
    assert not folder.exists()
    assert (tmp_path / "s.unfinished" / "seed0.safetensors").is_file()
    trained(task_data, folder, (0, 1, 2))
    assert len(trained_seeds) == 4  # seed 0, the one cut short, and the two that were left
    assert all(same(weights(folder, seed), weights(whole, seed)) for seed in (0, 1, 2))


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["torn", "other recipe", "no statement"])
def test_what_an_unfinished_folder_holds_is_used_only_if_it_was_made_alike_and_whole(
    task_data: TaskData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    expected = weights(trained(task_data, tmp_path / "whole"))
    folder, draft = tmp_path / "s", tmp_path / "s.unfinished"
    with monkeypatch.context() as patch:
        patch.setattr(workshop, "draw_learning_curves", interrupt)
        with pytest.raises(KeyboardInterrupt):
            trained(task_data, folder)
    other = trained(task_data, tmp_path / "other", recipe=Recipe(epochs=1, batch_size=6))
    if harm == "torn":
        (draft / "seed0.json").unlink()
        (draft / "seed0.tmp").write_text('{"seed": 0, "ep')
    else:
        shutil.copyfile(other / "seed0.safetensors", draft / "seed0.safetensors")
        if harm == "other recipe":
            (draft / "asked.json").write_text(json.dumps({"recipe": 1}))
        else:
            (draft / "asked.json").unlink()
    trained(task_data, folder)
    assert same(weights(folder), expected)


def test_a_folder_that_is_there_is_refused_and_left_alone(task_data: TaskData, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    with pytest.raises(BadSubmission, match=r"s: exists already; choose another folder, or remove this one$"):
        trained(task_data, tmp_path / "s")
    assert list(tmp_path.iterdir()) == [tmp_path / "s"]


def test_a_seed_named_twice_is_refused(task_data: TaskData, tmp_path: Path) -> None:
    with pytest.raises(BadSubmission, match=r"seeds are \[1, 1\]; allowed: different seeds$"):
        trained(task_data, tmp_path / "s", (1, 1))
    assert list(tmp_path.iterdir()) == []


def test_event_count_is_fitted_and_its_means_are_those_of_the_training_samples(
    task_data: TaskData, tmp_path: Path
) -> None:
    folder = trained(task_data, tmp_path / "s", model="event_count")
    split = task_data.split("train")
    assert isinstance(split, ResidentFrames)
    counts = split.frames.double().sum(1).flatten(1)
    pictures = counts / counts.sum(1, keepdim=True)
    expected = torch.stack([pictures[split.labels == label].mean(0) for label in (0, 1)])
    assert torch.allclose(weights(folder)["means"].double(), expected)
    assert (predictions(task_data, folder).argmax(1) == task_data.split("test").labels).all()


def test_a_network_of_ones_own_is_trained_with_its_file_beside_it(
    task_data: TaskData, tmp_path: Path
) -> None:
    source = tmp_path / "my_model.py"
    source.write_text(LINEAR_NET)
    folder = trained(task_data, tmp_path / "s", model=f"{source}:MyNet", config={"bias": False})
    assert (folder / "my_model.py").read_text() == LINEAR_NET
    assert tomllib.loads((folder / "submission.toml").read_text())["model"] == {
        "name": "my_model.py:MyNet",
        "config": {"bias": False},
    }
    source.unlink()
    assert predictions(task_data, folder).shape == (10, 2)


def test_a_network_of_ones_own_is_executed_once_for_all_seeds(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "my_model.py"
    source.write_text(COUNT_RUNS + LINEAR_NET)
    out = tmp_path / "s"
    arguments = ["--task", mini.task, "--epochs", 1, "--out", out, *mini.flags]
    assert run_cli(capsys, "train", f"{source}:MyNet", *arguments)[0] == 0
    assert (out / "seed1.safetensors").is_file()
    assert (tmp_path / "my_model.py.runs").read_text() == "x"


def test_tied_weights_are_written(task_data: TaskData, tmp_path: Path) -> None:
    source = tmp_path / "my_model.py"
    source.write_text(
        LINEAR_NET.replace("    def forward", "        self.again = self.readout\n\n    def forward")
    )
    folder = trained(task_data, tmp_path / "s", model=f"{source}:MyNet")
    assert predictions(task_data, folder).shape == (10, 2)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("sum(0)", "sam(0)"), "my_model.py:MyNet: forward raised AttributeError: "),
        (
            ("], classes", "], 5"),
            "my_model.py:MyNet: forward returned shape (6, 5); allowed: a float tensor (N, K) = (6, 2)",
        ),
        (("import torch", "import torhc"), "my_model.py: the file does not run: ModuleNotFoundError"),
        (("import torch", "raise SystemExit(0)"), "my_model.py: the file does not run: SystemExit"),
        (
            ("class MyNet", "class YourNet"),
            "my_model.py: no class named 'MyNet'; allowed: YourNet; did you mean 'YourNet'?",
        ),
        (("(nn.Module)", "(int)"), "my_model.py: MyNet is not a torch.nn.Module"),
        (
            ("super().__init__()", "raise KeyError('x')"),
            "my_model.py:MyNet: the model cannot be made: KeyError: 'x'",
        ),
        (
            ("self.readout(frames", "self.readout.requires_grad_(False)(frames"),
            "my_model.py:MyNet: training failed: RuntimeError: ",
        ),
    ],
)
def test_a_network_that_breaks_its_contract_is_refused_and_nothing_is_made(
    mini: Miniature,
    task_data: TaskData,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: tuple[str, str],
    line: str,
) -> None:
    source = tmp_path / "my_model.py"
    source.write_text(LINEAR_NET.replace(*change, 1))
    message = refused(
        capsys,
        "train",
        f"{source}:MyNet",
        "--task",
        mini.task,
        "--seed",
        0,
        "--out",
        tmp_path / "s",
        *mini.flags,
    )
    assert line in message
    assert not (tmp_path / "s").exists()


def test_what_a_metric_of_the_task_will_refuse_is_said_before_the_first_epoch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mini = miniature(tmp_path / "mini")
    write_task(mini.task, mini, metrics=["accuracy", "firing_rate"], demands=["firing_rate"])
    (tmp_path / "my_model.py").write_text(
        LINEAR_NET.replace("super().__init__()", "super().__init__(); self.fires = Fires()")
        .replace("return self.readout(", "return self.fires(self.readout(")
        .replace("flatten(1))", "flatten(1)))")
        + "\nclass Fires(nn.Module):\n    spiking = True\n\n    def forward(self, x):\n        return 2 * x\n"
    )
    message = refused(
        capsys,
        "train",
        tmp_path / "my_model.py:MyNet",
        "--task",
        mini.task,
        "--out",
        tmp_path / "s",
        *mini.flags,
    )
    assert "outputs of the spiking layer 'fires' are neither 0 nor 1" in message
    assert not (tmp_path / "s").exists()
    assert not (tmp_path / "s.unfinished").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["conv_sn"],
            f"no model named 'conv_sn'; allowed: {', '.join(registry.models.names())}; did you mean 'conv_snn'?",
        ),
        (
            ["conv_snn", "--set", "chanels=[4]"],
            "conv_snn: model.config has 'chanels'; allowed: channels, dropout, tau",
        ),
        (
            ["conv_snn", "--set", "channels"],
            "--set 'channels'; allowed: KEY=VALUE, as in rank=4 or composition=learned",
        ),
        (
            ["conv_snn", "--set", "channels=[]"],
            "model config: channels is []; allowed: a list of whole numbers above 0",
        ),
        (["conv_snn", "--set", "channels=wide"], "conv_snn: "),
        (
            ["conv_snn", "--epochs", "0"],
            "Invalid value for '--epochs': 0 is not in the range x>=1; see eventbench train --help",
        ),
        (["conv_snn", "--device", "abacus"], "device 'abacus' cannot be used: "),
        (["conv_snn", "--recipe", "tcja"], "no recipe named 'tcja'; allowed: "),
        (["conv_snn", "--recipe", "tcja.toml"], "tcja.toml: cannot be read: No such file or directory"),
    ],
)
def test_a_command_line_that_cannot_be_followed_is_refused(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    message = refused(capsys, "train", *arguments, "--task", mini.task, "--out", tmp_path / "s", *mini.flags)
    assert message.startswith(line)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    message = refused(
        capsys, "train", "event_count", "--task", mini.task, "--out", tmp_path / "file/s", *mini.flags
    )
    assert str(tmp_path / "file") in message


def test_the_command_trains_the_tasks_seeds_and_says_what_came_of_it(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "s"
    arguments = [
        "train",
        "conv_snn",
        "--set",
        "channels=[4]",
        "--epochs",
        1,
        "--task",
        mini.task,
        *mini.flags,
    ]
    status, out_text, err = run_cli(capsys, *arguments, "--out", out)
    assert (status, err) == (0, "")
    assert [line.partition(":")[0] for line in out_text.splitlines()] == ["seed 0", "seed 1", str(out)]
    status, out_text, _ = run_cli(capsys, *arguments, "--out", tmp_path / "t", "--seed", 4, "--json")
    assert status == 0
    document = json.loads(out_text)
    assert document["folder"] == str(tmp_path / "t")
    assert [(run["seed"], run["epochs"]) for run in document["runs"]] == [(4, 1)]


def test_the_command_follows_a_recipe_file(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "mine-v1.toml"
    recipe.write_text(
        'optimizer = "adam"\nlearning_rate = 0.01\nschedule = "cosine"\nepochs = 7\nbatch_size = 5\n'
        'loss = "rate_mse"\naugment = [{name = "nda", roll_px = 1}]\n'
    )
    out = tmp_path / "s"
    status, _, err = run_cli(
        capsys, "train", "conv_snn", "--set", "channels=[4]", "--recipe", recipe, "--epochs", 1, "--seed", 0,
        "--task", mini.task, *mini.flags, "--out", out,
    )  # fmt: skip
    assert (status, err) == (0, "")
    stated = tomllib.loads((out / "submission.toml").read_text())["training"]["recipe"]
    assert (stated["epochs"], stated["batch_size"], stated["loss"]) == (1, 5, "rate_mse")
    assert stated["augment"] == [{"name": "nda", "roll_px": 1}]
    assert SubmissionFolder(out).seeds == [0]


def test_a_task_whose_validation_is_its_test_split_is_refused(
    mini: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = write_task(tmp_path / "bad-v1.toml", mini, validation={"split": "test"})
    message = refused(capsys, "train", "event_count", "--task", task, "--out", tmp_path / "s", *mini.flags)
    assert message.startswith("bad-v1.toml: the splits are ")
