"""What every test may ask for: recordings and golden files that are not part of the project, and what a marker means."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

# As the command line does, and for its reason: test machines are busy. Before anything loads OpenMP.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Several workers share the cores out; each with as many threads as there are cores would only be in the others' way.
if "PYTEST_XDIST_WORKER_COUNT" in os.environ:
    share = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, share)))

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """A test marked `gpu` is skipped where there is no CUDA device, and says so."""
    wanting = [item for item in items if item.get_closest_marker("gpu")]
    if not wanting:
        return
    import torch  # not before a test wants it: reading and storing recordings is tried without

    if not torch.cuda.is_available():
        for item in wanting:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device (marker gpu): none here"))


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
def shared_cases() -> Path:
    """Small files that people who do this job run into, and what is right for them."""
    return _folder("EVENTBENCH_TEST_CASES", SHARED / "cases")


@pytest.fixture(scope="session")
def golden() -> Path:
    """Outputs and gradients of the official modules, float64."""
    return _folder("EVENTBENCH_TEST_GOLDEN", SHARED / "golden")
