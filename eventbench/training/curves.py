"""`draw_learning_curves`: a picture of loss and quality over the epochs of a submission's runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eventbench.training.trained_run import TrainedRun


def draw_learning_curves(runs: Sequence[TrainedRun], path: Path, title: str) -> None:
    """Write a PNG: the loss on the left, the figure that selects a checkpoint on the right, one colour per seed.

    Training is dashed, validation solid; a thin vertical line marks the epoch whose weights were selected.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, quantity in zip(figure.subplots(1, 2), ("loss", "quality"), strict=True):
        for number, run in enumerate(runs):
            for part, style in (("train", "--"), ("validation", "-")):
                axes.plot(
                    [epoch.epoch for epoch in run.log],
                    [getattr(epoch, f"{part}_{quantity}") for epoch in run.log],
                    style,
                    color=f"C{number}",
                    marker="o" if len(run.log) == 1 else None,
                    lw=1.2,
                    label=f"{part}, seed {run.seed}",
                )
            axes.axvline(run.best_epoch, color=f"C{number}", lw=0.5, alpha=0.5)
        axes.set_xlabel("epoch")
        axes.set_ylabel(quantity if quantity == "loss" else runs[0].figure)
        axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False)
    figure.suptitle(title, fontsize=10)
    figure.savefig(path, dpi=120)
