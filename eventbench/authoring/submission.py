"""A submission to begin with: a folder with submission.toml, a small model in a file, and weights that are not trained."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save_file

from eventbench.errors import BadSubmission
from eventbench.home import Places
from eventbench.preprocess.binning import Binning
from eventbench.specs import catalog
from eventbench.submission.model import make_model
from eventbench.submission.user_code import load_code

MODEL = '''"""A small spiking network: change it as you like; the constructor and forward are called as they stand here."""

from torch import nn

from eventbench.layers import LIF


class MyNet(nn.Module):
    def __init__(self, sensor, time_steps, classes, width=16):  # sensor (width, height) of a frame
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, width, 3, stride=2, padding=1), nn.BatchNorm2d(width)
        self.lif = LIF(tau=2.0)
        self.pool, self.readout = nn.AdaptiveAvgPool2d(4), nn.Linear(width * 16, classes)

    def forward(self, frames):  # float32 (T, N, C, H, W)
        currents = self.norm(self.conv(frames.flatten(0, 1))).unflatten(0, frames.shape[:2])
        return self.readout(self.pool(self.lif(currents).mean(0)).flatten(1))  # scores (N, classes)
'''
SUBMISSION = """weights = ["seed0.safetensors"]  # one file a seed; eventbench train writes trained ones into a new folder

[model]
name = "my_model.py:MyNet"
config = { width = 16 }

[training]
seeds = [0]
note = "not trained: weights as they are drawn"

[about]
authors = []
paper = ""
"""


def new_submission(folder: Path, task: str, places: Places) -> list[Path]:
    """Write a submission for a task, and return its files. It holds to the contract and has learnt nothing.

    Raises BadSubmission where the folder is there already and is not empty.
    """
    import torch

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadSubmission("it is there already", where=folder, fix="name another folder")
    rules = catalog.task(task, places.board)
    card = catalog.card(rules.spec.dataset, beside=rules.path)
    binning = Binning.of(catalog.pipeline(rules.spec.pipeline, beside=rules.path))
    time_steps, _, height, width = binning.shape(card.spec.sensor)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"my_model.py": MODEL, "submission.toml": SUBMISSION}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    torch.manual_seed(0)
    code = load_code("my_model.py:MyNet", folder)
    model = make_model(code, {"width": 16}, (width, height), time_steps, len(card.spec.classes))
    save_file(model.state_dict(), folder / "seed0.safetensors")
    return [folder / name for name in (*texts, "seed0.safetensors")]
