"""`Report` and `Refused`: what making a store has done, and which recordings could not be decoded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from eventbench.errors import BadDataset
from eventbench.preprocess.freshness import Freshness
from eventbench.store.read import Store


@dataclass
class Report:
    """What making a store has done.

    `samples` are all there should be, `already_done` those of an earlier run; `refused` gives the reason by id.
    `made_again` says why a complete store was replaced ("" where none was), `not_looked_at` what a store that was left
    as it is was made from and when, where the recordings are not at hand.
    """

    store: Path
    samples: int
    already_done: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    made_again: str = ""
    not_looked_at: str = ""

    def refused_but_for(self, samples: Collection[str]) -> None:
        """Raises Refused where others than these samples were refused."""
        others = {id: reason for id, reason in self.refused.items() if id not in samples}
        if others:
            raise Refused(replace(self, refused=others))

    @property
    def notes(self) -> list[str]:
        """What a user must be told of the store, a line each."""
        again = [f"made again: {self.made_again}"] if self.made_again else []
        return again + Freshness(not_looked_at=self.not_looked_at).notes


class Refused(BadDataset):
    """Some recordings could not be decoded; the store waits, as a draft, until they can."""

    def __init__(self, report: Report) -> None:
        self.report = report
        first = next(iter(report.refused))
        more = f" (and {len(report.refused) - 1} more refused)" if len(report.refused) > 1 else ""
        super().__init__(
            f"{report.refused[first]}{more}",
            fix="mend it and run the same command again",
        )


def account_of(store: Store) -> dict[str, int]:
    """The account of a whole store: events in, kept, and lost by reason."""
    return {name: int(counts.sum()) for name, counts in store.account.items()}


def mended_in(store: Store) -> dict[str, int]:
    """How often times were mended in the files of a store, by kind; a file of several samples counts once."""
    return {
        kind: sum(dict(zip(store.hashes, counts.tolist(), strict=True)).values())
        for kind, counts in store.mended.items()
    }
