"""What each run predicted for each test sample: the evidence every figure of accuracy is recomputed from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from eventbench.errors import BadRecord

if TYPE_CHECKING:
    import numpy as np

TIED = -1


@dataclass(frozen=True)
class Predictions:
    """`ids` and `labels` of the n test samples, and `predicted[run][sample]`, the class index each run chose."""

    seeds: list[int]
    ids: list[str]
    labels: list[int]
    predicted: list[list[int]]

    @cached_property
    def correct(self) -> np.ndarray:
        """(runs, samples) bool: right and not tied. A tie of the best score is stored as -1 and is an error."""
        import numpy as np

        runs = np.array(self.predicted, dtype=np.int64).reshape(len(self.seeds), len(self.ids))
        return runs == np.array(self.labels, dtype=np.int64)

    def accuracies(self) -> list[float]:
        """The fraction of right answers of each run."""
        return [int(run.sum()) / len(self.ids) for run in self.correct]


def encode(rows: Iterable[Sequence[Any]], seeds: Sequence[int]) -> bytes:
    """The bytes of `.predictions.csv` from rows `(id, label, prediction of run 0, of run 1, ...)`, sorted by id."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "label", *(f"seed{seed}" for seed in seeds)])
    # int() also turns numpy's and torch's scalars into plain digits.
    lines = [(str(row[0]), *(int(value) for value in row[1:])) for row in rows]
    writer.writerows(sorted(lines))
    return text.getvalue().encode()


def decode(content: bytes, where: object) -> Predictions:
    """The other way round. Raises BadRecord, with the line, on anything that is no such table."""
    try:
        lines = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadRecord(f"not a CSV file: {error}", where=where) from None
    header = lines[0] if lines else []
    if header[:2] != ["id", "label"] or not all(_is_seed(name) for name in header[2:]):
        raise BadRecord(f"the header is {','.join(header)!r}", where=where, allowed="id,label,seed<k>,...")
    table: list[list[int]] = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            if len(line) != len(header):
                raise ValueError
            table.append([int(cell) for cell in line[1:]])
        except ValueError:
            raise BadRecord(
                f"the line is {','.join(line)!r}",
                where=f"{where}, line {number}",
                allowed=f"an id and {len(header) - 1} whole numbers",
            ) from None
    return Predictions(
        seeds=[int(name[4:]) for name in header[2:]],
        ids=[line[0] for line in lines[1:]],
        labels=[row[0] for row in table],
        predicted=[[row[run] for row in table] for run in range(1, len(header) - 1)],
    )


def _is_seed(name: str) -> bool:
    return name.startswith("seed") and name[4:].removeprefix("-").isdecimal()


def problems(found: Predictions, *, seeds: list[int], samples: int, classes: int) -> list[str]:
    """Every way in which the table does not fit the record it belongs to."""
    broken = []
    if found.seeds != seeds:
        broken.append(f"the predictions are of seeds {found.seeds}, the record's runs of seeds {seeds}")
    if len(set(found.seeds)) != len(found.seeds):
        broken.append(f"seeds {found.seeds} repeat: a record's runs each have a seed of their own")
    if len(found.ids) != samples:
        broken.append(f"{len(found.ids)} samples are predicted, the record says {samples}")
    if len(set(found.ids)) != len(found.ids):
        twice = next(
            one for one, two in zip(sorted(found.ids), sorted(found.ids)[1:], strict=False) if one == two
        )
        broken.append(f"sample {twice!r} is there more than once")
    elif found.ids != sorted(found.ids):
        broken.append("the samples are not in order of id")
    wrong = [label for label in found.labels if not 0 <= label < classes]
    if wrong:
        broken.append(f"label {wrong[0]} is no class: 0 to {classes - 1}")
    wrong = [cell for run in found.predicted for cell in run if not TIED <= cell < classes]
    if wrong:
        broken.append(f"prediction {wrong[0]} is no class: 0 to {classes - 1}, or -1 for a tie")
    return broken
