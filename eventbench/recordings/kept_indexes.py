"""The indexes of long recordings that a cache holds: which are still of use, and removing the others."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from eventbench import registry
from eventbench.errors import BadStore, UnknownName
from eventbench.recordings.index_files import ENDING, FOLDER, UNFINISHED, Index, path_of, read_head
from eventbench.specs.raw_files import file_state

BEING_WRITTEN_S = 3600  # an unfinished file that grew less than so long ago may be somebody's work


class KeptIndex(NamedTuple):
    """An index in the cache, or what was to be one: of which recording ("" where it does not say), its size in bytes.

    `useless` is why it is of no use any more, "" where it is.
    """

    path: Path
    recording: str
    bytes: int
    useless: str = ""


def kept_indexes(cache: Path) -> list[KeptIndex]:
    """Every index of the cache, sorted by path; none is changed."""
    found = []
    for path in sorted((cache / FOLDER).glob(f"*{ENDING}*")):
        try:
            size, changed = path.stat().st_size, path.stat().st_mtime
        except OSError:  # it has gone in the meantime
            continue
        if path.name.endswith(UNFINISHED):
            if time.time() - changed > BEING_WRITTEN_S:
                found.append(KeptIndex(path, "", size, "an unfinished file"))
            continue
        index = read_head(path)
        recording = os.fsencode(path_of(index.made_from["path"])).decode("utf-8", "replace") if index else ""
        found.append(KeptIndex(path, recording, size, _useless(index)))
    return found


def _useless(index: Index | None) -> str:
    if index is None:
        return "a damaged index"
    made_from = index.made_from
    try:
        if list(file_state(path_of(made_from["path"]))) != [made_from["size"], made_from["changed_ns"]]:
            return "an index of a recording that has changed"
    except OSError:
        return "an index of a recording that is gone"
    try:
        version = registry.sources.get(made_from["source"]).version
    except UnknownName:
        return ""  # of a package that is not installed now
    return "" if version == made_from["version"] else "an index made by another version of its source"


def remove_indexes(useless: Iterable[KeptIndex]) -> None:
    """Remove these, and their folder where nothing else is in it. Raises BadStore where one cannot be removed."""
    for kept in useless:
        try:
            kept.path.unlink(missing_ok=True)
        except OSError as error:
            raise BadStore(f"cannot be removed: {error.strerror or error}", where=kept.path) from None
        with suppress(OSError):  # it holds others
            kept.path.parent.rmdir()
