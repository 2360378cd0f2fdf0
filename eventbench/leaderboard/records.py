"""The records of a board: read all of them, or find one by its path, its id or part of the id."""

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
    """A record that cannot be ranked, and why; it is shown wherever records are shown."""

    id: str
    reason: str


@dataclass(frozen=True)
class Records:
    """The records under `<board>/records` in order of id: `entries` could be read, `broken` could not."""

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
    """Every record of the board, or of one task. A file that cannot be read as a record is in `broken`, never left out.

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
        Broken(name, "withdrawn.toml names it, but there is no such record")
        for name in reasons
        if name not in known and (task is None or name.startswith(f"{task}/"))
    ]
    return Records(entries, broken)


def withdrawn(board: Path) -> dict[str, str]:
    """Record id -> reason, from `<board>/withdrawn.toml`; empty where there is no such file."""
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
    """The record with this path or id, or the only one whose id starts or ends with `name`.

    Starts and ends of the file's stem count too, so the 8 digits at its end are enough.
    Raises UnknownName when no record matches, EventbenchError when several do, BadRecord when it is unreadable.
    """
    reasons = withdrawn(board)
    path = Path(name).expanduser()
    if path.suffix == ".json" and path.is_file():
        return load_entry(path, reasons.get(id_of(path), ""))
    by_id = {id_of(file): file for file in _files(board)}
    part = name.removesuffix(".json")
    matching = [part] if part in by_id else [id for id in by_id if part and _is_start_or_end(part, id)]
    if len(matching) == 1:
        return load_entry(by_id[matching[0]], reasons.get(matching[0], ""))
    if matching:
        shown = ", ".join(matching[:6]) + (", ..." if len(matching) > 6 else "")
        raise EventbenchError(
            f"{name!r} matches {len(matching)} records", allowed=shown, fix="give more of the name"
        )
    # A board may hold hundreds of records: the nearest ones help more than all of them.
    nearest = list(by_id) if len(by_id) <= 6 else difflib.get_close_matches(name, by_id, n=6, cutoff=0)
    raise UnknownName("record", name, nearest, where=board / "records")


def _is_start_or_end(part: str, id: str) -> bool:
    """Whether `part` is a start or an end of the record's id, of its file's stem or of the digits at its end."""
    stem = id.rpartition("/")[2]
    return any(text.startswith(part) or text.endswith(part) for text in (id, stem, stem.rpartition("-")[2]))
