"""A submission to begin with: a folder with submission.toml, a small model in two files, and weights that are not trained."""

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

from .blocks import SpikingConv  # the folder is a package: `from blocks import SpikingConv` does the same


class MyNet(nn.Module):
    def __init__(self, sensor, time_steps, classes, width=16):  # sensor (width, height) of a frame
        super().__init__()
        self.block = SpikingConv(2, width)
        self.pool, self.readout = nn.AdaptiveAvgPool2d(4), nn.Linear(width * 16, classes)

    def forward(self, frames):  # float32 (T, N, C, H, W)
        return self.readout(self.pool(self.block(frames).mean(0)).flatten(1))  # scores (N, classes)
'''
BLOCKS = '''"""What the network is made of. Each file of the folder is part of the submission, and goes where it goes."""

from torch import nn

from eventbench.layers import LIF


class SpikingConv(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.BatchNorm2d(outputs)
        self.lif = LIF(tau=2.0)

    def forward(self, x):  # (T, N, inputs, H, W) -> spikes (T, N, outputs, H / 2, W / 2)
        return self.lif(self.norm(self.conv(x.flatten(0, 1))).unflatten(0, x.shape[:2]))
'''
SUBMISSION = """weights = ["seed0.safetensors"]  # one file a seed; eventbench train writes trained ones into a new folder

[model]
name = "my_model.py:MyNet"
config = { width = 16 }

[training]
seeds = [0]
note = "not trained: weights as they are drawn"

[about]
title = "MyNet"  # what the board calls it
authors = []
paper = ""
"""


def new_submission(folder: Path, task: str, places: Places) -> list[Path]:
    """Write a submission for a task, and return its files. It holds to the contract and has learnt nothing.

    Without a task ("") nobody knows which frames its model is for, and no weights are written.
    Raises BadSubmission where the folder is there already and is not empty.
    """
    import torch

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadSubmission("it is there already", where=folder, fix="name another folder")
    frames = _frames_of(task, places) if task else None
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"my_model.py": MODEL, "blocks.py": BLOCKS, "submission.toml": SUBMISSION}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    written = [folder / name for name in texts]
    if frames:
        torch.manual_seed(0)
        model = make_model(load_code("my_model.py:MyNet", folder), {"width": 16}, *frames)
        written.append(folder / "seed0.safetensors")
        save_file(model.state_dict(), written[-1])
    return written


def _frames_of(task: str, places: Places) -> tuple[tuple[int, int], int, int]:
    """(width, height) and number of the frames that a model of a task gets, and its number of classes."""
    rules = catalog.task(task, places.board)
    card = catalog.card(rules.spec.dataset, beside=rules.path).spec
    binning = Binning.of(catalog.pipeline(rules.spec.pipeline, beside=rules.path))
    time_steps, _, height, width = binning.shape(card.sensor)
    return (width, height), time_steps, len(card.classes)
