"""The learning curves of a submission's runs as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def draw_learning_curves(runs: list[dict[str, Any]], path: Path, title: str) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, quantity in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for run in runs:
            epochs = [line["epoch"] for line in run["log"]]
            marker = "o" if len(epochs) == 1 else None
            for part, style in (("train", "--"), ("validation", "-")):
                values = [line[f"{part}_{quantity}"] for line in run["log"]]
                colour = f"C{runs.index(run)}"
                axes.plot(
                    epochs,
                    values,
                    style,
                    color=colour,
                    marker=marker,
                    lw=1.2,
                    label=f"{part}, seed {run['seed']}",
                )
            axes.axvline(run["best_epoch"], color=f"C{runs.index(run)}", lw=0.5, alpha=0.5)
        axes.set_xlabel("epoch")
        axes.set_ylabel(quantity)
        axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False)
    figure.suptitle(title, fontsize=10)
    figure.savefig(path, dpi=120)
