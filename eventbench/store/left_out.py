"""Recordings that a store was made without, since they cannot be read and --keep-going was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import h5py
import numpy as np

from eventbench.errors import BadStore
from eventbench.specs import catalog
from eventbench.specs.card import Card
from eventbench.specs.catalog import Named
from eventbench.store.opening import texts

GROUP = "left_out"
TEXTS = ("id", "split", "subject", "sha256", "reason")


class LeftOut(NamedTuple):
    """A sample that is not in a store: who it would be, the sha256 of its file, and why it cannot be read."""

    id: str
    split: str
    label: int
    subject: str
    sha256: str
    reason: str


def write_left_out(file: h5py.File, left_out: Sequence[LeftOut]) -> None:
    """The group /left_out, by id; none where there is nothing to say."""
    if not left_out:
        return
    for name in TEXTS:
        encoded = [str(getattr(sample, name)).encode("utf-8", "backslashreplace") for sample in left_out]
        kind = h5py.string_dtype("utf-8", max([1, *map(len, encoded)]))
        file[f"{GROUP}/{name}"] = np.array(encoded, kind)
    file[f"{GROUP}/label"] = np.array([sample.label for sample in left_out], "<i4")


def read_left_out(file: h5py.File) -> list[LeftOut]:
    """What `write_left_out` wrote."""
    if GROUP not in file:
        return []
    group = file[GROUP]
    columns = {name: texts(group[name][:]) for name in TEXTS}
    columns["label"] = group["label"][:].tolist()
    return [LeftOut(*row) for row in zip(*(columns[name] for name in LeftOut._fields), strict=True)]


def refuse_left_out(left_out: Sequence[LeftOut], card: Named[Card], where: object) -> None:
    """Raises BadStore where a store of a card that pins its samples was made without some of them."""
    if left_out:
        raise BadStore(
            f"{len(left_out):,} recording{'s are' if len(left_out) > 1 else ' is'} left out of it (--keep-going), "
            f"and {card.id} pins its samples: "
            "it cannot be ranked",
            where=where,
            fix=f"mend {left_out[0].id} and run eventbench preprocess {catalog.argument(card)}",
            reason="left_out",
        )
