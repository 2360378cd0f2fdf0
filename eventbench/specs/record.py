"""`Record`: one scored submission; never edited."""

from __future__ import annotations

from typing import Any, Literal

from eventbench.specs.base import About, Spec
from eventbench.specs.submission import ModelRef

SCHEMA = 1

Status = Literal["self-reported", "replayed", "re-run"]


class Pinned(Spec, frozen=True):
    """A data file that a record depends on: its id, and its digest when the record was made."""

    id: str
    digest: str


class Harness(Spec, frozen=True):
    """The program that scored; `code` is the sha256 over its Python files."""

    name: str
    version: str
    code: str = ""


class Score(Spec, frozen=True):
    """One figure of one run: the value in `unit`, and an interval if the metric has one."""

    value: float
    unit: str = ""
    better: Literal["higher", "lower", "neither"] = "neither"
    version: int = 1
    low: float | None = None
    high: float | None = None


class Run(Spec, frozen=True):
    """One seed: its weights (sha256 of the file) and its scores by metric name (`a.b` for a metric of several figures).

    `not_counted` has the metrics that cannot be computed for this model, and why.
    """

    seed: int
    weights: str
    scores: dict[str, Score]
    not_counted: dict[str, str] = {}


class Record(Spec, frozen=True):
    """`leaderboard/records/<task>/<model>/<UTC>-<digest8>.json`, with the evidence of its kind of task beside it.

    `code` is the sha256 of the file that defines the model's class, `predictions` that of the evidence file. `files` has the
    sha256 of every file that a model of the submitter's own is made of, by its path in the submission; it is left out where
    that is the one file of `code`.

    `raw_digest` is of the recordings it was scored on, where the card does not pin them (`RawFiles.digest`); "" where the card
    does, and in records of eventbench 0.2 and earlier.

    `kind` is the kind of task, "classification" by default. The evidence of a classification is
    `<record>.predictions.csv`: a header `id,label,seed<k>...`, then one line per test sample, ordered by id, with the
    class index that each run predicted (-1 if the best score was tied, which counts as an error).
    """

    schema: int
    created: str
    harness: Harness
    task: Pinned
    dataset: Pinned
    pipeline: Pinned
    store: str
    model: ModelRef
    code: str
    samples: int
    classes: int
    runs: list[Run]
    predictions: str
    training: dict[str, Any]
    environment: dict[str, str]
    files: dict[str, str] = {}
    raw_digest: str = ""
    kind: str = "classification"
    status: Status = "re-run"
    about: About = About()
