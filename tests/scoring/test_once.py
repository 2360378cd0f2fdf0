"""Scoring three seeds executes the submitter's file once and reads each file of weights once."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from eventbench.loading.task_data import TaskData
from eventbench.scoring.harness import score
from eventbench.submission.folder import SubmissionFolder
from tests.support.miniatures import miniature, write_toml
from tests.support.small_nets import COUNT_RUNS, LINEAR_NET


def test_a_submitted_file_is_executed_once_and_each_weights_file_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mini = miniature(tmp_path)
    data = TaskData(mini.order, mini.places, torch.device("cpu"))
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "my_model.py").write_text(COUNT_RUNS + LINEAR_NET)
    names = [f"seed{seed}.safetensors" for seed in range(3)]
    for seed, name in enumerate(names):
        weights = torch.randn(2, 96, generator=torch.Generator().manual_seed(seed))
        save_file({"readout.weight": weights, "readout.bias": torch.zeros(2)}, folder / name)
    write_toml(folder / "submission.toml", {"model": {"name": "my_model.py:MyNet"}, "weights": names})

    opened: Counter[str] = Counter()
    whole_open = io.open

    def counting_open(file: Any, *arguments: Any, **more: Any) -> Any:
        opened[Path(str(file)).name] += 1
        return whole_open(file, *arguments, **more)

    monkeypatch.setattr(io, "open", counting_open)
    record, _ = score(data, SubmissionFolder(folder))
    monkeypatch.undo()
    assert len({run.weights for run in record.runs}) == 3
    assert {name: opened[name] for name in names} == dict.fromkeys(names, 1)
    assert (folder / "my_model.py.runs").read_text() == "x"
