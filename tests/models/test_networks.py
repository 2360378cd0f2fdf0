"""The published networks: their sizes, what their config changes, what they refuse, and the authors' key names."""

from __future__ import annotations

import re
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from eventbench import registry
from eventbench.errors import BadSpec, BadSubmission, EventbenchError
from eventbench.layers import LIF, PFA, TCJA
from eventbench.models._readout import SharedDropout
from eventbench.models._spiking_attention import SpikingAttention
from eventbench.models._stages import Halve, StaticStem
from eventbench.models._stepwise import StepwiseModel
from eventbench.models.sew_resnet18 import CONNECTIONS
from eventbench.submission.authors import counted_as_published, from_authors, load_authors
from eventbench.submission.model import make_model
from eventbench.training.recipe import recipe_named, shipped

NCALTECH = ((240, 180), 14, 101)
GESTURE = ((128, 128), 20, 11)
# Parameters as counted by running the authors' code; the last three: by the papers or torchvision.
COUNTS: list[tuple[str, dict[str, Any], tuple[tuple[int, int], int, int], int]] = [
    ("tcja_dvs128", {}, GESTURE, 1_832_576),
    ("tcja_cifar10dvs", {}, ((128, 128), 10, 10), 11_369_450),
    ("tcja_ncaltech101", {}, NCALTECH, 21_907_096),
    ("tcja_cifar10dvs_tet", {}, ((48, 48), 10, 10), 9_304_466),
    ("tcja_ncaltech101_tet", {}, NCALTECH, 21_909_829),
    ("pfa_vgg_cifar10dvs", {}, ((128, 128), 12, 10), 9_284_986),
    ("pfa_vgg_cifar10dvs", {"rank": 64}, ((128, 128), 10, 10), 9_392_266),
    ("pfa_vgg_ncaltech101", {}, NCALTECH, 9_824_485),
    ("pfa_vgg_gesture", {}, GESTURE, 12_927_918),
    ("pfa_fmnist", {}, ((28, 28), 4, 10), 13_015_340),
    ("plif_net", {}, GESTURE, 1_832_576 - 2 * 67_136 + 7),  # tcja_dvs128 without TCJA, a tau a layer
    ("sew_resnet18", {"inputs": 3}, ((224, 224), 4, 1000), 11_689_512),  # ResNet-18
    ("spikformer_small", {}, ((128, 128), 16, 10), 2_566_666),  # 2.57 M
]


def build(name: str, sensor: tuple[int, int], T: int, K: int, **config: Any) -> Any:
    torch.manual_seed(0)
    return make_model(name, config, sensor, T, K)


@pytest.mark.parametrize(("name", "config", "task", "count"), COUNTS)
def test_the_parameters_are_as_many_as_published(
    name: str, config: dict[str, Any], task: tuple[tuple[int, int], int, int], count: int
) -> None:
    with torch.device("meta"):
        assert counted_as_published(build(name, *task, **config)) == count


def test_the_published_count_has_the_inert_rank_weights_in_it_and_the_model_has_not() -> None:
    with torch.device("meta"):
        model = build("pfa_vgg_cifar10dvs", (128, 128), 12, 10)
    assert counted_as_published(model) - sum(p.numel() for p in model.parameters()) == 5 * 8


NETWORKS = [n for n in registry.models.names() if issubclass(registry.models.get(n), StepwiseModel)]


def small(name: str) -> Any:
    """A published network at its narrowest, for frames of two channels, 12 x 10, T=4, K=3."""
    config = {"width": 16, "heads": 4} if name == "spikformer_small" else {"channels": [4, 6]}
    return build(name, (12, 10), 4, 3, inputs=2, **config)


@pytest.mark.parametrize("name", [n for n in NETWORKS if n.startswith(("tcja", "pfa"))])
def test_weights_made_for_some_steps_refuse_others_naming_both(name: str) -> None:
    with pytest.raises(EventbenchError, match=r"made for T=4, got T=6"):
        small(name)(torch.rand(6, 2, 2, 10, 12))


@pytest.mark.parametrize("name", NETWORKS)
def test_scores_are_the_mean_of_those_of_each_step(name: str) -> None:
    model, frames = small(name).eval(), torch.rand(4, 2, 2, 10, 12)
    steps = model.scores_per_step(frames)
    assert steps.shape == (4, 2, 3)
    torch.testing.assert_close(model(frames), steps.mean(0))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_training_step_in_mixed_precision_gives_finite_gradients(name: str) -> None:
    model, frames = small(name).train(), torch.poisson(torch.full((4, 3, 2, 10, 12), 2.0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = model(frames)
        scores.float().square().sum().backward()
    assert scores.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def kinds(model: Any) -> str:
    """The chain as letters: Stage, gate T or P, pool, other modules as dots."""
    letters = {"Stage": "c", "TCJA": "T", "PFA": "P", "Halve": "p", "Resize": "r", "LIF": "l", "Linear": "f"}
    letters |= {"SharedDropout": "d", "Flatten": "-", "Voting": "v", "Normed": "n", "StaticStem": "s"}
    return "".join(letters[type(m).__name__] for part in (model.features, model.head) for m in part)


@pytest.mark.parametrize(
    ("name", "chain"),
    [
        ("tcja_dvs128", "cpcpcpcTpcTp" + "-dfldflv"),
        ("tcja_ncaltech101", "cpcpcpcTpcTp" + "-dfldfl"),
        ("tcja_ncaltech101_tet", "cpcpcpcTpcTp" + "-dfldf"),
        ("tcja_cifar10dvs", "rccpccpccTpccTp" + "-f"),
        ("tcja_cifar10dvs_tet", "ccTpccpccpccp" + "-f"),
        ("pfa_vgg_cifar10dvs", "rPccpPccpPccpPccpP" + "-fl"),
        ("pfa_vgg_ncaltech101", "rPccpPccpPccpPccpP" + "-fl"),
        ("pfa_vgg_gesture", "PccpPccpPccpPccpP" + "-fl"),
        ("tcja_fmnist", "slpnlTp" + "-flfl"),
        ("plif_net", "cpcpcpcpcp" + "-dfldflv"),
    ],
)
def test_the_layers_stand_in_the_published_order(name: str, chain: str) -> None:
    with torch.device("meta"):
        assert kinds(build(name, (64, 64), 4, 10)) == chain


def test_what_the_papers_vary_is_config() -> None:
    net = build(
        "tcja_dvs128",
        (16, 16),
        4,
        3,
        channels=[4, [5, 6], 7],
        gated=[0, 2],
        place="after_pool",
        kernel_over_time=[1, 2],
        kernel_over_channels=3,
        neuron={"tau": 3.0},
        pool="average",
        dropout=0.0,
        voters=2,
    )
    assert kinds(net) == "cpTccpcpT" + "-flflv"
    assert [m.conv_over_time.kernel_size for m in net.modules() if isinstance(m, TCJA)] == [(1,), (2,)]
    assert [m.conv_over_channels.kernel_size for m in net.modules() if isinstance(m, TCJA)] == [(3,), (3,)]
    assert all(m.tau == 3 for m in net.modules() if isinstance(m, LIF))
    ranks = build("pfa_vgg_gesture", (16, 16), 4, 3, channels=[4, 5], rank=2)
    assert [m.rank for m in ranks.modules() if isinstance(m, PFA)] == [2, 2, 64]
    off = build("pfa_vgg_cifar10dvs", (16, 16), 4, 3, channels=[4, 5], gated=[], gated_input=False, size=8)
    assert not [m for m in off.modules() if isinstance(m, PFA)]


def test_published_kernels_and_neurons_are_the_defaults() -> None:
    with torch.device("meta"):
        ncaltech = build("tcja_ncaltech101", *NCALTECH)
        tet = build("tcja_cifar10dvs_tet", (48, 48), 10, 10)
        fmnist = build("pfa_fmnist", (28, 28), 4, 10)
    gates = [m for m in ncaltech.modules() if isinstance(m, TCJA)]
    assert [(g.conv_over_time.kernel_size, g.conv_over_channels.kernel_size) for g in gates] == [
        ((4,), (4,)),
        ((4,), (2,)),
    ]
    neuron = next(m for m in tet.modules() if isinstance(m, LIF)).neuron
    assert (neuron.decay_input, neuron.surrogate, neuron.detach_reset) == (False, "triangle", False)
    assert not next(m for m in fmnist.modules() if isinstance(m, LIF)).neuron.detach_reset
    assert next(m for m in fmnist.modules() if isinstance(m, PFA)).fusion == "add_relu"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"gated": [5]}, "gated is [5]; allowed: different stage numbers from 0 to 4"),
        (
            {"kernel_over_time": [1, 2, 3]},
            "kernel_over_time has 3 values; allowed: one value, or a list of 2",
        ),
        ({"place": "inside"}, "place is 'inside'; allowed: before_pool, after_pool"),
        ({"pool": "sum"}, "pool is 'sum'; allowed: max, average"),
        ({"neuron": {"tua": 2}}, "neuron has the unknown key 'tua'; allowed: tau"),
        ({"channels": [4, []]}, "channels is [4, []]; allowed: a list of stages"),
        ({"dropout": 1.0}, "dropout is 1.0; allowed: 0 to below 1"),
    ],
)
def test_a_config_that_makes_no_network_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(BadSpec, match=re.escape(message)):
        build("tcja_dvs128", (128, 128), 4, 3, **config)


def test_other_channels_than_the_network_is_made_for_are_refused_naming_both() -> None:
    with pytest.raises(BadSpec, match=r"made for 1 channels: got \(4, 2, 2, 8, 8\)"):
        build("pfa_fmnist", (8, 8), 4, 3, channels=[4, 4], hidden=8)(torch.zeros(4, 2, 2, 8, 8))


def test_pools_drop_the_odd_row_and_leave_an_axis_of_one() -> None:
    assert Halve("max")(torch.zeros(2, 1, 3, 45, 7)).shape == (2, 1, 3, 22, 3)
    assert Halve("average")(torch.zeros(2, 1, 3, 1, 4)).shape == (2, 1, 3, 1, 2)


def test_dropout_has_one_mask_for_all_steps_and_none_in_eval() -> None:
    torch.manual_seed(0)
    dropped = SharedDropout(0.5)(torch.ones(5, 2, 100))
    assert torch.equal(dropped, dropped[:1].expand(5, 2, 100)) and set(dropped.unique().tolist()) == {0, 2}
    assert torch.equal(SharedDropout(0.5).eval()(torch.ones(5, 2, 3)), torch.ones(5, 2, 3))


def test_a_still_image_is_convolved_once_and_equals_itself_repeated() -> None:
    stem, batches = StaticStem(4, 2, 3).eval(), []
    stem.normed.conv.register_forward_hook(lambda conv, inputs, maps: batches.append(len(inputs[0])))
    image = torch.rand(5, 2, 6, 6)
    assert torch.equal(stem(image), stem(image.repeat(4, 1, 1, 1, 1)))
    assert torch.equal(stem(image), stem(image.expand(4, 5, 2, 6, 6)))
    assert batches[:2] == [5, 20] and batches[-1] == 5
    net = build("tcja_ms_resnet18", (8, 8), 4, 3, channels=[4, 6]).eval()
    assert net(torch.rand(2, 3, 8, 8)).shape == (2, 3)


def test_the_gesture_network_of_pfa_has_110_outputs_of_which_the_classes_are_scored() -> None:
    net = build("pfa_vgg_gesture", (8, 8), 4, 11, channels=[4, 6], rank=2).eval()
    frames = torch.rand(4, 2, 2, 8, 8)
    every = net.scores_per_step(frames, every=True)
    assert every.shape == (4, 2, 110)
    assert torch.equal(net.scores_per_step(frames), every[..., :11])
    with pytest.raises(BadSpec, match=r"outputs is 5; allowed: 11 or more"):
        build("pfa_vgg_gesture", (8, 8), 4, 11, channels=[4, 6], outputs=5)


def test_sew_connections_are_those_of_the_paper() -> None:
    branch, x = torch.tensor([0.0, 0, 1, 1]), torch.tensor([0.0, 1, 0, 1])
    assert CONNECTIONS["add"](branch, x).tolist() == [0, 1, 1, 2]
    assert CONNECTIONS["and"](branch, x).tolist() == [0, 0, 0, 1]
    assert CONNECTIONS["iand"](branch, x).tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize(("channels", "tokens"), [(8, 3), (4, 7)])
def test_spiking_attention_and_its_operations_are_those_of_the_definition(channels: int, tokens: int) -> None:
    heads, T, N = 2, 3, 2
    torch.manual_seed(0)
    qkv = (torch.rand(3, T, N, channels, tokens) < 0.4).float()
    d = channels // heads
    want, acs = torch.zeros(T, N, channels, tokens), [0] * N
    for t in range(T):
        for n in range(N):
            for h in range(heads):
                q, k, v = qkv[:, t, n, h * d : (h + 1) * d]
                want[t, n, h * d : (h + 1) * d] = ((q.T @ k) @ v.T).T
                left, right, last = (v, k.T, q) if d < tokens else (k.T, q, None)
                inner = left @ right
                pairs = [(left, right), (inner, q) if last is not None else (v, inner)]
                acs[n] += sum(int(((a != 0).float() @ (b != 0).float()).sum()) for a, b in pairs)
    attend = SpikingAttention(heads)
    torch.testing.assert_close(attend(qkv), want)
    counted, macs, dense = attend.count_synaptic_operations(qkv)
    assert counted.tolist() == acs and macs.tolist() == [0] * N
    assert dense.tolist() == [2 * T * channels * tokens * min(d, tokens)] * N


TET_KEYS = {
    "convolutions": [f"features.{i}.fwd.module.0" for i in (0, 2, 4, 6, 9)],
    "norms": [f"features.{i}.fwd.module.1" for i in (0, 2, 4, 6, 9)],
    "gates": ["features.7", "features.10"],
    "linears": ["classifier_1.0.module.1", "classifier_2.1.module"],
}


def tet_state(model: nn.Module, wrapped: str) -> dict[str, torch.Tensor]:
    """Random weights under the keys of the authors' VGGSNN_TCJA_NCAL, sorted as a file may list them."""
    state = {}
    gates = [m for m in model.modules() if isinstance(m, TCJA)]
    for kind, layer in (("convolutions", nn.Conv2d), ("norms", nn.BatchNorm2d), ("linears", nn.Linear)):
        for key, module in zip(TET_KEYS[kind], [m for m in model.modules() if type(m) is layer], strict=True):
            for name, value in module.state_dict().items():
                state[f"{key}.{name}"] = torch.rand_like(value.float())
    for key, gate in zip(TET_KEYS["gates"], gates, strict=True):
        state[f"{key}.{wrapped}"] = torch.rand_like(gate.conv_over_channels.weight)
        state[f"{key}.conv_c.weight"] = torch.rand_like(gate.conv_over_time.weight)
    return dict(sorted(state.items()))


@pytest.mark.parametrize("wrapped", ["conv.weight", "conv.0.weight"])
def test_a_checkpoint_with_other_containers_finds_its_places(wrapped: str) -> None:
    model = build("tcja_ncaltech101_tet", (32, 32), 4, 5, channels=[4] * 5, hidden=6)
    state = tet_state(model, wrapped)
    load_authors(model, state)
    again = from_authors("tcja_ncaltech101_tet", state, (32, 32)).state_dict()
    assert all(torch.equal(value, again[key]) for key, value in model.state_dict().items())
    for kind, layer in (("convolutions", nn.Conv2d), ("linears", nn.Linear)):
        for key, module in zip(TET_KEYS[kind], [m for m in model.modules() if type(m) is layer], strict=True):
            assert torch.equal(module.weight, state[f"{key}.weight"])
    for key, gate in zip(TET_KEYS["gates"], [m for m in model.modules() if isinstance(m, TCJA)], strict=True):
        assert torch.equal(gate.conv_over_channels.weight, state[f"{key}.{wrapped}"])
        assert torch.equal(gate.conv_over_time.weight, state[f"{key}.conv_c.weight"])


def test_the_static_convolution_comes_first_even_in_a_sorted_file() -> None:
    model = build("pfa_fmnist", (8, 8), 3, 4, channels=[2, 2], rank=2, hidden=5, inputs=2)
    shape = {"weight": (2,), "bias": (2,), "running_mean": (2,), "running_var": (2,)}
    state = {"static_conv.0.weight": torch.rand(2, 2, 3, 3), "conv.1.1.weight": torch.rand(2, 2, 3, 3)}
    state |= {f"{k}.{n}": torch.rand(s) for k in ("static_conv.1", "conv.1.2") for n, s in shape.items()}
    state |= {"conv.2.TS_conv.weight": torch.rand(2, 3, 3, 3), "conv.2.TS_conv.bias": torch.rand(2)}
    state |= {"conv.2.TC_FC.weight": torch.rand(2, 2), "conv.2.TC_FC.bias": torch.rand(2)}
    state |= {"conv.2.SC_FC.weight": torch.rand(2, 3), "conv.2.SC_FC.bias": torch.rand(2)}
    state |= {"fc.1.0.weight": torch.rand(5, 8), "fc.4.0.weight": torch.rand(4, 5)}
    load_authors(model, dict(sorted(state.items())))
    again = from_authors("pfa_fmnist", state, (8, 8)).state_dict()
    assert all(torch.equal(value, again[key]) for key, value in model.state_dict().items())
    convolutions = [m for m in model.modules() if type(m) is nn.Conv2d and m.out_channels == 2]
    assert torch.equal(convolutions[0].weight, state["static_conv.0.weight"])
    assert torch.equal(convolutions[1].weight, state["conv.1.1.weight"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("classifier_2.1.module.weight"), "holds 1 layers of kind linear, the model 2"),
        (
            lambda s: s.update({"extra.weight": torch.rand(2, 2)}),
            "holds 3 layers of kind linear, the model 2",
        ),
        (
            lambda s: s.update({"features.0.fwd.module.0.weight": torch.rand(4, 2, 5, 5)}),
            "has shape (4, 2, 5, 5)",
        ),
        (lambda s: s.pop("features.7.conv_c.weight"), "conv_over_time.weight missing"),
        (lambda s: s.pop("features.0.fwd.module.0.bias"), "bias missing"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused_and_the_model_left_alone(
    change: Any, message: str
) -> None:
    model = build("tcja_ncaltech101_tet", (32, 32), 4, 5, channels=[4] * 5, hidden=6)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    state = tet_state(model, "conv.weight")
    change(state)
    with pytest.raises(BadSubmission, match=re.escape(message)):
        load_authors(model, state)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_a_checkpoint_of_another_network_is_refused() -> None:
    model = build("tcja_ncaltech101_tet", (32, 32), 4, 5, channels=[4] * 5, hidden=6)
    state = tet_state(model, "conv.weight")
    for name in ("tcja_cifar10dvs", "pfa_vgg_cifar10dvs", "plif_net", "spikformer_small"):
        with pytest.raises(BadSubmission, match=f"the state dict is not that of {name}: it holds 2 of TCJA"):
            from_authors(name, state, (32, 32))


def test_every_published_network_has_a_recipe_that_says_what_differs() -> None:
    published = {name: path for name, path in shipped().items() if name not in ("pfa_net-v1", "tcja_net-v1")}
    assert sorted(name.removesuffix("-v1") for name in published) == NETWORKS
    for name, path in published.items():
        recipe = recipe_named(name)
        about = tomllib.loads(path.read_text())["about"]
        assert about["paper"] and about["pipeline"] and about["differs"] and about["time_steps"] > 0, name
        # a loss of every step needs logits of every step; squared error needs rates
        assert (recipe.loss == "rate_mse") == (
            name.startswith(("plif", "pfa_vgg", "pfa_fm", "tcja_fm"))
            or name in {"tcja_dvs128-v1", "tcja_ncaltech101-v1"}
        )


def test_the_page_for_norse_users_runs_as_written() -> None:
    import eventbench.layers

    page = Path(eventbench.layers.__file__).with_name("WITH_NORSE.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    torch.manual_seed(0)
    exec(code, names)
    assert names["rates"].shape == (8, 3, 4)
    assert all(p.grad is not None for p in names["network"].parameters())


@pytest.mark.parametrize("name", [*NETWORKS, "conv_snn", "tcja_net", "pfa_net"])
def test_frames_of_another_type_or_with_other_channels_are_refused(name: str) -> None:
    net = small(name) if name in NETWORKS else build(name, (12, 10), 4, 3, channels=[4, 6])
    frames = torch.rand(4, 2, 2, 10, 12)
    for wrong in (frames.byte(), frames.double(), torch.rand(4, 2, 3, 10, 12), torch.rand(4, 2, 2, 0, 12)):
        with pytest.raises(BadSpec):
            net(wrong)


@pytest.mark.parametrize("name", ["tcja_dvs128", "tcja_fmnist", "pfa_vgg_gesture", "plif_net"])
def test_frames_of_another_sensor_are_refused_naming_both_sizes(name: str) -> None:
    with pytest.raises(
        BadSpec, match=r"made for 36 values: frames of 28 x 24 come down to 252 values per step"
    ):
        small(name)(torch.rand(4, 2, 2, 24, 28))


def wide(model: nn.Module) -> dict[str, torch.Tensor]:
    """A Fashion-MNIST checkpoint of PFA under the authors' names, from our model."""
    theirs = {"time_projection": "TC_FC", "channel_projection": "SC_FC", "space_projection": "TS_conv"}
    places = {
        "features.0.normed.conv": "static_conv.0",
        "features.0.normed.norm": "static_conv.1",
        "features.3.conv": "conv.1.1",
        "features.3.norm": "conv.1.2",
        "features.4": "conv.2",
        "head.2": "fc.1.0",
        "head.5": "fc.4.0",
    }
    state = {}
    for key, value in model.state_dict().items():
        place = next(p for p in places if key.startswith(p + "."))
        rest = key[len(place) + 1 :]
        for ours, name in theirs.items():
            rest = rest.replace(ours, name)
        state[f"{places[place]}.{rest}"] = value
    return state


@pytest.mark.parametrize("form", ["as it is", "prefixed", "prefixed and sorted", "checkpoint", "numpy"])
def test_a_checkpoint_is_taken_as_users_have_it(form: str) -> None:
    model = build("pfa_fmnist", (12, 12), 4, 3, channels=[5, 5], hidden=7, rank=2).double().eval()
    state: Any = wide(model)
    if form.startswith("prefixed"):
        state = {f"module.{key}": value for key, value in state.items()}
    if form.endswith("sorted"):
        state = dict(sorted(state.items()))
    if form == "checkpoint":
        state = {"net": state, "epoch": 3, "max_test_acc": 0.9}
    if form == "numpy":
        state = {key: value.numpy() for key, value in state.items()}
    filled = from_authors("pfa_fmnist", state, (12, 12)).eval()
    for key, value in model.state_dict().items():
        assert torch.equal(filled.state_dict()[key], value), key


def test_rank_weights_that_are_not_equal_are_warned_of_and_equal_ones_are_not() -> None:
    model = build("pfa_vgg_cifar10dvs", (12, 12), 4, 3, channels=[3, 4], rank=4, size=12)
    names = {"time_projection": "TC_FC", "channel_projection": "SC_FC", "space_projection": "TS_conv"}
    state = {re.sub("[a-z]+_projection", lambda m: names[m[0]], k): v for k, v in model.state_dict().items()}
    gates = [key.removesuffix(".TC_FC.weight") for key in state if key.endswith("TC_FC.weight")]
    ranks = {f"{gate}.weight": torch.softmax(torch.ones(4), 0).half() for gate in gates}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_authors(model, state)  # as code without them saves it
        load_authors(model, state | ranks)
    uneven = {f"{gates[1]}.weight": torch.tensor([0.1, 0.2, 0.3, 0.4])}
    message = f"the rank weights of {gates[1]} are 0.1 to 0.4, not all the same"
    with pytest.warns(UserWarning, match=re.escape(message)):
        load_authors(model, state | ranks | uneven)
    config = {"channels": [3, 4], "size": 12}
    with pytest.warns(UserWarning, match=re.escape(message)):
        from_authors("pfa_vgg_cifar10dvs", state | ranks | uneven, (12, 12), **config)


@pytest.mark.parametrize("state", [None, [1], {"conv.0.weight": "x"}])
def test_what_is_no_state_dict_is_refused(state: Any) -> None:
    with pytest.raises(BadSubmission, match="not a state dict"):
        from_authors("pfa_fmnist", state, (12, 12))


def test_what_weights_do_not_tell_is_said_beside_them_and_biases_are_read_off() -> None:
    neuron = {"decay_input": True, "surrogate": "atan", "alpha": 2.0, "detach_reset": True}
    config = {"channels": [3, 4], "hidden": 8, "gated": [0, 1]}
    model = build("tcja_ncaltech101_tet", (12, 10), 4, 3, **config, bias=False, neuron=neuron)
    back = {"conv_over_channels": "conv", "conv_over_time": "conv_c"}
    state = model.state_dict()
    for ours, theirs in back.items():
        state = {key.replace(ours, theirs): value for key, value in state.items()}
    filled = from_authors(
        "tcja_ncaltech101_tet", state, (12, 10), channels=[3, 4], gated=[0, 1], neuron=neuron
    )
    assert [m.bias for m in filled.modules() if isinstance(m, nn.Conv2d | nn.Linear)] == [None] * 4
    assert next(m for m in filled.modules() if isinstance(m, LIF)).neuron.surrogate == "atan"
    frames = torch.rand(4, 2, 2, 10, 12)
    assert torch.equal(filled.eval()(frames), model.eval()(frames))


@pytest.mark.parametrize("branches", ["time", "channels"])
def test_a_checkpoint_of_one_branch_alone_fills_it(branches: str) -> None:
    config = {"channels": [3, 4], "hidden": 8, "branches": branches}
    model, filled = (build("tcja_dvs128", (12, 10), 4, 3, **config) for _ in range(2))
    nn.init.normal_(next(m for m in model.modules() if isinstance(m, nn.Conv1d)).weight)
    names = {"conv_over_channels": "conv", "conv_over_time": "conv_c"}
    state = {re.sub("conv_over_[a-z]+", lambda m: names[m[0]], k): v for k, v in model.state_dict().items()}
    load_authors(filled, state)
    assert all(
        torch.equal(a, b) for a, b in zip(*(m.state_dict().values() for m in (model, filled)), strict=True)
    )
