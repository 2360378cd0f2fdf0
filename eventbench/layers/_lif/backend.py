"""The choice of a backend for a tensor: "norse" on any device, "numba" on the CPU, "triton" on CUDA."""

from __future__ import annotations

import os
from importlib.util import find_spec

import torch

from eventbench.errors import BadSpec

BACKENDS = ("norse", "numba", "triton")
HAS_TRITON = find_spec("triton") is not None


def interprets_triton() -> bool:
    """Whether Triton interprets its kernels in Python on CPU tensors (TRITON_INTERPRET=1 set before its import, for tests)."""
    return HAS_TRITON and os.environ.get("TRITON_INTERPRET") == "1"


def choose(x: torch.Tensor, forced: str | None, layer_name: str, compiles: bool) -> str:
    """`forced` if it supports x, else BadSpec is raised; the fastest backend that supports x if `forced` is None.

    `compiles` says whether the layer's fused backends work under torch.compile.
    """
    if forced == "norse":
        return "norse"
    fusible = x.layout == torch.strided and (compiles or not torch.compiler.is_compiling())
    numba = fusible and x.device.type == "cpu"
    triton = fusible and x.device.type == "cuda" and HAS_TRITON
    if forced is None:
        return "numba" if numba else "triton" if triton else "norse"
    if (forced == "numba" and numba) or (forced == "triton" and (triton or (numba and interprets_triton()))):
        return forced
    device = "on the cpu" if forced == "numba" else "on cuda"
    missing = forced == "triton" and not HAS_TRITON
    raise BadSpec(
        "the triton backend needs the package triton, which is not installed"
        if missing
        else f"the {forced} backend does not support a {x.dtype} tensor on {x.device}",
        where=layer_name,
        allowed=f"a dense tensor {device}" + ("" if compiles else ", outside torch.compile"),
        fix='leave backend out, or set it to "norse"',
    )
