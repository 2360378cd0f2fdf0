"""Find products of tensors that run outside all modules whose operations are counted or declared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from eventbench.metrics._watch import module_label

# Operators that multiply and sum. Composite ones are listed too: without gradients torch dispatches them undivided.
PRODUCTS = frozenset(
    """mm addmm _addmm_activation bmm baddbmm addbmm mv addmv addr outer ger dot vdot inner linear matmul einsum
    tensordot bilinear _trilinear kron convolution _convolution convolution_overrideable conv1d conv2d conv3d
    conv_transpose1d conv_transpose2d conv_transpose3d cudnn_convolution mkldnn_convolution mkldnn_linear
    _conv_depthwise2d conv_depthwise3d cdist _cdist_forward _euclidean_dist lstm gru rnn_tanh rnn_relu lstm_cell
    gru_cell rnn_tanh_cell rnn_relu_cell _cudnn_rnn mkldnn_rnn_layer scaled_dot_product_attention
    _scaled_dot_product_flash_attention _scaled_dot_product_flash_attention_for_cpu
    _scaled_dot_product_efficient_attention _scaled_dot_product_cudnn_attention _native_multi_head_attention
    _scaled_mm _int_mm""".split()  # noqa: SIM905
)


class _ProductListener(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Reports the name of each operator in PRODUCTS that torch runs."""

    def __init__(self, report: Callable[[str], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._report = report

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name in PRODUCTS:
            self._report(name)
        return func(*args, **(kwargs or {}))


def undeclared_products(model: nn.Module, frames: torch.Tensor, accounted: set[str]) -> list[str]:
    """Run `model` on frames (T, N, C, H, W) and return sentences such as "'head' runs matmul", each once.

    `accounted` are the names, in `named_modules()`, of modules whose products are all counted or declared. Products are
    matrix products, convolutions, distances and recurrent cells, not products of single elements.
    """
    inside: list[str] = []  # names of the modules that are running, outermost first
    sentences: dict[str, None] = {}

    def report(operator: str) -> None:
        if not accounted.intersection(inside):
            sentences[f"{module_label(inside[-1] if inside else '')} runs {operator}"] = None

    def enter(name: str, _module: nn.Module, _args: Any) -> None:
        inside.append(name)

    def leave(_module: nn.Module, _args: Any, _output: Any) -> None:
        inside.pop()

    handles: list[Any] = []
    try:
        for name, module in model.named_modules():
            handles.append(module.register_forward_pre_hook(partial(enter, name)))
            handles.append(module.register_forward_hook(leave))
        with torch.no_grad(), _ProductListener(report):
            model(frames)
    finally:
        for handle in handles:
            handle.remove()
    return list(sentences)
