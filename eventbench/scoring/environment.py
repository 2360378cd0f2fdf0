"""The environment of a run: versions of packages, processor, precision. No path, user or host name is in it."""

from __future__ import annotations

import platform
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path

import torch

from eventbench import __version__, digest
from eventbench.home import PACKAGE

PACKAGES = ("h5py", "norse", "numba", "numpy", "tonic", "torch")


def environment(device: torch.device, computed: Collection[torch.dtype] = ()) -> dict[str, str]:
    """Names and versions that a figure may depend on; `computed` are the types of the products of the models scored."""
    facts = {"python": platform.python_version(), "eventbench": __version__}
    facts |= {package: version(package) for package in PACKAGES}
    facts |= {"system": platform.system(), "machine": platform.machine(), "processor": _processor()}
    facts |= {
        "device": device.type,
        "threads": str(torch.get_num_threads()),
        "precision": _used_precision(device, computed),
    }
    if device.type == "cuda":
        facts |= {"gpu": torch.cuda.get_device_name(device), "cuda": str(torch.version.cuda)}
    return facts


def _used_precision(device: torch.device, computed: Collection[torch.dtype]) -> str:
    """The precision of the products that were computed: their types, float32 by how torch computes it as it is set now."""
    names = {str(dtype).removeprefix("torch.") for dtype in computed} or {"float32"}
    of_float32 = {arithmetic_precision(device)} if "float32" in names else set()
    return ", ".join(sorted(names - {"float32"} | of_float32))


def arithmetic_precision(device: torch.device) -> str:
    """The precision in which torch, as it is set now, computes float32 products on the device.

    "float32"; "tf32" or "bf16" where torch may round factors to that; "float32, convolutions in tf32" where products and
    convolutions differ, which is the default on CUDA; "bfloat16 (autocast)" inside of autocast.
    """
    if torch.is_autocast_enabled(device.type):
        return f"{torch.get_autocast_dtype(device.type)} (autocast)".removeprefix("torch.")
    products, convolutions = _products(device), _convolutions(device)
    if device.type == "cuda" and torch.cuda.get_device_capability(device) < (8, 0):
        return "float32"  # the GPU has no TF32, even where the settings allow it
    return products if products == convolutions else f"{products}, convolutions in {convolutions}"


def _products(device: torch.device) -> str:
    """The precision of matrix products."""
    if device.type == "cuda":
        backend: object = torch.backends.cuda.matmul
    else:
        backend = getattr(torch.backends.mkldnn, "matmul", None)
    if (setting := _setting(backend)) is not None:
        return setting
    rounded = {"highest": "float32", "high": "tf32", "medium": "tf32" if device.type == "cuda" else "bf16"}
    return rounded[torch.get_float32_matmul_precision()]


def _convolutions(device: torch.device) -> str:
    """The precision of convolutions."""
    backend = torch.backends.cudnn if device.type == "cuda" else torch.backends.mkldnn
    if (setting := _setting(getattr(backend, "conv", None))) is not None:
        return setting
    return "tf32" if device.type == "cuda" and torch.backends.cudnn.allow_tf32 else "float32"


def _setting(backend: object) -> str | None:
    """`fp32_precision` of the backend, or else of all backends; None where torch is too old to have it (below 2.9)."""
    own = getattr(backend, "fp32_precision", None)
    if own is None:
        return None
    setting = own if own != "none" else getattr(torch.backends, "fp32_precision", own)
    return "float32" if setting in ("none", "ieee") else str(setting)


def package_digest() -> str:
    """sha256 over the package's Python files: it identifies the code that scored, even between two releases."""
    files = sorted(PACKAGE.rglob("*.py"))
    return digest.of_lines(f"{file.relative_to(PACKAGE).as_posix()} {digest.of_file(file)}" for file in files)


def _processor() -> str:
    """The processor's name as the system reports it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
