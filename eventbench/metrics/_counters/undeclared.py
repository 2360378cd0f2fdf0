"""Find products of tensors that run outside all modules whose operations are counted or declared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.utils.parametrize import ParametrizationList
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# Operators that multiply and sum. Composite ones are listed too: without gradients torch dispatches them undivided.
PRODUCTS = frozenset(
    """mm addmm _addmm_activation bmm baddbmm addbmm mv addmv addr outer ger dot vdot inner linear matmul einsum
    tensordot bilinear _trilinear kron convolution _convolution convolution_overrideable conv1d conv2d conv3d
    conv_transpose1d conv_transpose2d conv_transpose3d cudnn_convolution mkldnn_convolution mkldnn_linear
    _conv_depthwise2d conv_depthwise3d cdist _cdist_forward _euclidean_dist lstm gru rnn_tanh rnn_relu lstm_cell
    gru_cell rnn_tanh_cell rnn_relu_cell _cudnn_rnn mkldnn_rnn_layer scaled_dot_product_attention
    _sparse_addmm _sparse_mm _sparse_sparse_matmul sparse_sampled_addmm smm sspaddmm _fft_r2c _fft_c2r _fft_c2c
    multi_dot linalg_multi_dot linalg_vecdot matrix_power linalg_matrix_power linalg_matrix_exp _linalg_solve_ex
    _scaled_dot_product_flash_attention _scaled_dot_product_flash_attention_for_cpu
    _scaled_dot_product_efficient_attention _scaled_dot_product_cudnn_attention _native_multi_head_attention
    _transformer_encoder_layer_fwd _scaled_mm _int_mm""".split()  # noqa: SIM905
)


# Operators after which a tensor is the same numbers: what comes next may be out of torch's sight, as `.numpy()` is.
VIEWS = frozenset(
    """detach alias t transpose view reshape permute slice select unsqueeze squeeze expand as_strided unbind split chunk
    _unsafe_view view_as contiguous clone""".split()  # noqa: SIM905
)


class _ProductListener(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Reports the name of each operator in PRODUCTS that torch runs, and products of all pairs made by broadcasting."""

    def __init__(self, report: Callable[[str], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._report = report
        self.dtypes: set[torch.dtype] = set()  # of the factors of products
        # Addresses of tensors that were looked at, and of those that were computed with.
        self.viewed: set[int] = set()
        self.computed: set[int] = set()
        self._copied: dict[int, int] = {}  # address of a copy -> address of what it is a copy of
        self._copies: list[torch.Tensor] = []  # kept, so that no other tensor gets their addresses

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, output = func.overloadpacket.__name__, func(*args, **(kwargs or {}))
        for address in _addresses(args):
            if name not in VIEWS:
                self._compute(address)
                continue
            self.viewed.add(address)
            if isinstance(output, torch.Tensor) and (made := _addresses(output)) and made[0] != address:
                self._copied[made[0]] = address
                self._copies.append(output)
        if name in PRODUCTS:
            factors = [factor for factor in args if isinstance(factor, torch.Tensor)]
            self.dtypes |= {factor.dtype for factor in factors if factor.is_floating_point()}
        if name in PRODUCTS or (name == "mul" and _is_outer(args, output)):
            self._report(name if name in PRODUCTS else "mul, a product of all pairs,")
        return output

    def _compute(self, address: int | None) -> None:
        """Remember that a tensor was computed with, and so was what it is a copy of."""
        while address is not None and address not in self.computed:
            self.computed.add(address)
            address = self._copied.get(address)


def _addresses(values: Any) -> list[int]:
    """Where the numbers of tensors lie, of those in lists too."""
    return [
        tensor.untyped_storage().data_ptr()
        for tensor in tree_leaves(values)
        if isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided and not tensor.is_nested
    ]


def product_dtypes(model: nn.Module, frames: torch.Tensor) -> set[torch.dtype]:
    """The types of the factors of all products that torch computes in a forward of frames (T, N, C, H, W)."""
    with torch.no_grad(), _ProductListener(lambda _: None) as listener:
        model(frames)
    dtypes: set[torch.dtype] = listener.dtypes
    return dtypes


def _is_outer(args: Any, output: Any) -> bool:
    """Whether two tensors were spread over each other, as in a matrix product that is written out and summed later.

    Scaling (N, C, H, W) by (C, 1, 1), or a map (H, W) of positions by (C, 1, 1), spreads the smaller one only.
    """
    factors = [factor for factor in args if isinstance(factor, torch.Tensor) and factor.numel() > 1]
    return len(factors) == 2 and output.numel() > max(factor.numel() for factor in factors)


def undeclared_products(model: nn.Module, frames: torch.Tensor, accounted: set[str]) -> dict[str, str]:
    """Run `model` on frames (T, N, C, H, W): module name -> the operator that it runs without a counter, the first one.

    `accounted` are the names, in `named_modules()`, of modules whose products are all counted or declared. Products are
    matrix products, convolutions, distances and recurrent cells, not products of single elements. What makes a weight, as
    weight and spectral norm do, is no operation of a sample.
    """
    inside: list[str] = []  # names of the modules that are running, outermost first
    found: dict[str, str] = {}
    makes_weights = {
        name for name, module in model.named_modules() if isinstance(module, ParametrizationList)
    }

    def report(operator: str) -> None:
        if not (accounted | makes_weights).intersection(inside):
            found.setdefault(inside[-1] if inside else "", operator)

    def enter(name: str, _module: nn.Module, _args: Any) -> None:
        inside.append(name)

    def leave(_module: nn.Module, _args: Any, _output: Any) -> None:
        inside.pop()

    handles: list[Any] = []
    try:
        for name, module in model.named_modules():
            if not isinstance(module, torch.jit.ScriptModule):
                # First of all hooks, since those of torch's older weight norms multiply too.
                handles.append(module.register_forward_pre_hook(partial(enter, name), prepend=True))
                # What a hook of the user's does to a layer's output is none of the layer's products.
                handles.append(module.register_forward_hook(leave, prepend=True))
        with torch.no_grad(), _ProductListener(report) as listener:
            model(frames)
        _add_hidden(model, listener, accounted, found)
    finally:
        for handle in handles:
            handle.remove()
    return found


def _add_hidden(
    model: nn.Module, listener: _ProductListener, accounted: set[str], found: dict[str, str]
) -> None:
    """Add modules with a matrix that is looked at and then used where torch does not see it."""
    for name, module in model.named_modules():
        if any(name == other or name.startswith(f"{other}.") for other in accounted):
            continue
        for key, parameter in module.named_parameters(recurse=False):
            address = parameter.untyped_storage().data_ptr()
            is_matrix = sum(length > 1 for length in parameter.shape) > 1
            if is_matrix and address in listener.viewed - listener.computed:
                found.setdefault(name, f"what torch does not see on its parameter {key!r},")
