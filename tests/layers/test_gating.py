"""The cheap forms of TCJA and PFA against plain arithmetic: any memory format, precision, compiled or not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from eventbench.errors import EventbenchError
from eventbench.layers import PFA, TCJA, RecurrentLIF
from eventbench.layers.pfa import COMPOSITIONS, FUSIONS
from eventbench.layers.tcja import BRANCHES

T, N, C, H, W = 4, 3, 5, 6, 7
LAYERS: dict[str, Callable[[], TCJA | PFA]] = {
    **{f"TCJA {b}": partial(TCJA, T, C, 4, 3, b) for b in BRANCHES},
    **{f"PFA {c} {f}": partial(PFA, T, C, 3, c, f) for c in COMPOSITIONS for f in FUSIONS},
}


def plain(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The layer's definition from its public gate, left to autograd."""
    gate = layer.gate(x)  # type: ignore[operator]
    if isinstance(layer, TCJA):
        return x * gate[..., None, None]
    fused = x + gate if layer.fusion == "add_relu" else x * gate
    return fused if layer.fusion == "multiply" else fused.relu()


def gradients(layer: nn.Module, y: torch.Tensor, x: torch.Tensor, g: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(y, [x, *layer.parameters()], g))


@pytest.fixture(params=LAYERS)
def layer(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    return LAYERS[request.param]().double()


def frames(dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(T, N, C, H, W, generator=torch.Generator().manual_seed(1), dtype=dtype)


def channels_last(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, x.shape[:2])


@pytest.mark.parametrize("form", ["contiguous", "channels last", "strided", "expanded"])
@pytest.mark.parametrize("form_of_gradient", ["contiguous", "channels last"])
def test_every_memory_format_gives_the_values_and_gradients_of_plain_arithmetic(
    layer: nn.Module, form: str, form_of_gradient: str
) -> None:
    x = frames()
    if form == "channels last":
        x = channels_last(x)
    if form == "strided":
        x = torch.randn(N, T, C, W, 2 * H, dtype=torch.float64)[..., ::2].permute(1, 0, 2, 4, 3)
    if form == "expanded":
        x = x[:1].expand(T, N, C, H, W)
    x = x.detach().requires_grad_()
    g = torch.randn(T, N, C, H, W, dtype=torch.float64)
    g = channels_last(g) if form_of_gradient == "channels last" else g
    y, expected = layer(x), plain(layer, x)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-13)
    for got, expected_grads in zip(gradients(layer, y, x, g), gradients(layer, expected, x, g), strict=True):
        torch.testing.assert_close(got, expected_grads, rtol=0, atol=1e-12)


def test_the_output_has_the_memory_format_of_the_input(layer: nn.Module) -> None:
    x = channels_last(frames())
    assert layer(x).stride() == x.stride()
    assert layer(frames()).is_contiguous()


def test_without_gradients_the_values_are_the_same(layer: nn.Module) -> None:
    with torch.no_grad():
        alone = layer(frames())
    assert torch.equal(alone, layer(frames()).detach())
    with torch.inference_mode():
        assert torch.equal(alone, layer(frames()))


@pytest.mark.parametrize("frozen", ["input", "weights"])
def test_what_needs_no_gradient_gets_none_and_the_rest_its_own(layer: nn.Module, frozen: str) -> None:
    x = frames().requires_grad_(frozen == "weights")
    layer.requires_grad_(frozen == "input")
    needed = [x] if frozen == "weights" else list(layer.parameters())
    got = torch.autograd.grad(layer(x).sum(), needed)
    for value, expected_grads in zip(got, torch.autograd.grad(plain(layer, x).sum(), needed), strict=True):
        torch.testing.assert_close(value, expected_grads, rtol=0, atol=1e-12)


def test_a_retained_graph_gives_its_gradients_again(layer: nn.Module) -> None:
    x = frames().requires_grad_()
    y = layer(x)
    g = torch.ones_like(y)
    first = torch.autograd.grad(y, [x, *layer.parameters()], g, retain_graph=True)
    for a, b in zip(first, torch.autograd.grad(y, [x, *layer.parameters()], g), strict=True):
        assert torch.equal(a, b)


def test_neither_input_nor_incoming_gradient_is_written_to(layer: nn.Module) -> None:
    x, g = frames().requires_grad_(), frames()
    before = x.detach().clone()
    layer(x).backward(g)
    assert torch.equal(x.detach(), before)
    assert torch.equal(g, frames())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_mixed_precision_keeps_the_inputs_dtype_and_works_the_gate_out_in_the_weights(
    layer: nn.Module, dtype: torch.dtype
) -> None:
    layer = layer.float()
    x = frames(torch.float32).to(dtype).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = layer(x)
        assert layer.gate(x).dtype == torch.float32  # type: ignore[operator]
        y.float().square().sum().backward()
    assert y.dtype == dtype and y.isfinite().all()
    assert x.grad is not None and x.grad.dtype == dtype and x.grad.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in layer.parameters())
    exact = x.detach().float().requires_grad_()
    expected = plain(layer, exact)
    torch.testing.assert_close(y.detach().float(), expected.detach(), rtol=1e-2, atol=1e-2)
    expected.square().sum().backward()
    torch.testing.assert_close(x.grad.float(), exact.grad, rtol=5e-2, atol=5e-2)


def test_float32_frames_stay_float32_under_autocast(layer: nn.Module) -> None:
    layer = layer.float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = layer(frames(torch.float32))
    assert torch.equal(y, layer(frames(torch.float32)))


def test_a_dtype_that_is_not_the_weights_is_refused_naming_both(layer: nn.Module) -> None:
    with pytest.raises(
        EventbenchError, match=r"got a tensor of torch.float32, the weights are torch.float64"
    ):
        layer(frames(torch.float32))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_nan_and_infinity_are_refused(layer: nn.Module, bad: float) -> None:
    x = frames()
    x[1, 2, 3, 4, 5] = bad
    with pytest.raises(EventbenchError, match="got NaN or infinity"):
        layer(x)


def test_another_number_of_steps_is_refused_naming_both(layer: nn.Module) -> None:
    with pytest.raises(EventbenchError, match=r"made for T=4, got T=6"):
        layer(torch.zeros(6, N, C, H, W, dtype=torch.float64))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["TCJA both", "PFA mean multiply_relu"])
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_the_compiler_takes_it_whole(kind: str, backend: str) -> None:
    torch.manual_seed(0)
    layer = LAYERS[kind]()
    x, g = frames(torch.float32).requires_grad_(), frames(torch.float32)
    torch.compiler.reset()
    y = torch.compile(layer, backend=backend, fullgraph=True)(x)
    torch.testing.assert_close(y, layer(x))
    for got, expected in zip(gradients(layer, y, x, g), gradients(layer, layer(x), x, g), strict=True):
        torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("kind", ["TCJA both", "PFA mean multiply_relu"])
def test_no_map_is_kept_for_the_backward_pass(kind: str) -> None:
    layer = LAYERS[kind]()
    kept: dict[int, int] = {}
    x = torch.randn(T, N, C, 64, 64, requires_grad=True)

    def pack(t: torch.Tensor) -> torch.Tensor:
        kept[t.untyped_storage().data_ptr()] = t.untyped_storage().nbytes()
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        layer(x)
    kept.pop(x.untyped_storage().data_ptr())
    # v_S and the mean over channels, R and T maps of one channel, are what there is
    assert sum(kept.values()) < (2 * x.numel() / C + 3 * N * 64 * 64 * 2) * 4


def test_any_one_of_its_weights_trains_while_the_others_are_frozen(layer: nn.Module) -> None:
    x, g = frames(), torch.randn(T, N, C, H, W, dtype=torch.float64)
    _, *every = gradients(layer, layer(x.requires_grad_()), x, g)
    expected_grads = dict(zip(dict(layer.named_parameters()), every, strict=True))
    for name, weight in layer.named_parameters():
        layer.requires_grad_(False)
        weight.requires_grad_(True)
        (got,) = torch.autograd.grad(layer(frames()), weight, g)
        torch.testing.assert_close(got, expected_grads[name])


def test_sizes_are_worked_out_on_the_meta_device(layer: nn.Module) -> None:
    assert layer.to("meta")(frames().to("meta")).shape == (T, N, C, H, W)
    assert RecurrentLIF(C).to("meta")(torch.zeros(T, N, C, device="meta")).shape == (T, N, C)


def test_frames_without_pixels_and_arrays_are_refused(layer: nn.Module) -> None:
    with pytest.raises(EventbenchError, match=r"frames without pixels \(4, 3, 5, 0, 7\)"):
        layer(frames()[..., :0, :])
    with pytest.raises(EventbenchError, match=r"got a numpy.ndarray; allowed: a torch tensor"):
        layer(frames().numpy())
