"""PFA with its map in the registers of Triton's kernels against PFA with matrix products: one layer, two ways."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from itertools import product

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventbench.layers import PFA
from eventbench.layers._attention import pfa_compose as _pfa_compose
from eventbench.layers.pfa import COMPOSITIONS, FUSIONS
from tests.support.triton_interpreter import MISSING, TRITON_DEVICE, import_interpreted

pytestmark = pytest.mark.skipif(find_spec("triton") is None, reason=MISSING)
import_interpreted()
once_a_test = settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch):
    """Runs a call both ways: in registers, and by products."""
    if TRITON_DEVICE == "cpu":
        monkeypatch.setenv("TRITON_INTERPRET", "1")

    def both(call):
        results = []
        for registers in (True, False):
            monkeypatch.setattr(_pfa_compose, "in_registers", lambda x, registers=registers: registers)
            results.append(call())
        return results

    return both


def outcome(layer, x, g):
    x = x.clone().requires_grad_()
    y = layer(x)
    assert y.is_contiguous() == x.is_contiguous()
    grads = torch.autograd.grad(y, [x, *layer.parameters()], g)
    return [y.detach(), *grads]


def images(shape, seed, dtype=torch.float64, last=False):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(
        TRITON_DEVICE, dtype
    )
    if last:
        x = x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, shape[:2])
    return x


@pytest.mark.slow
@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("composition", COMPOSITIONS)
@given(
    shape=st.tuples(*(st.integers(1, most) for most in (4, 2, 20, 6, 9))),
    rank=st.integers(1, 5),
    last=st.booleans(),
    seed=st.integers(0, 99),
)
@once_a_test
def test_output_and_gradients_are_the_same(ways, fusion, composition, shape, rank, last, seed):
    torch.manual_seed(seed)
    layer = PFA(shape[0], shape[2], rank, composition, fusion).double().to(TRITON_DEVICE)
    x, g = images(shape, seed, last=last), images(shape, seed + 1)
    in_registers, by_products = ways(lambda: outcome(layer, x, g))
    for a, b in zip(in_registers, by_products, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("last", [False, True])
def test_images_of_many_tiles_in_every_dtype(ways, fusion, last):
    torch.manual_seed(0)
    shape = (2, 2, 70, 9, 15)
    for dtype, rtol in ((torch.float32, 1e-5), (torch.bfloat16, 2e-2)):
        layer = PFA(2, 70, 3, "mean", fusion).to(TRITON_DEVICE)
        x, g = images(shape, 1, dtype, last), images(shape, 2, dtype)
        in_registers, by_products = ways(lambda layer=layer, x=x, g=g: outcome(layer, x, g))
        for a, b in zip(in_registers, by_products, strict=True):
            assert a.dtype == b.dtype
            torch.testing.assert_close(a, b, rtol=rtol, atol=rtol * float(b.abs().max()))


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_view_that_does_not_lie_densely_is_read_right(ways, fusion):
    layer = PFA(3, 4, 2, "mean", fusion).double().to(TRITON_DEVICE)
    wide, g = images((3, 2, 4, 5, 12), 3), images((3, 2, 4, 6, 5), 4)
    for x in (wide[..., ::2].transpose(3, 4), wide[..., 3:9].transpose(3, 4)):
        in_registers, by_products = ways(
            lambda x=x: [layer(x), torch.autograd.grad(layer(x).mul(g).sum(), [*layer.parameters()])]
        )
        torch.testing.assert_close(in_registers, by_products)


COMPILES = """
import triton, triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from eventbench.layers._attention import pfa_triton as kernels
dtypes = {"fp32": tl.float32, "fp64": tl.float64}
for kernel in (kernels._forward, kernels._backward):
    for held, wide, fusion in CASES:
        fixed = dict(FUSION=fusion, DTYPE=dtypes[wide], TALL=64, WIDE=64)
        names = kernel.arg_names
        own = {"x_ptr", "y_ptr", "g_ptr", "dx_ptr"}
        types = {n: "constexpr" if n in fixed else "*" + (held if n in own else wide) if n.endswith("_ptr") else "i32" for n in names}
        source = ASTSource(fn=kernel, signature=types, constexprs={(names.index(n),): v for n, v in fixed.items()})
        triton.compile(source, target=GPUTarget("cuda", 90, 32))
"""


@pytest.mark.slow
def test_the_kernels_compile_for_a_gpu_without_one(tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    environment["TRITON_CACHE_DIR"] = str(tmp_path)
    cases = [
        (*types, fusion)
        for types, fusion in product([("bf16", "fp32"), ("fp32", "fp32"), ("fp64", "fp64")], range(3))
    ]
    code = tmp_path / "compiles.py"
    code.write_text(f"CASES = {cases!r}\n{COMPILES}")
    done = subprocess.run([sys.executable, str(code)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
