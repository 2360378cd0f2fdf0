"""Ranking: the records of a task grouped into rows, the rows ranked.

A row is one model with one configuration and pools the runs of all its records, so that submitting twice does not pick
the better result. A run that is in two records (same seed, same weights) counts once, from the later record.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any

from eventbench import digest as digests
from eventbench.errors import BadRecord
from eventbench.leaderboard.comparable import together
from eventbench.leaderboard.entry import Entry
from eventbench.leaderboard.figures import SIGNIFICANCE
from eventbench.leaderboard.records import Broken
from eventbench.leaderboard.rows import Board, PooledRun, Row, RunFigure, Tested
from eventbench.specs.recipe import DEFAULTS, changed_settings
from eventbench.specs.record import Score, Status
from eventbench.statistics.paired import holm
from eventbench.statistics.procedures import procedure_difference, too_few_runs
from eventbench.task_kinds.base import TaskKind

STATUSES: tuple[Status, ...] = ("self-reported", "replayed", "re-run")  # the better checked the later
PICKED_ON_TEST = "test-max"
LONGEST_TITLE = 60  # letters


def board(
    task: str,
    entries: Sequence[Entry],
    kind: TaskKind,
    *,
    rank_by: str,
    title: str = "",
    digest: str = "",
    broken: Sequence[Broken] = (),
) -> Board:
    """Rank the records of a task by the mean of `rank_by`; equal means share a rank.

    digest: of the task's file as it is now. Records made under another one, or not by the rules of most, stand apart.
    Raises BadRecord when one lacks `rank_by`.
    """
    view = Board(task, kind, rank_by, title, broken=list(broken))
    view.withdrawn = [entry for entry in entries if entry.withdrawn]
    current, view.apart = together((entry for entry in entries if not entry.withdrawn), digest)
    if not current:
        return view
    view.samples = current[0].record.samples
    recordings_known = any(map(_recordings_known, current))
    rows = [_row(group, kind, rank_by, recordings_known) for group in _groups(current)]
    _note_recipe_differences(rows)
    _tell_apart(rows)
    view.rows = _ranked([row for row in rows if not row.why_unranked], rank_by)
    if view.rows and rank_by == kind.main_figure:
        _mark_ties(view.rows, kind)
    view.unranked = [row for row in rows if row.why_unranked]
    return view


def _groups(entries: list[Entry]) -> list[list[Entry]]:
    """Records of the same model trained by recipes that mean the same, oldest first in each group.

    Classes of the same name in users' own files are distinguished by all of these files. Records whose checkpoints were picked
    by test score form groups of their own, and so do those that do not say which recordings they are of.
    """
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: entry.path.stem):
        record = entry.record
        apart = _own_files(entry), _picked_on_test(entry), _recordings_known(entry)
        recipe = _recipe(entry)
        # A submission that states no recipe does not mean one with everything at its default.
        key = [record.model.name, record.model.config, *apart, bool(recipe), changed_settings(recipe)]
        groups[json.dumps(key, sort_keys=True)].append(entry)
    return list(groups.values())


def _recipe(entry: Entry) -> dict[str, Any]:
    """The training recipe that the submission states; empty where it states none."""
    recipe = entry.record.training.get("recipe")
    return recipe if isinstance(recipe, dict) else {}


def _own_files(entry: Entry) -> list[Any]:
    """What a model of a submitter's own is made of; empty for a model of the package."""
    return [entry.record.code, entry.record.files] if ":" in entry.record.model.name else []


def _title(entry: Entry) -> str:
    """What a record calls its submission, on one line and not longer than fits; the model's name where it says nothing."""
    title = " ".join(entry.record.about.title.split()) or entry.record.model.name
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


def _tell_apart(rows: list[Row]) -> None:
    """Add to rows that would be called the same the models' names, and where that is not enough digests of their files."""
    for tell in (
        lambda row: {"model": row.model},
        lambda row: {"recipe": "stated" if _recipe(row.entries[-1]) else "not stated"},
        lambda row: {"files": digests.of_value(_own_files(row.entries[-1]))[:8]},
    ):
        same_label: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            same_label[row.label].append(row)
        for group in same_label.values():
            if len({json.dumps(tell(row)) for row in group}) > 1:
                for row in group:
                    row.trained = row.trained | tell(row)


def _note_recipe_differences(rows: list[Row]) -> None:
    """In rows of the same title and configuration, set `trained` to the settings in which their recipes differ.

    Only settings that all the recipes state, where these distinguish the rows (older recipes state fewer); else any.
    """
    same_title: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        same_title[json.dumps([row.title, row.config], sort_keys=True)].append(row)
    for group in same_title.values():
        recipes = [_recipe(row.entries[-1]) for row in group]
        in_all = set.intersection(*(set(recipe) for recipe in recipes))
        in_any = set.union(*(set(recipe) for recipe in recipes))
        for keys in (in_all, in_any):
            differences = [_differing_settings(recipe, recipes, keys) for recipe in recipes]
            if len({json.dumps(settings, sort_keys=True) for settings in differences}) == len(differences):
                break
        for row, settings in zip(group, differences, strict=True):
            row.trained = settings


def _differing_settings(
    recipe: dict[str, Any], recipes: list[dict[str, Any]], keys: set[str]
) -> dict[str, Any]:
    """The settings of a recipe, out of `keys`, for which some of the `recipes` has another value."""
    return {
        key: value
        for key, value in recipe.items()
        if key in keys and any(other.get(key, DEFAULTS.get(key)) != value for other in recipes)
    }


def _picked_on_test(entry: Entry) -> bool:
    return entry.record.training.get("selection") == PICKED_ON_TEST


def _recordings_known(entry: Entry) -> bool:
    return bool(entry.record.raw_digest)


def _why_unranked(entry: Entry, recordings_known: bool) -> str:
    """ "" for a record that is ranked; `recordings_known` says that some record of the board says what it was scored on."""
    if _picked_on_test(entry):
        return "its checkpoint was picked by the test score"
    if recordings_known and not _recordings_known(entry):
        return "it does not say which recordings it was scored on, as records of eventbench 0.2 and earlier do not"
    return ""


def _row(entries: list[Entry], kind: TaskKind, rank_by: str, recordings_known: bool) -> Row:
    runs: dict[tuple[int, str], PooledRun] = {}
    for entry in entries:
        for index, run in enumerate(entry.record.runs):
            if rank_by not in run.scores:
                raise BadRecord(f"the run of seed {run.seed} has no {rank_by}", where=entry.id)
            runs[run.seed, run.weights] = PooledRun(run.seed, run.weights, run.scores, entry, index)
    pooled = sorted(runs.values(), key=lambda run: (run.seed, run.weights))
    last = entries[-1].record
    return Row(
        model=last.model.name,
        title=_title(entries[-1]),
        config=last.model.config,
        status=min((entry.record.status for entry in entries), key=STATUSES.index),
        metrics=_figures(kind, pooled, last.samples),
        runs=pooled,
        not_counted={
            metric: why
            for run in pooled
            for metric, why in run.entry.record.runs[run.index].not_counted.items()
        },
        entries=entries,
        why_unranked=_why_unranked(entries[-1], recordings_known),
    )


def _figures(kind: TaskKind, runs: list[PooledRun], samples: int) -> dict[str, RunFigure]:
    scores: dict[str, list[Score]] = defaultdict(list)
    for run in runs:
        for name, score in run.scores.items():
            scores[name].append(score)
    return {name: figure_over_runs(kind, name, of_runs, samples) for name, of_runs in scores.items()}


def figure_over_runs(kind: TaskKind, name: str, scores: Sequence[Score], samples: int) -> RunFigure:
    """One metric over runs; see RunFigure for what the interval means."""
    values = [score.value for score in scores]
    several = len(values) > 1
    mean = fmean(values)
    low, high = (min(values), max(values)) if several else (None, None)
    if (pooled := kind.pooled(name, values, samples)) is not None:
        mean, low, high = pooled
    std = stdev(values) if several else None
    return RunFigure(mean, std, low, high, len(values), scores[0].unit, scores[0].better)


def _ranked(rows: list[Row], rank_by: str) -> list[Row]:
    if not rows:
        return []
    higher = rows[0].metrics[rank_by].better != "lower"

    def sort_key(row: Row) -> float:
        mean = row.metrics[rank_by].mean
        return -mean if higher else mean

    rows = sorted(rows, key=lambda row: (sort_key(row), row.label))
    for position, row in enumerate(rows, start=1):
        above = rows[position - 2] if position > 1 else None
        row.rank = above.rank if above is not None and sort_key(above) == sort_key(row) else position
    return rows


def _mark_ties(rows: list[Row], kind: TaskKind) -> None:
    """Test every row against the first, as checkpoints and as training procedures, each adjusted by Holm over its tests."""
    first, *others = rows
    first.procedure = first.checkpoints = Tested(tied=False)
    p_values = [kind.p_of_no_difference(first.marks, row.marks) for row in others]
    for row, p in zip(others, holm(p_values), strict=True):
        row.checkpoints = Tested(row.rank == first.rank or p > SIGNIFICANCE, p)
    testable = []
    for row in others:
        if why_not := too_few_runs(len(first.runs), len(row.runs)):
            row.procedure = Tested(why_not=why_not)
        else:
            testable.append(row)
    p_values = [procedure_difference(first.marks, row.marks).p for row in testable]
    for row, p in zip(testable, holm(p_values), strict=True):
        row.procedure = Tested(row.rank == first.rank or p > SIGNIFICANCE, p)
