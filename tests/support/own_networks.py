"""Submissions of files of one's own, written into a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from tests.support.miniatures import write_toml

# A network in three places: a module beside it, one in a package below, and numbers in a file.
PACKAGE = {
    "net.py": """
import json
from pathlib import Path

from torch import nn

import blocks
from .blocks import Readout
from parts.deep import SCALE

OFFSET = json.loads((Path(__file__).parent / "data" / "offset.json").read_text())


class Net(nn.Module):
    def __init__(self, sensor, time_steps, classes):
        super().__init__()
        assert blocks.Readout is Readout
        self.readout = Readout(2 * sensor[0] * sensor[1], classes)

    def forward(self, frames):
        import late

        return late.scaled(self.readout(frames.sum(0).flatten(1)), SCALE) + OFFSET
""",
    "blocks.py": "from torch import nn\n\n\nclass Readout(nn.Linear):\n    pass\n",
    "parts/__init__.py": "",
    "parts/deep.py": "from ..blocks import Readout\n\nSCALE = 2.0 * issubclass(Readout, object)\n",
    "late.py": "def scaled(x, factor):\n    return factor * x\n",
    "data/offset.json": "0.25",
}


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """The folder, with these texts by path."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def left_or_right(sensor: tuple[int, int] = (8, 6)) -> dict[str, torch.Tensor]:
    """Weights of a linear readout of two classes that tell events on the left from events on the right."""
    weight = torch.zeros(2, 2, sensor[1], sensor[0])
    half = sensor[0] // 2
    weight[0, :, :, :half] = weight[1, :, :, half:] = 1
    return {"readout.weight": weight.flatten(1), "readout.bias": torch.tensor([0.0, 0.5])}


def package_submission(
    folder: Path,
    files: Mapping[str, str] = PACKAGE,
    state: Mapping[str, torch.Tensor] | None = None,
    **changes: Any,
) -> Path:
    """A submission of the class Net in net.py, with one file of weights."""
    write_files(folder, files)
    save_file(dict(left_or_right() if state is None else state), folder / "w.safetensors")
    write_toml(
        folder / "submission.toml", {"model": {"name": "net.py:Net"}, "weights": ["w.safetensors"]} | changes
    )
    return folder
