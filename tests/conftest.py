"""Where tests find the recordings and golden files that are not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# As the command line does, and for its reason: test machines are busy.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _folder(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here: set {variable} to the folder with these files")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real recordings (`recordings/`, `nmnist_small/`)."""
    return _folder("EVENTBENCH_TEST_DATA", SHARED / "data")


@pytest.fixture(scope="session")
def golden() -> Path:
    """Outputs and gradients of the official modules, float64."""
    return _folder("EVENTBENCH_TEST_GOLDEN", SHARED / "golden")
