"""The comparison of two records as text."""

from __future__ import annotations

from typing import Any

from eventbench.leaderboard import figures
from eventbench.leaderboard.text_table import render
from eventbench.task_kinds.base import TaskKind


def comparison_text(comparison: dict[str, Any], kind: TaskKind, width: int = 120) -> str:
    """The text of a `comparison`, which `compare` made of two records of a `kind` of task, `width` characters wide.

    Provenance comes first, then the main figure, the paired statistics and the other metrics.
    """
    records = comparison["records"]
    provenance = [
        ["" if row["same"] else "≠", row["field"], _cell(row["a"]), _cell(row["b"])]
        for row in comparison["provenance"]
    ]
    parts = [
        f"A  {figures.plain(records['a'])}\nB  {figures.plain(records['b'])}",
        render(["", "made from", "A", "B"], provenance, width=width, left=4),
        *_main_figure(comparison, kind),
        _runs(comparison["runs"], kind, width),
    ]
    if comparison["metrics"]:
        parts.append(_metrics(comparison["metrics"], kind, width))
    return "\n\n".join(parts)


def _main_figure(comparison: dict[str, Any], kind: TaskKind) -> list[str]:
    """The main figure of A, that of B, and their difference with its interval and p."""
    writer, main = figures.Writer(kind), kind.main_figure
    sides = [
        f"{side.upper()}  {main.replace('_', ' ')} {writer.with_unit(figure['mean'], main)}, "
        f"95 % interval {writer.number(figure['low'], main)} to {writer.number(figure['high'], main)}, "
        f"{figure['seeds']} {'run' if figure['seeds'] == 1 else 'runs'}"
        for side, figure in ((side, comparison[main][side]) for side in ("a", "b"))
    ]
    difference, procedures = (comparison[main][key] for key in ("difference", "difference_of_procedures"))
    scale, unit = (100, " points") if kind.is_share(main) else (1, "")

    def tested(result: dict[str, float], interval: str, test: str) -> str:
        low, high = (f"{scale * result[key]:+.2f}" for key in ("low", "high"))
        p = figures.p_value(result["p"])
        return f"95 % interval {low} to {high}{interval}, p = {p} ({test})".replace("= <", "<")

    by_samples = tested(difference, f" ({kind.interval_of_difference})", kind.paired_test)
    by_both = procedures.get("why_not_tested") or tested(procedures, "", "t test of crossed random effects")
    return [
        *sides,
        f"A - B  {scale * difference['mean']:+.2f}{unit}, {comparison['samples']:,} samples\n"
        f"  these checkpoints on other samples       {by_samples}\n"
        f"  this training, other seeds and samples   {by_both}",
    ]


def _runs(pairs: list[dict[str, Any]], kind: TaskKind, width: int) -> str:
    """The table of pairs: the k-th run of A beside the k-th of B."""
    columns = {**kind.compared_columns, "p_holm": "after Holm"}
    lines = [
        [
            f"seed {pair['seed_a']}",
            f"seed {pair['seed_b']}",
            *(figures.p_value(pair[key]) if key.startswith("p") else str(pair[key]) for key in columns),
        ]
        for pair in pairs
    ]
    return render(["run of A", "run of B", *columns.values()], lines, width=width, left=2)


def _metrics(metrics: dict[str, dict[str, Any]], kind: TaskKind, width: int) -> str:
    writer = figures.Writer(kind)
    lines = [
        [
            writer.caption(name, pair["a"]["unit"]),
            *(writer.number(pair[side]["mean"], name) for side in ("a", "b")),
        ]
        for name, pair in metrics.items()
    ]
    return render(["metric", "A", "B"], lines, width=width)


def _cell(value: Any) -> str:
    """A value as text; a digest by its first 12 digits, since --json has all of them."""
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef"):
        return value[:12]
    return "-" if value is None else str(value)
