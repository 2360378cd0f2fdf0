"""What a run was made with: packages, processor, precision. No path, user or host name."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

import torch

from eventbench import __version__, digest
from eventbench.home import PACKAGE

PACKAGES = ("h5py", "norse", "numba", "numpy", "tonic", "torch")


def environment(device: torch.device) -> dict[str, str]:
    """Names and versions that a figure may depend on."""
    found = {"python": platform.python_version(), "eventbench": __version__}
    found |= {package: version(package) for package in PACKAGES}
    found |= {"system": platform.system(), "machine": platform.machine(), "processor": _processor()}
    found |= {"device": device.type, "threads": str(torch.get_num_threads()), "precision": "float32"}
    if device.type == "cuda":
        found |= {"gpu": torch.cuda.get_device_name(device), "cuda": str(torch.version.cuda)}
    return found


def package_digest() -> str:
    """sha256 over the package's own Python files: which code scored, whatever the version says."""
    files = sorted(PACKAGE.rglob("*.py"))
    return digest.of_lines(f"{file.relative_to(PACKAGE).as_posix()} {digest.of_file(file)}" for file in files)


def _processor() -> str:
    """The processor's name as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
