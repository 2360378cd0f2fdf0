"""Recipes: the rates of each schedule against torch's own, every choice checked, and files that state all they do."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from eventbench import registry
from eventbench.augmentations.event_mix import EventMix
from eventbench.augmentations.nda import Nda
from eventbench.errors import BadSpec, EventbenchError, UnknownName
from eventbench.specs.recipe import DEFAULTS, changed_settings
from eventbench.training import recipe as recipes
from eventbench.training.recipe import REQUIRED_KEYS, Recipe, recipe_named, shipped

TCJA = """
optimizer = "adam"
learning_rate = 1e-3
schedule = "cosine"
t_max = 64
epochs = 200
batch_size = 16
loss = "rate_mse"
amp = true
augment = [{name = "nda", roll_px = 5}, {name = "event_mix"}]
[about]
paper = "any"
"""


def torchs(schedule: Any, epochs: int, rate: float = 0.1) -> list[float]:
    """The rate of every epoch by one of torch's schedulers."""
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], rate)
    scheduler, rates = schedule(optimiser), []
    for _ in range(epochs):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return rates


def by_epoch(recipe: Recipe, steps: int = 3) -> list[float]:
    """The rate of every epoch, found the same in each of its steps."""
    rates_by_epoch = [[recipe.rate(e * steps + k, steps) for k in range(steps)] for e in range(recipe.epochs)]
    assert all(len(set(rates)) == 1 for rates in rates_by_epoch)
    return [rates[0] for rates in rates_by_epoch]


@pytest.mark.parametrize("t_max", [0, 10, 4])
def test_cosine_is_torchs_and_rises_again_after_t_max(t_max: int) -> None:
    recipe = Recipe(epochs=10, learning_rate=0.1, schedule="cosine", t_max=t_max)
    expected = torchs(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, t_max or 10), 10)
    assert by_epoch(recipe) == pytest.approx(expected, abs=1e-12)


def test_step_is_torchs() -> None:
    recipe = Recipe(epochs=10, learning_rate=0.1, schedule="step", step_size=3, gamma=0.5)
    assert by_epoch(recipe) == pytest.approx(torchs(lambda o: torch.optim.lr_scheduler.StepLR(o, 3, 0.5), 10))


def test_one_cycle_warms_up_in_a_line_and_falls_by_a_cosine() -> None:
    recipe = Recipe(epochs=10, learning_rate=1.0, warmup=0.2)
    rates = [recipe.rate(step, 10) for step in range(100)]
    assert rates[0] == pytest.approx(0.005)
    assert rates[1:21] == pytest.approx([k / 20 for k in range(1, 21)])
    assert rates[20:] == pytest.approx([0.5 * (1 + math.cos(math.pi * k / 80)) for k in range(80)])
    assert Recipe(warmup=0.0).rate(0, 10) == Recipe().learning_rate


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"loss": "mse"},
            "recipe: no loss named 'mse'; allowed: ce, per_step_ce, rate_mse, tet; did you mean",
        ),
        (
            {"optimizer": "Adam"},
            "recipe: no optimizer named 'Adam'; allowed: adam, adamw, sgd; did you mean 'adam'?",
        ),
        ({"schedule": "cos"}, "recipe: no schedule named 'cos'; allowed: cosine, one_cycle_cosine, step"),
        ({"amp_dtype": "float8"}, "recipe: no amp_dtype named 'float8'; allowed: auto, bfloat16, float16"),
        ({"epochs": 0}, "recipe: epochs is 0; allowed: 1 or more"),
        ({"learning_rate": math.nan}, "recipe: learning_rate is nan; allowed: 0 or more"),
        ({"weight_decay": -0.1}, "recipe: weight_decay is -0.1; allowed: 0 or more"),
        ({"warmup": 1.0}, "recipe: warmup is 1.0; allowed: 0 to below 1"),
        ({"augment": [{"name": "nba"}]}, "recipe: no augmentation named 'nba'; allowed: "),
        ({"augment": [{"name": "nda", "flop": 1}]}, "recipe [augmentation nda]: unknown key 'flop'"),
        ({"augment": [{"name": "nda", "flip": 2}]}, "recipe [augmentation nda]: flip is 2"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused(change: dict[str, Any], line: str) -> None:
    with pytest.raises(EventbenchError) as refusal:
        Recipe(**change)
    assert str(refusal.value).startswith(line)


def test_a_file_states_what_is_done_and_the_rest_is_not_done(tmp_path: Path) -> None:
    file = tmp_path / "tcja-v1.toml"
    file.write_text(TCJA)
    recipe = recipe_named(str(file))
    assert (recipe.optimizer, recipe.schedule, recipe.t_max, recipe.loss) == (
        "adam",
        "cosine",
        64,
        "rate_mse",
    )
    assert recipe.augmentations() == [Nda(roll_px=5), EventMix()]
    assert (recipe.weight_decay, recipe.label_smoothing, recipe.shift_px, recipe.warmup) == (0, 0, 0, 0)
    assert recipe.patience == recipe.epochs == 200
    file.write_text("weight_decay = 0.1\npatience = 3\n" + TCJA)
    assert (recipe_named(str(file)).weight_decay, recipe_named(str(file)).patience) == (0.1, 3)


@pytest.mark.parametrize("key", REQUIRED_KEYS)
def test_a_file_that_leaves_out_what_it_must_state_is_refused(tmp_path: Path, key: str) -> None:
    file = tmp_path / "short.toml"
    file.write_text("\n".join(line for line in TCJA.splitlines() if not line.startswith(key)))
    with pytest.raises(BadSpec, match=rf"^short.toml: {key} is missing; allowed: optimizer, "):
        recipe_named(str(file))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("optimizer = ", "r.toml: not valid TOML: "),
        ("lr = 1\n" + TCJA, "r.toml: unknown key 'lr' at '$'"),
        (TCJA.replace("16", "'16'"), "r.toml: Expected `int`, got `str`"),
        (TCJA.replace('"rate_mse"', '"rate"'), "r.toml: recipe: no loss named 'rate'"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "r.toml"
    file.write_text(text)
    with pytest.raises(EventbenchError) as refusal:
        recipe_named(str(file))
    assert str(refusal.value).replace("'", "`").startswith(line.replace("'", "`"))


def test_a_recipe_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match=r"none.toml: cannot be read: No such file"):
        recipe_named(str(tmp_path / "none.toml"))
    with pytest.raises(UnknownName, match=r"^no recipe named 'nothing-v9'; allowed: "):
        recipe_named("nothing-v9")


def test_shipped_recipes_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in shipped():
        assert isinstance(recipe_named(name), Recipe)
    monkeypatch.setattr(recipes, "SHIPPED", tmp_path)
    (tmp_path / "one-v1.toml").write_text(TCJA)
    assert list(shipped()) == ["one-v1"]
    assert recipe_named("one-v1").batch_size == 16


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"epochs": "3"}, "epochs is '3'; allowed: a whole number"),
        ({"epochs": 2.5}, "epochs is 2.5; allowed: a whole number"),
        ({"batch_size": True}, "batch_size is True; allowed: a whole number"),
        ({"learning_rate": "x"}, "learning_rate is 'x'; allowed: a number"),
        ({"warmup": None}, "warmup is None; allowed: a number"),
        ({"amp": "yes"}, "amp is 'yes'; allowed: true, false"),
        ({"augment": ["nda"]}, "augment is ['nda']; allowed: a list of tables"),
    ],
)
def test_a_recipe_made_in_python_is_held_to_the_types_of_a_file(change: dict[str, Any], line: str) -> None:
    with pytest.raises(BadSpec, match=re.escape(line)):
        Recipe(**change)


def test_a_file_that_smooths_labels_of_a_loss_without_smoothing_is_refused(tmp_path: Path) -> None:
    text = (
        shipped()["tcja_ncaltech101_tet-v1"].read_text().replace("[about]", "label_smoothing = 0.1\n[about]")
    )
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(BadSpec, match=r"label_smoothing is 0.1 with loss 'tet'"):
        recipe_named(str(tmp_path / "mine.toml"))


def test_a_recipe_is_written_with_all_keys_and_augmentations_without_their_defaults() -> None:
    recipe = Recipe(epochs=4, augment=[{"name": "nda", "roll_px": 5, "flip": 0.25}, {"name": "event_mix"}])
    defaults = {
        field.name: field.default for field in msgspec.structs.fields(registry.augmentations.get("nda"))
    }
    assert defaults["roll_px"] == 5 and defaults["flip"] != 0.25
    table = recipe.as_table()
    assert table["augment"] == [{"name": "nda", "flip": 0.25}, {"name": "event_mix"}]
    assert table.keys() == DEFAULTS.keys() and table["epochs"] == 4
    assert recipe.augment[0]["roll_px"] == 5  # the recipe itself is as it was


def test_settings_at_their_default_do_not_change_what_a_recipe_means() -> None:
    assert changed_settings(Recipe().as_table()) == changed_settings({}) == {}
    assert changed_settings(Recipe(epochs=12, learning_rate=1.0).as_table()) == {
        "epochs": 12,
        "learning_rate": 1,
    }
    assert changed_settings({"epochs": 30, "of_another_program": False}) == {"of_another_program": False}
