"""Digests: sha256 of values, files and lists of lines, the same on every machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys, no spaces and no NaN: equal values give equal bytes."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def of_value(value: Any) -> str:
    """sha256 (hex) of a JSON-like value."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def of_bytes(content: bytes) -> str:
    """sha256 (hex) of bytes."""
    return hashlib.sha256(content).hexdigest()


def of_file(path: Path) -> str:
    """sha256 (hex) of a file's bytes, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_lines(lines: Iterable[str]) -> str:
    """sha256 (hex) of the lines, sorted and each ended by a newline, so that their order does not matter."""
    hasher = hashlib.sha256()
    for line in sorted(lines):
        hasher.update(line.encode() + b"\n")
    return hasher.hexdigest()
