"""Read the tables in `words/`: families of cards, and compatibility with other packages."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec

from eventbench.errors import BadSpec
from eventbench.specs.base import explain

FOLDER = Path(__file__).resolve().parent / "words"


class CardFamily(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page for several cards of the same recordings: its title, the cards, and what they have in common."""

    title: str
    cards: list[str]
    text: str
    traps: list[str] = []


class Mode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A feature of another package and ours beside it: how well they agree, where and why they do not, and the test.

    `ours` is the member with the parameters that make it like the other; `tested_by` is a file of tests/, "" where nothing
    is compared.
    """

    peer: str
    theirs: str
    ours: str
    agrees: str
    differs: str
    tested_by: str = ""


@cache
def card_families() -> dict[str, CardFamily]:
    """The families of cards, by the stem of their page. Raises BadSpec, with the place in the file, for an unknown key."""
    return _decoded("families.toml", dict[str, CardFamily])


@cache
def modes() -> list[Mode]:
    """The rows of the table of compatibility, in the order of the file."""
    return _decoded("compatibility.toml", dict[str, list[Mode]])["mode"]


T = TypeVar("T")


def _decoded(name: str, kind: type[T]) -> T:
    try:
        return msgspec.toml.decode((FOLDER / name).read_bytes(), type=kind)
    except msgspec.ValidationError as error:
        raise BadSpec(explain(error, kind), where=name) from None
    except msgspec.DecodeError as error:
        raise BadSpec(f"not valid TOML: {error}", where=name) from None
