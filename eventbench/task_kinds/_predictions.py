"""The evidence of a classification: which class each run predicted for each test sample, as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from eventbench.errors import BadRecord
from eventbench.task_kinds.base import Evidence

if TYPE_CHECKING:
    import numpy as np

TIED = -1


@dataclass(frozen=True)
class Predictions(Evidence):
    """`ids` and `labels` of the n test samples, and `predicted[run][sample]`, the class index that each run chose."""

    seeds: list[int]
    ids: list[str]
    labels: list[int]
    predicted: list[list[int]]

    @cached_property
    def correct(self) -> np.ndarray:
        """(runs, samples) bool: the prediction is the label. A tie of the best score is stored as -1 and is an error."""
        import numpy as np

        predicted = np.array(self.predicted, dtype=np.int64).reshape(len(self.seeds), len(self.ids))
        correct: np.ndarray = predicted == np.array(self.labels, dtype=np.int64)
        return correct

    @property
    def marks(self) -> np.ndarray:
        """`correct`."""
        return self.correct


def encode(rows: Iterable[Sequence[Any]], seeds: Sequence[int], where: object) -> bytes:
    """The bytes of `.predictions.csv` from rows `(id, label, prediction of run 0, of run 1, ...)`, sorted by id.

    Raises BadRecord for a row with another number of predictions than there are `seeds`.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "label", *(f"seed{seed}" for seed in seeds)])
    lines = []
    for row in rows:
        if len(row) != 2 + len(seeds):
            raise BadRecord(
                f"the row of sample {row[0]!r} has {len(row) - 2} predictions",
                where=where,
                allowed=f"one for each of {len(seeds)} runs",
            )
        # int() also turns numpy's and torch's scalars into plain digits.
        lines.append((str(row[0]), *(int(value) for value in row[1:])))
    writer.writerows(sorted(lines))
    return text.getvalue().encode()


def decode(content: bytes, where: object) -> Predictions:
    """The table in the bytes of a `.predictions.csv`. Raises BadRecord, with the line, where they hold none."""
    try:
        lines = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadRecord(f"not a CSV file: {error}", where=where) from None
    header = lines[0] if lines else []
    if header[:2] != ["id", "label"] or not all(_is_seed(name) for name in header[2:]):
        raise BadRecord(f"the header is {','.join(header)!r}", where=where, allowed="id,label,seed<k>,...")
    rows = [_whole_numbers(line, len(header), f"{where}, line {n}") for n, line in enumerate(lines[1:], 2)]
    return Predictions(
        seeds=[int(name[4:]) for name in header[2:]],
        ids=[line[0] for line in lines[1:]],
        labels=[row[0] for row in rows],
        predicted=[[row[run] for row in rows] for run in range(1, len(header) - 1)],
    )


def _whole_numbers(line: list[str], columns: int, where: str) -> list[int]:
    """The label and the predictions of one line. Raises BadRecord where a cell is no whole number."""
    try:
        if len(line) != columns:
            raise ValueError
        return [int(cell) for cell in line[1:]]
    except ValueError:
        raise BadRecord(
            f"the line is {','.join(line)!r}",
            where=where,
            allowed=f"an id and {columns - 1} whole numbers",
        ) from None


def _is_seed(name: str) -> bool:
    return name.startswith("seed") and name[4:].removeprefix("-").isdecimal()


def mismatches(table: Predictions, *, seeds: list[int], samples: int, classes: int) -> list[str]:
    """Every way in which the table does not fit its record, a sentence each."""
    broken = []
    if table.seeds != seeds:
        broken.append(f"the predictions are of seeds {table.seeds}, the record's runs of seeds {seeds}")
    if len(set(table.seeds)) != len(table.seeds):
        broken.append(f"seeds {table.seeds} repeat: each run of a record has its own seed")
    if len(table.ids) != samples:
        broken.append(f"{len(table.ids)} samples are predicted, the record has {samples}")
    sorted_ids = sorted(table.ids)
    repeated = next((first for first, second in pairwise(sorted_ids) if first == second), None)
    if repeated is not None:
        broken.append(f"sample {repeated!r} is there more than once")
    elif table.ids != sorted_ids:
        broken.append("the samples are not in order of id")
    bad_label = next((label for label in table.labels if not 0 <= label < classes), None)
    if bad_label is not None:
        broken.append(f"label {bad_label} is no class: 0 to {classes - 1}")
    cells = (cell for run in table.predicted for cell in run)
    bad_cell = next((cell for cell in cells if not TIED <= cell < classes), None)
    if bad_cell is not None:
        broken.append(f"prediction {bad_cell} is no class: 0 to {classes - 1}, or -1 for a tie")
    return broken
