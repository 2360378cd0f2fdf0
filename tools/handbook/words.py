"""What no card and no signature says: a sentence on each member, from the TOML files in `words/`, checked against the code."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from eventbench.errors import BadSpec
from eventbench.registry import Family
from eventbench.specs.base import explain

FOLDER = Path(__file__).resolve().parent / "words"


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of one of the files."""


class FamilyWords(Words, frozen=True, kw_only=True):
    """A page for several cards of the same recordings: its title, the cards, and what they have in common."""

    title: str
    cards: list[str]
    text: str
    traps: list[str] = []


class FormatWords(Words, frozen=True, kw_only=True):
    """A raw format: what it is, what says so, where the sensor's size, the unit and the polarity come from."""

    what: str
    recognised: str
    sensor: str
    unit: str
    polarity: str
    traps: str


class Row(Words, frozen=True, kw_only=True):
    """One array of a picture: the representation's parameters, and how its panels are told apart and shaded.

    scale : "count" (any event is seen, the busiest are brightest) or "unit" (0 to 1 as they are)
    invert : the smallest value is the strongest
    apart : a panel for OFF and one for ON, where else they share one
    events : a first panel with all events, to compare with
    """

    says: str
    parameters: dict[str, Any] = {}
    caption: str = ""
    scale: str = "count"
    invert: bool = False
    apart: bool = False
    events: bool = False


class RepresentationWords(Words, frozen=True, kw_only=True):
    """A representation: its definition in a line, who defined it, the modes that promise a peer's numbers, its picture."""

    shape: str
    definition: str
    paper: str
    modes: str = ""
    deviations: str = ""
    picture: list[Row]
    seen: str


class Mode(Words, frozen=True, kw_only=True):
    """One thing of a peer, ours beside it, how well they agree, where and why they do not, and the test that holds it.

    `ours` is the member and the parameters that make it the peer's; `held_by` a file of tests/, "" for what is not compared.
    """

    peer: str
    theirs: str
    ours: str
    agrees: str
    differs: str
    held_by: str = ""


W = TypeVar("W", bound=Words)


@cache
def tables(name: str, kind: type[W]) -> dict[str, W]:
    """The tables of `words/<name>.toml`, by name. Raises BadSpec, with the place, for a key that is none of theirs."""
    return _decoded(FOLDER / f"{name}.toml", dict[str, kind])  # type: ignore[valid-type]


@cache
def modes() -> list[Mode]:
    """The rows of the table of compatibility, in the order of the file."""
    return _decoded(FOLDER / "compatibility.toml", dict[str, list[Mode]])["mode"]


def _decoded(path: Path, kind: Any) -> Any:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except msgspec.ValidationError as error:
        raise BadSpec(explain(error, kind), where=path.name) from None
    except msgspec.DecodeError as error:
        raise BadSpec(f"not valid TOML: {error}", where=path.name) from None


def own(family: Family[Any]) -> list[str]:
    """The names of a family's members that are ours: what else is installed here is no part of the pages."""
    return [name for name in family.names() if family.path(name)]


def of_members(family: Family[Any], kind: type[W]) -> dict[str, W]:
    """The words on every member of a family that is ours, by name.

    Raises BadSpec where a member has none, or where there are words on none.
    """
    told = tables(family.folder, kind)
    members = own(family)
    for name in sorted({*members} ^ {*told}):
        missing = name not in told
        raise BadSpec(
            f"{'no words on' if missing else 'words on what is no'} {family.kind} {name!r}",
            where=f"tools/handbook/words/{family.folder}.toml",
            fix=f"add a table [{name}], as the others have it" if missing else "take the table out",
        )
    return {name: told[name] for name in members}
