"""Triton's interpreter, which runs GPU kernels on CPU tensors where there is no GPU."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec

import pytest
import torch

MISSING = "triton is not installed: `pip install triton` brings its interpreter, which needs no GPU"
TRITON_DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

KERNELS = ("eventbench.layers._lif.triton_kernels", "eventbench.layers._attention.pfa_triton")


def import_interpreted() -> None:
    """Import our kernels for the interpreter. Triton decides when it is imported, so this must come before anything else
    imports it, as torch.compile does: call it at the head of a test file, which is read before any test runs."""
    if find_spec("triton") is None or TRITON_DEVICE == "cuda":
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "TRITON_INTERPRET", "1")
        for module in KERNELS:
            import_module(module)
