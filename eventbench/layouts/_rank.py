"""Splits by rank: recordings in an order that names alone decide, cut into parts, groups of them kept whole."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from eventbench.errors import BadSpec

Parts = Sequence[tuple[str, int]]
SEVERAL = -1  # the stratum of groups of more than one class


class Ranked(NamedTuple):
    """A recording to be put into a split: its id, its class index, and the group that must stay together ("" for none)."""

    id: str
    label: int
    group: str


def check_parts(parts: Parts, turn: int = 0) -> None:
    """Raises BadSpec where the percents of parts do not add up to 100, or `turn` is no percent."""
    shares = [share for _, share in parts]
    if sum(shares) != 100 or min(shares) <= 0 or len({split for split, _ in parts}) != len(shares):
        raise BadSpec(f"parts are {list(parts)}", allowed="each split once, percents over 0 of a sum of 100")
    if not 0 <= turn < 100:
        raise BadSpec(f"turn is {turn}", allowed="0 to 99, a percent")


def draw(seed: int, name: str) -> str:
    """What stands in for a random number: sha256 (hex) of "<seed> <name>", the same on every machine."""
    return hashlib.sha256(f"{seed} {name}".encode()).hexdigest()


def splits_by_group(recordings: Iterable[Ranked], parts: Parts, seed: int, turn: int) -> dict[str, str]:
    """Id -> split. Groups are in the order of their draw and never divided; a group is where its middle recording falls.

    Groups of one class are ranked within it, so that each part has its share of every class; those of several classes are
    ranked together. `turn` is the percent
    at which the first part begins: with five parts of 20 %, turns of 0, 20, 40, 60 and 80 are a 5-fold cross-validation.
    """
    groups: dict[str, list[Ranked]] = defaultdict(list)
    for recording in recordings:
        groups[recording.group or f"\0{recording.id}"].append(recording)
    strata: dict[int, list[list[Ranked]]] = defaultdict(list)
    for members in groups.values():
        labels = {member.label for member in members}
        strata[labels.pop() if len(labels) == 1 else SEVERAL].append(members)
    splits = {}
    for stratum in strata.values():
        stratum.sort(key=lambda members: draw(seed, members[0].group or members[0].id))
        total, before = sum(map(len, stratum)), 0
        for members in stratum:
            # Twice the middle's place, in whole numbers: no rounding decides.
            middle, before = 2 * before + len(members), before + len(members)
            split = _part(middle * 100 - 2 * turn * total, 2 * total, parts)
            splits.update(dict.fromkeys((member.id for member in members), split))
    return splits


def _part(numerator: int, denominator: int, parts: Parts) -> str:
    """The part in which the percent numerator / denominator, taken round 100, lies."""
    numerator %= 100 * denominator
    upto = 0
    for split, share in parts:
        upto += share
        if numerator < upto * denominator:
            return split
    return parts[-1][0]


def rule_by_group(parts: Parts, seed: int, turn: int, together: str) -> str:
    """How `splits_by_group` splits, in a sentence."""
    shares = ", ".join(f"{split} {share} %" for split, share in parts)
    begin = f", from {turn} % on" if turn else ""
    whole = f", each {together} whole in one of them" if together else ""
    return f"Of each class, in order of sha256 of the seed {seed} and the name{begin}: {shares}{whole}."
