"""The boards as one static HTML page: no script, nothing loaded from elsewhere, all text of records escaped."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eventbench.errors import EventbenchError
from eventbench.leaderboard import figures, plots
from eventbench.leaderboard.entry import Entry
from eventbench.leaderboard.rows import Board, Row, settings_text
from eventbench.task_kinds.base import DEFAULT_KIND, task_kind_named

TEMPLATE = Path(__file__).with_name("board.html.j2")


def page(boards: Sequence[Board]) -> str:
    """The HTML of the page. Records may come from anyone, so the template escapes all of their text."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["plain"] = figures.plain
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    boards_with_records = [board for board in boards if not board.empty]
    kinds_on_page = [board.kind for board in boards_with_records] or [task_kind_named(DEFAULT_KIND)]
    kinds = {kind.main_figure: kind for kind in kinds_on_page}
    return template.render(
        main_figures=figures.plain(" and ".join(kinds)).replace("_", " "),
        interval_notes="; ".join(kind.interval_note for kind in kinds.values()),
        sections=[_section(board, index) for index, board in enumerate(boards_with_records)],
        empty=[board.task for board in boards if board.empty],
    )


def write_site(boards: Sequence[Board], out_dir: Path) -> Path:
    """Write `index.html` into `out_dir`, which is made if it does not exist, and return its path.

    Raises EventbenchError when it cannot be written; an older page then stays as it was.
    """
    target = out_dir / "index.html"
    temporary = out_dir / f".index.html.{os.getpid()}.tmp"
    text = page(boards)
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise EventbenchError(
            f"the page cannot be written: {error.strerror or error}",
            where=target,
            fix="name a folder you may write to with --out",
        ) from error
    return target


def _section(board: Board, index: int) -> dict[str, Any]:
    """The board of a task as the template needs it."""
    others = [name for name in board.metrics if name != board.rank_by]
    writer = figures.Writer(board.kind, board.device)
    return {
        "key": f"task{index}",
        "board": board,
        "plots": _plots(board),
        "rank_heading": writer.caption(board.rank_by, board.units.get(board.rank_by, "")),
        "interval_heading": writer.interval_heading(board.rank_by),
        "headings": [writer.heading(name, board.units[name]) for name in others],
        "rows": [_line(row, writer, board.rank_by, others) for row in [*board.rows, *board.unranked]],
        "main_heading": writer.caption(board.kind.main_figure, board.units.get(board.kind.main_figure, "")),
        "apart": [
            {
                "id": apart.entry.id,
                "reasons": "; ".join(apart.reasons),
                "mean": writer.number(apart.mean, board.kind.main_figure),
            }
            for apart in board.apart
        ],
        "tests": [
            *(
                f"{mark} {text}."
                for mark, text in figures.MARKS.items()
                if mark in map(figures.rank_mark, board.rows)
            ),
            *([f"{figures.tests_of(board.kind)}."] if board.tested else []),
        ],
    }


def _plots(board: Board) -> list[dict[str, Any]]:
    writer, forest = figures.Writer(board.kind, board.device), plots.forest(board)
    main = figures.plain(board.kind.main_figure).replace("_", " ").capitalize()
    titled: list[dict[str, Any]] = []
    if forest is not None:
        titled.append({"title": f"{main}, with 95 % intervals and every run", "plot": forest})
    titled += [
        {"title": f"{main} against {writer.caption(name)}", "plot": plot}
        for name, plot in plots.scatters(board)
    ]
    return titled


def _line(row: Row, writer: figures.Writer, rank_by: str, others: list[str]) -> dict[str, Any]:
    figure = row.metrics[rank_by]
    return {
        "row": row,
        "rank": figures.rank(row) + figures.rank_mark(row),
        "mean": writer.number(figure.mean, rank_by),
        "std": writer.number(figure.std, rank_by),
        "interval": writer.interval(rank_by, figure),
        "seeds": figure.seeds,
        "note": "; ".join(
            [
                *filter(None, [row.why_unranked]),
                *(
                    [f"latency and memory measured on {row.device}"]
                    if writer.elsewhere("latency", row)
                    else []
                ),
                *(f"{name} not counted: {why}" for name, why in row.not_counted.items()),
            ]
        ),
        "others": [writer.cell(name, row) for name in others],
        "records": [_provenance(entry, writer) for entry in reversed(row.entries)],
        "about": row.entries[-1].record.about,
        "link": _web_address(row.entries[-1].record.about.url),
    }


def _web_address(url: str) -> str:
    """The address where it is http or https, else ""; `javascript:` and the like are shown as text, never linked."""
    return url if url.startswith(("https://", "http://")) else ""


def _provenance(entry: Entry, writer: figures.Writer) -> dict[str, Any]:
    record, main = entry.record, writer.kind.main_figure
    scores = [f"seed {run.seed}: {writer.with_unit(run.scores[main].value, main)}" for run in record.runs]
    return {
        "id": entry.id,
        "facts": [
            ("scored", record.created),
            ("by", f"{record.harness.name} {record.harness.version}"),
            ("status", record.status),
            (main, ", ".join(scores)),
            ("task", f"{record.task.id}, digest {record.task.digest}"),
            ("dataset", f"{record.dataset.id}, digest {record.dataset.digest}"),
            ("pipeline", f"{record.pipeline.id}, digest {record.pipeline.digest}"),
            ("store", record.store),
            ("model", record.model.name),
            ("model code", record.code),
            *([("model files", settings_text(record.files, " = "))] if record.files else []),
            ("weights", ", ".join(run.weights for run in record.runs)),
            ("predictions", record.predictions),
            ("training", settings_text(record.training, " = ")),
            ("environment", settings_text(record.environment, " = ")),
        ],
    }
