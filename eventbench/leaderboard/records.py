"""The records of a board: read them all, find one by the name a person types."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from eventbench.errors import BadRecord, BadSpec, EventbenchError, UnknownName
from eventbench.leaderboard.entry import Entry, evidence_endings, id_of, load_entry
from eventbench.leaderboard.write import write_record

__all__ = [
    "Broken",
    "Entry",
    "Records",
    "find_record",
    "load_entry",
    "read_records",
    "withdrawn",
    "write_record",
]


@dataclass(frozen=True)
class Broken:
    """A record that cannot be ranked, and why; shown wherever the others are shown."""

    id: str
    reason: str


@dataclass(frozen=True)
class Records:
    """What lies under `<board>/records`: `entries` that could be read and `broken` that could not, in order of id."""

    entries: list[Entry]
    broken: list[Broken]


def _files(board: Path, task: str | None = None) -> list[Path]:
    pattern = "*/*.json" if task else "*/*/*.json"
    folder = board / "records" / task if task else board / "records"
    endings = evidence_endings()
    return sorted(
        path
        for path in folder.glob(pattern)
        if not path.name.startswith(".") and not path.name.endswith(endings)
    )


def read_records(board: Path, task: str | None = None) -> Records:
    """Every record of the board, or of one task. A file that is no record is in `broken`, never left out.

    Raises BadSpec when `<board>/withdrawn.toml` is unreadable.
    """
    reasons = withdrawn(board)
    entries: list[Entry] = []
    broken: list[Broken] = []
    for path in _files(board, task):
        try:
            entries.append(load_entry(path, reasons.get(id_of(path), "")))
        except BadRecord as error:
            broken.append(Broken(id_of(path), str(error)))
    known = {entry.id for entry in entries} | {item.id for item in broken}
    broken += [
        Broken(name, "withdrawn.toml names it, and there is no such record")
        for name in reasons
        if name not in known and (task is None or name.startswith(f"{task}/"))
    ]
    return Records(entries, broken)


def withdrawn(board: Path) -> dict[str, str]:
    """`<board>/withdrawn.toml`: a table of record id -> reason. Empty when there is no such file."""
    path = board / "withdrawn.toml"
    if not path.exists():
        return {}
    try:
        reasons = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSpec(f"not valid TOML: {error}", where=path) from None
    for name, reason in reasons.items():
        if not isinstance(reason, str) or not reason.strip():
            raise BadSpec(
                f"the reason of {name!r} is {reason!r}",
                where=path,
                allowed="a sentence in quotes",
                fix='write "<task>/<model>/<record>" = "why"',
            )
    return reasons


def find_record(board: Path, name: str) -> Entry:
    """The record a person means by a path, an id, or any start or end of an id that only one record has.

    Starts and ends of the file's stem count too, so the 8 digits at its end are enough.
    Raises UnknownName when there is none, EventbenchError when there are several, BadRecord when it is unreadable.
    """
    reasons = withdrawn(board)
    path = Path(name).expanduser()
    if path.suffix == ".json" and path.is_file():
        return load_entry(path, reasons.get(id_of(path), ""))
    by_id = {id_of(file): file for file in _files(board)}
    wanted = name.removesuffix(".json")
    matching = [wanted] if wanted in by_id else [id for id in by_id if wanted and _names(wanted, id)]
    if len(matching) == 1:
        return load_entry(by_id[matching[0]], reasons.get(matching[0], ""))
    if matching:
        shown = ", ".join(matching[:6]) + (", ..." if len(matching) > 6 else "")
        raise EventbenchError(
            f"{len(matching)} records are named {name!r}", allowed=shown, fix="give more of the name"
        )
    # A board may hold hundreds: the nearest few are of more use than all of them.
    near = list(by_id) if len(by_id) <= 6 else difflib.get_close_matches(name, by_id, n=6, cutoff=0)
    raise UnknownName("record", name, near, where=board / "records")


def _names(wanted: str, id: str) -> bool:
    """Whether `wanted` is a start or an end of the record's id, of its file's stem or of the digits at its end."""
    stem = id.rpartition("/")[2]
    return any(
        text.startswith(wanted) or text.endswith(wanted) for text in (id, stem, stem.rpartition("-")[2])
    )
