"""Every backend of the leaky layers against the loop over Norse's step: spikes, states, gradients, streams, refusals.

"triton" runs on the GPU where there is one, else in Triton's interpreter on the CPU, else it is skipped.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventbench.errors import BadSpec
from eventbench.layers import LI, LIF, RecurrentLIF, backends_used
from eventbench.layers._lif.neuron import FIRES_AT
from eventbench.layers.surrogate import SURROGATES
from tests.support.golden import arrays
from tests.support.triton_interpreter import MISSING, TRITON_DEVICE, import_interpreted

BACKENDS = ["norse", "numba", "triton"]
FUSED = BACKENDS[1:]
DEVICE = {"norse": "cpu", "numba": "cpu", "triton": TRITON_DEVICE}
import_interpreted()
once_a_test = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def _triton_interpreted_without_a_gpu(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if getattr(request.node, "callspec", None) and request.node.callspec.params.get("backend") == "triton":
        if find_spec("triton") is None:
            pytest.skip(MISSING)
        if TRITON_DEVICE == "cpu":
            monkeypatch.setenv("TRITON_INTERPRET", "1")


def some(
    shape: tuple[int, ...], seed: int, device: str = "cpu", dtype: torch.dtype = torch.float64, grid: int = 0
):
    """Currents that make some neurons fire, ready for gradients; with a `grid`, multiples of 1 / grid."""
    values = np.random.default_rng(seed).normal(0.8, 1.5, shape)
    if grid:
        values = np.round(values * grid) / grid
    return torch.as_tensor(values).to(device, dtype).requires_grad_()


def outcome(layer: torch.nn.Module, x: torch.Tensor, state: torch.Tensor | None, seed: int = 1):
    """Output, state, and the gradients of a weighted sum of both at x, the state and the parameters, on the CPU."""
    layer = layer.to(x.device)
    out, last = layer(x, state)
    at_out = some(out.shape, seed, str(x.device), out.dtype).detach()
    at_last = some(last.shape, seed + 1, str(x.device), last.dtype).detach()
    differentiated = [x, *([] if state is None else [state]), *layer.parameters()]
    grads = torch.autograd.grad([out, last], differentiated, [at_out, at_last])
    return out.detach().cpu(), last.detach().cpu(), [grad.cpu() for grad in grads]


shapes = st.one_of(
    st.tuples(st.integers(1, 9), st.integers(0, 7)),
    st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 5)),
    st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3)),
)
TAUS = st.sampled_from([1.3, 2.0, 4.0, 49.0])


@st.composite
def lif_cases(draw):
    """The settings of a LIF and the shape of an input that it takes."""
    shape = draw(shapes)
    learn = draw(st.booleans())
    settings = {
        "threshold": draw(st.sampled_from([0.5, 1.0, 1.7])),
        "reset": draw(st.sampled_from([None, 0.0, -0.3, 0.25])),
        "surrogate": draw(st.sampled_from(SURROGATES)),
        "alpha": draw(st.sampled_from([0.5, 1.0, 2.0, 4.0])),
        "detach_reset": draw(st.booleans()),
        "decay_input": draw(st.booleans()),
        "fires_at": draw(st.sampled_from(FIRES_AT)),
        "learn_tau": learn,
    }
    if len(shape) > 2 and draw(st.booleans()):
        settings["channels"] = shape[2]
        settings["tau"] = draw(st.lists(TAUS, min_size=shape[2], max_size=shape[2]))
    else:
        settings["tau"] = draw(TAUS if learn else st.one_of(st.just(1.0), TAUS))
    return settings, shape


def agree(case, seed, with_state, backend, dtype, rtol, atol, grid=0) -> None:
    arguments, shape = case

    def result(layer, device):
        state = some(shape[1:], 7, device, dtype, grid) if with_state else None
        return outcome(layer, some(shape, seed, device, dtype, grid), state)

    expected = result(LIF(**arguments, backend="norse"), "cpu")
    layer = LIF(**arguments, backend=backend)
    got = result(layer, DEVICE[backend])
    assert layer.last_backend == backend
    assert torch.equal(got[0], expected[0]) and torch.equal(got[1], expected[1])
    for gradient, reference in zip(got[2], expected[2], strict=True):
        torch.testing.assert_close(gradient, reference, rtol=rtol, atol=atol)


@pytest.mark.slow
@pytest.mark.parametrize("backend", FUSED)
@settings(once_a_test, max_examples=60)
@given(case=lif_cases(), seed=st.integers(0, 999), given_state=st.booleans())
def test_float64_spikes_states_and_gradients_are_those_of_norses_loop(backend, case, seed, given_state):
    agree(case, seed, given_state, backend, torch.float64, 1e-10, 1e-12)


@pytest.mark.parametrize("backend", FUSED)
@settings(once_a_test, max_examples=30)
@given(case=lif_cases(), seed=st.integers(0, 999), given_state=st.booleans())
def test_float32_spikes_and_states_are_norses_to_the_bit(backend, case, seed, given_state):
    agree(case, seed, given_state, backend, torch.float32, 2e-4, 2e-4)


TIES = st.fixed_dictionaries(
    {
        "threshold": st.sampled_from([0.5, 1.0]),
        "reset": st.sampled_from([None, 0.0, -0.25]),
        "surrogate": st.sampled_from(SURROGATES),
        "detach_reset": st.booleans(),
        "decay_input": st.booleans(),
        "tau": st.just([1.0, 2.0, 4.0]),
        "channels": st.just(3),
    }
)


@pytest.mark.parametrize("backend", FUSED)
@settings(once_a_test, max_examples=20)
@given(
    case=TIES,
    dtype=st.sampled_from([torch.float64, torch.float32]),
    seed=st.integers(0, 999),
    given_state=st.booleans(),
)
def test_currents_on_a_grid_with_the_threshold_on_it_give_norses_ties_under_both_rules(
    backend, case, dtype, seed, given_state
):
    shape = (5, 2, 3, 4)
    rtol, atol = (1e-10, 1e-12) if dtype == torch.float64 else (2e-4, 2e-4)
    for fires_at in FIRES_AT:
        agree(({**case, "fires_at": fires_at}, shape), seed, given_state, backend, dtype, rtol, atol, grid=4)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("learn_tau", [False, True])
def test_the_grid_of_these_tests_has_ties(backend, learn_tau):
    x = some((5, 2, 3, 4), 0, DEVICE[backend], grid=4)
    outcomes = [LIF(fires_at=rule, learn_tau=learn_tau, backend=backend).to(x.device)(x) for rule in FIRES_AT]
    assert not torch.equal(*outcomes)


@pytest.mark.parametrize("backend", FUSED)
@pytest.mark.parametrize("reset", [None, 0.0])
def test_the_gradient_of_a_learned_tau_knows_which_ties_have_fired(backend, reset):
    for fires_at in FIRES_AT:
        case = {"learn_tau": True, "reset": reset, "fires_at": fires_at, "detach_reset": False}
        agree((case, (6, 2, 5)), 3, True, backend, torch.float64, 1e-10, 1e-12, grid=4)


@pytest.mark.parametrize("backend", FUSED)
@pytest.mark.parametrize("channels", [None, 3])
def test_many_neurons_in_a_network_s_memory_layout_agree_too(backend, channels):
    shape = (4, 2, 3, 20, 21)
    case = {"tau": 3.0, "learn_tau": True, "channels": channels, "reset": None, "detach_reset": False}
    x = some(shape, 3)
    last = x.detach().flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, shape[:2])
    expected = outcome(LIF(**case, backend="norse"), x, None)
    got = outcome(LIF(**case, backend=backend), last.to(DEVICE[backend]).requires_grad_(), None)
    assert torch.equal(got[0], expected[0]) and torch.equal(got[1], expected[1])
    torch.testing.assert_close(got[2], expected[2], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("fires_at", FIRES_AT)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_integrated_in_float32_and_spikes_in_its_own_dtype(backend, dtype, fires_at):
    half = some((12, 3, 4), 5, DEVICE[backend], dtype, grid=4)  # with ties
    whole = half.detach().float().requires_grad_()
    layer = LIF(surrogate="sigmoid", learn_tau=True, backend=backend, fires_at=fires_at).to(half.device)
    out, last = layer(half, None)
    expected, expected_last = layer(whole, None)
    assert out.dtype == dtype and last.dtype == torch.float32
    assert torch.equal(out.float(), expected) and torch.equal(last, expected_last)
    (grad,) = torch.autograd.grad(out.sum(), half)
    (expected_grad,) = torch.autograd.grad(expected.sum(), whole)
    assert grad.dtype == dtype
    torch.testing.assert_close(grad.float(), expected_grad, rtol=2 * torch.finfo(dtype).eps, atol=1e-3)


def golden_case(meta):
    """Our settings for a golden file, from what its meta says of the neuron."""
    if "LIFSpike" in meta["source"]:
        case = {"threshold": meta["thresh"], "surrogate": "triangle", "alpha": 1 / meta["gama"]}
        return {**case, "tau": 1 / (1 - meta["tau"]), "detach_reset": False, "decay_input": False}
    p = dict(meta["params"])
    name, _, alpha = p.pop("surrogate_function").rstrip(")").partition("(alpha=")
    names = {"ATan": "atan", "PiecewiseQuadratic": "triangle", "Sigmoid": "sigmoid"}
    if name not in names or (name == "PiecewiseQuadratic" and float(alpha) != 1.0):
        pytest.skip(f"Norse has no {name}(alpha={alpha})")
    case = {"surrogate": names[name], "alpha": float(alpha), "threshold": meta["v_threshold"]}
    defaults = {"v_reset": 0.0, "detach_reset": False, "decay_input": True, "tau": 2.0}
    ours = {"v_reset": "reset"}
    case |= {ours.get(key, key): p.pop(key, default) for key, default in defaults.items()}
    p.pop("backend", None)
    assert not p, f"the golden file has parameters this test does not read: {p}"
    return case


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_authors_neurons_are_reproduced(golden: Path, backend):
    files = sorted(golden.glob("lif_*.npz"))
    assert files
    for file in files:
        data = arrays(file)
        meta = json.loads(str(data["meta"]))
        x, g, spikes, grad = (torch.as_tensor(data[key]) for key in ("x", "g", "spikes", "grad_x"))
        if meta["layout"].startswith("N,T"):
            x, g, spikes, grad = (a.transpose(0, 1).contiguous() for a in (x, g, spikes, grad))
        x = x.to(DEVICE[backend]).requires_grad_()
        got, last = LIF(**golden_case(meta), backend=backend)(x, None)
        (got_grad,) = torch.autograd.grad(got, x, g.to(x.device))
        assert torch.equal(got.cpu(), spikes.to(got.dtype)), file.stem
        torch.testing.assert_close(got_grad.cpu(), grad, rtol=0, atol=1e-6 if "tet" in file.stem else 1e-10)
        if "v_seq_after_reset" in data:
            v = torch.as_tensor(data["v_seq_after_reset"])
            v = v[:, -1] if meta["layout"].startswith("N,T") else v[-1]
            torch.testing.assert_close(last.cpu(), v, rtol=0, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("decay_input", [True, False])
def test_gradcheck_passes_on_the_membrane_of_li_with_learned_time_constants(backend, decay_input):
    layer = LI(tau=[1.5, 4.0], leak=0.2, channels=2, learn_tau=True, decay_input=decay_input, backend=backend)
    layer.to(DEVICE[backend], torch.float64)

    def run(x, state, w):
        return torch.func.functional_call(layer, {"w": w}, (x, state))

    args = (some((4, 2, 2, 2), 0, DEVICE[backend]), some((2, 2, 2), 1, DEVICE[backend]), layer.w)
    assert torch.autograd.gradcheck(run, args)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("reset", [0.0, None])
def test_gradcheck_passes_on_the_membrane_of_lif_between_spikes(backend, reset):
    # Spikes far from the threshold: the membrane is smooth, and the triangle passes no gradient to them.
    layer = LIF(tau=3.0, threshold=10.0, reset=reset, surrogate="triangle", learn_tau=True, backend=backend)
    layer.to(DEVICE[backend], torch.float64)

    def run(x, state, w):
        return torch.func.functional_call(layer, {"w": w}, (x, state))[1]

    x = some((4, 5), 0, DEVICE[backend]).detach()
    x[1, :2] = 50.0  # these fire at the second step
    args = (x.requires_grad_(), some((5,), 1, DEVICE[backend]), layer.w)
    assert layer(x)[1].tolist() == [1, 1, 0, 0, 0]
    assert torch.autograd.gradcheck(run, args)


CURVES = {
    "atan": lambda u, a: torch.atan(torch.pi / 2 * a * u) / torch.pi,
    "sigmoid": lambda u, a: torch.sigmoid(a * u),
    "super": lambda u, a: u / (1 + u.abs()),
    "super_alpha": lambda u, a: u / (1 + a * u.abs()),
    "tanh": lambda u, a: torch.tanh(a * u) / a,
    "triangle": lambda u, a: a * (u - u * u.abs() / 2).where(u.abs() < 1, u.sign() / 2),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("surrogate", SURROGATES)
def test_the_gradient_of_one_step_is_that_of_the_curve_put_in_place_of_the_spike(backend, surrogate):
    x = torch.linspace(-3.2, 5.1, 60, dtype=torch.float64, device=DEVICE[backend])[None].requires_grad_()
    spikes = LIF(tau=1.7, surrogate=surrogate, alpha=2.5, backend=backend)(x)
    (grad,) = torch.autograd.grad(spikes.sum(), x)
    (expected,) = torch.autograd.grad(CURVES[surrogate](x / 1.7 - 1.0, 2.5).sum(), x)
    torch.testing.assert_close(grad, expected)


def layers(backend):
    """One of each leaky layer over (T, N, 4), by name."""
    return {
        "LIF": LIF(tau=[2.0, 3.0, 4.0, 5.0], channels=4, reset=None, detach_reset=False, backend=backend),
        "LI": LI(tau=3.0, learn_tau=True, backend=backend),
        "RecurrentLIF": RecurrentLIF(4, tau=2.5, learn_tau=True, detach_reset=False, backend=backend),
    }


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["LIF", "LI", "RecurrentLIF"])
@pytest.mark.parametrize("cuts", [(5,), (1, 2, 9), (11,)])
def test_a_recording_streamed_in_chunks_gives_the_whole_to_the_bit_and_its_gradient(backend, name, cuts):
    torch.manual_seed(0)
    layer = layers(backend)[name].to(DEVICE[backend], torch.float64)
    x = some((12, 3, 4), 9, DEVICE[backend])
    whole, state, chunks = layer(x), None, []
    for chunk in x.tensor_split(cuts):
        out, state = layer(chunk, state)
        chunks.append(out)
    assert torch.equal(torch.cat(chunks), whole)
    g = some((12, 3, 4), 10, DEVICE[backend]).detach()
    differentiated = [x, *layer.parameters()]
    streamed = torch.autograd.grad(torch.cat(chunks), differentiated, g)
    for gradient, expected in zip(streamed, torch.autograd.grad(whole, differentiated, g), strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("backend", FUSED)
@settings(once_a_test, max_examples=25)
@given(
    T=st.integers(1, 7),
    N=st.integers(0, 3),
    C=st.integers(1, 4),
    seed=st.integers(0, 99),
    reset=st.sampled_from([None, 0.0, -0.2]),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    fires_at=st.sampled_from(FIRES_AT),
    grid=st.sampled_from([0, 4]),
)
def test_a_recurrent_layer_is_norses_loop(backend, T, N, C, seed, reset, flags, fires_at, grid):
    detach, decay, learn, per_channel = flags
    tau = [1.5 + c for c in range(C)] if per_channel else 2.5
    if grid:  # with ties
        tau, reset, learn = 2.0, None if reset is None else 0.0, False
    case = {"tau": tau, "reset": reset, "detach_reset": detach, "decay_input": decay, "learn_tau": learn}
    case["fires_at"] = fires_at
    reference = RecurrentLIF(C, **case, backend="norse").double()
    if grid:
        with torch.no_grad():
            reference.recurrent.weight.copy_((reference.recurrent.weight * grid).round() / grid)
    layer = RecurrentLIF(C, **case, backend=backend).double()
    layer.load_state_dict(reference.state_dict())
    results = []
    for made, device in ((reference, "cpu"), (layer.to(DEVICE[backend]), DEVICE[backend])):
        x, v = some((T, N, C), seed, device, grid=grid), some((N, C), seed + 1, device, grid=grid)
        z = (some((N, C), seed + 2, device) > 0).double().detach().requires_grad_()
        out, last = made(x, (z, v))
        total = (out * some(out.shape, 5, device)).sum() + (last.v * some(v.shape, 6, device)).sum()
        total = total + last.spikes.sum()
        grads = torch.autograd.grad(total, [x, z, v, *made.parameters()])
        results.append([tensor.detach().cpu() for tensor in (out, *last, *grads)])
    assert torch.equal(results[0][0], results[1][0])
    torch.testing.assert_close(results[1], results[0], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("backend", FUSED)
def test_one_tensor_of_the_input_s_size_is_kept_for_the_backward_pass(backend):
    x = some((10, 4, 6), 0, DEVICE[backend], torch.float32)
    for layer, times in ((LIF(backend=backend), 1), (LI(backend=backend), 0)):
        kept: list[int] = []

        def pack(tensor: torch.Tensor, kept: list[int] = kept) -> torch.Tensor:
            kept.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            layer(x)
        assert sum(kept) == times * x.numel()


@pytest.mark.parametrize("backend", ["norse", "numba"])
@pytest.mark.parametrize("name", ["LIF", "LI", "RecurrentLIF"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_nan_and_infinity_are_refused_with_where_they_are(backend, name, bad):
    layer = layers(backend)[name]
    x = torch.ones(6, 3, 4)
    x[2, 1, 3] = x[4, 0, 0] = bad
    for grad in (False, True):
        with pytest.raises(BadSpec, match=r"2 of 72 inputs are NaN or infinite, the first at \[2, 1, 3\]"):
            layer(x.clone().requires_grad_(grad))
    state = torch.full((3, 4), bad)
    with pytest.raises(BadSpec, match="the state holds NaN or infinity"):
        layer(torch.ones(6, 3, 4), (torch.zeros(3, 4), state) if name == "RecurrentLIF" else state)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ["LIF", "LI", "learned", "channels last", "ties"])
def test_torch_compile_takes_the_fused_kernels_as_they_are_without_a_graph_break(name, dtype):
    torch._dynamo.reset()
    own: dict[str, dict[str, Any]] = {
        "channels last": {"channels": 4},
        "learned": {"channels": 4, "learn_tau": True, "reset": None},
        "ties": {"fires_at": "at_or_above"},
    }
    layer = LI(learn_tau=True) if name == "LI" else LIF(detach_reset=False, **own.get(name, {}))

    def run(x, state):
        return layer(x * 2, state)

    x = some((5, 3, 4, 2, 2), 0, dtype=dtype, grid=4 if name == "ties" else 0)
    g = some((5, 3, 4, 2, 2), 1, dtype=dtype).detach()
    if name == "channels last":
        x = x.detach().permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3).requires_grad_()
    state = some((3, 4, 2, 2), 2, dtype=torch.float32)
    outcomes = []
    for function in (torch.compile(run, backend="aot_eager", fullgraph=True), run):
        out, last = function(x, state)
        grads = torch.autograd.grad([out, last], [x, state, *layer.parameters()], [g, state.detach()])
        with torch.no_grad():
            outcomes.append([out.detach(), last.detach(), *grads, function(x, None)[0]])
        assert layer.last_backend == "numba"
    torch.testing.assert_close(outcomes[0], outcomes[1], rtol=0, atol=0)


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore:.*should not be instantiated:DeprecationWarning"
)  # torch's own, tracing the loop
def test_under_torch_compile_nan_is_refused_by_the_kernels_and_is_nan_from_the_loop():
    torch._dynamo.reset()
    x = torch.zeros(3, 2)
    x[1, 1] = float("nan")
    with pytest.raises(BadSpec, match="1 of 6 inputs are NaN"):
        torch.compile(LIF(), backend="aot_eager", fullgraph=True)(x)
    for layer in (LIF(backend="norse"), RecurrentLIF(2)):
        spikes = torch.compile(layer, backend="aot_eager", fullgraph=True)(x[:, None])
        assert spikes[:, 0, 1].isnan().all() and layer.last_backend == "norse"


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # the interpreter computes with NumPy
@pytest.mark.parametrize("backend", ["triton"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_on_the_device_nan_and_infinity_come_out_as_nan(backend, bad):
    x = torch.zeros(6, 4, device=DEVICE[backend])
    x[2, 1] = bad
    spikes = LIF(backend=backend)(x).cpu()
    assert spikes[2:, 1].isnan().all()
    spikes[2:, 1] = 0
    assert not spikes.any()


@pytest.mark.parametrize("layer", [LIF(), LI(), RecurrentLIF(4)], ids=["LIF", "LI", "RecurrentLIF"])
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(0, 3, 4), "T of 1 or more"),
        (torch.zeros(2, 3, 4, dtype=torch.uint8), "call .float()"),
        (torch.zeros(2, 3, 4, dtype=torch.complex64), "float64, float32, bfloat16, float16"),
    ],
    ids=["T=0", "uint8", "complex"],
)
def test_inputs_without_steps_or_of_another_dtype_are_refused(layer, x, message):
    with pytest.raises(BadSpec, match=re.escape(message)):
        layer(x)


def test_a_state_that_does_not_fit_is_refused():
    x = torch.zeros(2, 3, 4)
    for state in (
        torch.zeros(3, 5),
        torch.zeros(3, 4, dtype=torch.float64),
        torch.zeros(3, 4, device="meta"),
    ):
        for layer in (LIF(), LI()):
            with pytest.raises(BadSpec, match=re.escape("(3, 4) torch.float32 on cpu")):
                layer(x, state)
        with pytest.raises(BadSpec, match="RecurrentLIF: the state is"):
            RecurrentLIF(4)(x, (torch.zeros(3, 4), state))


def test_channels_that_do_not_fit_are_refused_with_both_numbers():
    for layer in (LIF(channels=5), LI(channels=5), LIF(channels=5, learn_tau=True)):
        for x in (torch.zeros(2, 3, 4), torch.zeros(2, 3)):
            with pytest.raises(BadSpec, match=re.escape(f"made for C=5, got shape {tuple(x.shape)}")):
                layer(x)
    with pytest.raises(BadSpec, match=re.escape("(T, N, 5)")):
        RecurrentLIF(5)(torch.zeros(2, 3, 4))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LIF(surrogate="arctan"), ", ".join(SURROGATES)),
        (lambda: LIF(backend="cupy"), "norse, numba, triton"),
        (lambda: LI(backend="cupy"), "norse, numba, triton"),
        (lambda: LIF(tau=1.0, learn_tau=True), "above 1"),
        (lambda: LIF(tau=[2.0, 3.0]), "one tau, or one for each channel"),
        (lambda: LIF(tau=[2.0, 3.0], channels=3), "2 taus for channels=3"),
        (lambda: LIF(tau=[2.0, 0.5], channels=2), "tau is 0.5"),
        (lambda: LIF(channels=0), "1 or more"),
        (lambda: LI(tau=float("nan")), "1 (no memory) or more"),
        (lambda: LI(leak=float("inf")), "a finite number"),
        (lambda: RecurrentLIF(0), "channels is 0"),
        (lambda: RecurrentLIF(3, tau=[2.0]), "1 taus for channels=3"),
    ],
)
def test_settings_out_of_range_are_refused_with_what_is_allowed(make, message):
    with pytest.raises(BadSpec, match=re.escape(message)):
        make()


def test_a_backend_that_the_machine_lacks_is_refused_with_what_instead(monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    why = "not installed" if find_spec("triton") is None else "does not support a torch.float32 tensor on cpu"
    for layer in (LIF(backend="triton"), LI(backend="triton"), RecurrentLIF(4, backend="triton")):
        with pytest.raises(BadSpec, match=f'{why}.*on cuda.*set it to "norse"'):
            layer(torch.zeros(2, 3, 4))


def test_the_backend_that_ran_is_recorded_by_the_layers_name():
    model = torch.nn.Sequential(LIF(), torch.nn.Identity(), LI(backend="norse"), RecurrentLIF(4))
    assert backends_used(model) == {}
    model(torch.ones(3, 2, 4))
    assert backends_used(model) == {"0": "numba", "2": "norse", "3": "numba"}


def test_norses_sequential_state_takes_our_layers_and_carries_their_states():
    from norse.torch import SequentialState

    torch.manual_seed(0)
    network = SequentialState(
        torch.nn.Linear(5, 4), LIF(channels=4), RecurrentLIF(4), torch.nn.Linear(4, 2), LI()
    )
    x = torch.rand(9, 3, 5) * 5
    whole, _ = network(x)
    first, state = network(x[:4])
    second, _ = network(x[4:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole)


def test_taus_are_parameters_only_where_they_are_learned():
    assert LIF().state_dict() == {} and LIF(channels=3).state_dict() == {}
    layer = LIF(tau=[2.0, 4.0], channels=2, learn_tau=True)
    assert [tuple(value.shape) for value in layer.state_dict().values()] == [(2,)]
    torch.testing.assert_close(torch.sigmoid(layer.w), torch.tensor([0.5, 0.25]))
    assert layer.tau == pytest.approx((2.0, 4.0)) and LIF(tau=3.0, learn_tau=True).tau == pytest.approx(3.0)


COMPILES = """
import re, triton, triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from eventbench.layers._lif import triton_kernels as kernels
shared = dict(GAIN=0.5, TAU=2.0, DECAY=False, THRESHOLD=1.0, SILENT=1.0, LEAK=0.0, SUBTRACT=False, BLOCK=512)
more = {kernels._forward: dict(KEEP=True), kernels._backward: dict(LEARNED=True, THROUGH=True, ALPHA=2.0, HALF_ALPHA=1.0, WIDTH=3.0)}
held = {"x_ptr", "s_ptr", "g_ptr", "gx_ptr"}
for kernel, own in more.items():
    for dtype, wide in (("bf16", "fp32"), ("fp32", "fp32"), ("fp64", "fp64")):
        for code in range(7) if dtype == "fp32" and "LEARNED" in own else [1]:
            fixed = {**shared, **own, "LOAD_RATE": bool(code % 2), "DTYPE": {"fp32": tl.float32, "fp64": tl.float64}[wide]}
            fixed |= {"CODE": code} if "LEARNED" in own else {}
            names = kernel.arg_names
            types = {n: "constexpr" if n in fixed else "*" + (dtype if n in held else wide) if n.endswith("_ptr") else "i32" for n in names}
            source = ASTSource(fn=kernel, signature=types, constexprs={(names.index(n),): v for n, v in fixed.items()})
            made = triton.compile(source, target=GPUTarget("cuda", 80, 32), options={"enable_fp_fusion": False})
            if "KEEP" in own:
                assert not re.search(r"\\bfma", made.asm["ptx"]), "fused operations round otherwise than Norse's"
"""


@pytest.mark.slow
@pytest.mark.skipif(find_spec("triton") is None, reason="triton is not installed")
def test_the_triton_kernels_compile_for_a_gpu_without_one_and_fuse_no_arithmetic(tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    environment["TRITON_CACHE_DIR"] = str(tmp_path)
    code = tmp_path / "compiles.py"
    code.write_text(COMPILES)
    done = subprocess.run([sys.executable, str(code)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
