"""A record on disk: its path and id, its evidence, reading it.

A record's id is `<task>/<model>/<UTC>-<digest8>`: the folder of its task, the folder of its model, the time it was
made and the first 8 hex digits of the sha256 of its content. The model's folder is the model's name, with anything
but letters, digits, `_`, `.` and `-` turned into `-`; of `my_model.py:MyNet` only the class, `MyNet`, is used.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from eventbench import digest, registry
from eventbench.errors import BadRecord, BadSpec, UnknownName
from eventbench.specs.base import load
from eventbench.specs.record import SCHEMA, Record
from eventbench.task_kinds.base import Evidence, TaskKind, task_kind_named


@dataclass(frozen=True)
class Entry:
    """A record and the path of its file. `withdrawn` is the reason of a withdrawal, empty where there is none."""

    path: Path
    record: Record
    withdrawn: str = ""

    @property
    def id(self) -> str:
        """`<task>/<model>/<UTC>-<digest8>`, from the file's path."""
        return id_of(self.path)

    @cached_property
    def kind(self) -> TaskKind:
        """The kind of task it was scored on. Raises UnknownName for an unknown kind."""
        return task_kind_named(self.record.kind)

    @property
    def predictions_path(self) -> Path:
        """The path of the evidence: beside the record, with the ending of its kind of task."""
        return self.path.with_name(f"{self.path.stem}.{self.kind.evidence_ending}")

    @property
    def predictions(self) -> Evidence:
        """What every run predicted. Raises BadRecord when the file is damaged, or not the one that was scored."""
        evidence, broken = self.evidence
        if broken or evidence is None:
            raise BadRecord(broken[0], where=self.predictions_path)
        return evidence

    @cached_property
    def evidence(self) -> tuple[Evidence | None, list[str]]:
        """The predictions, None where they cannot be read, and every problem of them; the file is read once."""
        try:
            return self.check_predictions(self.predictions_path.read_bytes())
        except OSError as error:
            return None, [f"the predictions cannot be read: {error.strerror}"]

    def check_predictions(self, content: bytes) -> tuple[Evidence | None, list[str]]:
        """`evidence` for the bytes of a file: their digest is checked first, then the predictions in them."""
        broken = []
        digest_now = hashlib.sha256(content).hexdigest()
        if digest_now != self.record.predictions:
            broken.append(
                f"the predictions are not those that were scored: sha256 {digest_now[:8]}..., "
                f"the record has {self.record.predictions[:8] or 'nothing'}..."
            )
        try:
            evidence = self.kind.decode(content, self.predictions_path.name)
        except BadRecord as error:
            return None, [*broken, str(error)]
        broken += self.kind.mismatches(
            evidence,
            seeds=[run.seed for run in self.record.runs],
            samples=self.record.samples,
            classes=self.record.classes,
        )
        return evidence, broken


def evidence_endings() -> tuple[str, ...]:
    """The endings of evidence files of every kind of task."""
    return tuple(
        sorted({f".{task_kind_named(kind).evidence_ending}" for kind in registry.task_kinds.names()})
    )


def id_of(path: Path) -> str:
    """`<task>/<model>/<stem>` of a record's file."""
    return "/".join([*path.absolute().parts[-3:-1], path.stem])


def content_digest(record: Record) -> str:
    """sha256 of the record's canonical JSON, without the fields that have their default value."""
    return digest.of_value(msgspec.to_builtins(record))


def model_folder(name: str) -> str:
    """The folder of a model's records: `tcja_net` for `tcja_net`, `MyNet` for `my_model.py:MyNet`."""
    return re.sub(r"[^\w.-]+", "-", name.rpartition(":")[2], flags=re.ASCII).strip(".-") or "model"


def stem_of(record: Record) -> str:
    """`20261121T013000Z-1a2b3c4d`. Raises BadRecord when `created` is no time with its zone."""
    return f"{_time_in_utc(record.created):%Y%m%dT%H%M%SZ}-{content_digest(record)[:8]}"


def _time_in_utc(created: str) -> datetime:
    try:
        time = datetime.fromisoformat(created)
        if time.utcoffset() is None:
            raise ValueError
    except ValueError:
        raise BadRecord(
            f"created is {created!r}", allowed="a time with its zone, such as 2026-11-21T01:30:00Z"
        ) from None
    return time.astimezone(UTC)


def relative_path(record: Record) -> Path:
    """The path of a record's file, relative to `<board>/records`."""
    return Path(record.task.id) / model_folder(record.model.name) / f"{stem_of(record)}.json"


def load_entry(path: Path, withdrawn: str = "") -> Entry:
    """The record in the file `path`. Raises BadRecord, with the path, when it cannot be read as one."""
    try:
        schema = _schema_of(path)
        if schema != SCHEMA:
            raise BadRecord(
                f"schema is {schema!r}",
                where=path,
                allowed=f"{SCHEMA}",
                fix="read it with the version of eventbench that wrote it",
            )
        entry = Entry(path, load(path, Record), withdrawn)
        _ = entry.kind  # refuses a record of a kind that this version does not know
    except BadSpec as error:
        # `load` names only the file; the whole path shows task and model too.
        raise error.as_kind(BadRecord, where=path) from None
    except UnknownName as error:
        raise error.as_kind(
            BadRecord, where=path, fix="read it with the version of eventbench that wrote it"
        ) from None
    return entry


def _schema_of(path: Path) -> Any:
    """The schema alone, so that a newer record is refused for its version and not for an unknown key."""
    try:
        content = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise BadRecord(f"cannot be read: {error.strerror}", where=path) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"not valid JSON: {error}", where=path) from None
    if not isinstance(content, dict):
        raise BadRecord("not a JSON object", where=path)
    return content.get("schema")
