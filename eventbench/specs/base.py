"""`Spec`, the base class of all data files (frozen, typed, without unknown keys, with a digest), and `load`."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from eventbench import digest
from eventbench.errors import BadSpec

_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>[^`]+)`(?: - at `(?P<path>[^`]+)`)?")


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The content of a data file, or of a table in one; frozen.

    Defaults are left out of the digest, so a new optional key does not change the digests of old files.
    """

    @property
    def digest(self) -> str:
        """sha256 of the values, independent of `[about]`, comments and the order of keys."""
        content = msgspec.to_builtins(self)
        content.pop("about", None)
        return digest.of_value(content)


class About(Spec, frozen=True):
    """Information for readers that no program depends on; not in any digest."""

    title: str = ""
    paper: str = ""
    url: str = ""
    licence: str = ""
    authors: list[str] = []
    notes: str = ""


S = TypeVar("S")


def explain(error: msgspec.ValidationError, kind: type) -> str:
    """msgspec's message; for an unknown key, with the keys that exist and the most similar one."""
    text = str(error)
    unknown = _UNKNOWN.match(text)
    if not unknown:
        return text.replace("`", "'").replace(" - at '", " at '")
    key, path = unknown["key"], unknown["path"] or "$"
    fields = _fields_at(kind, path)
    similar = difflib.get_close_matches(key, fields, n=1)
    hint = f"; did you mean {similar[0]!r}?" if similar else ""
    allowed = f"; allowed: {', '.join(fields)}" if fields else ""
    return f"unknown key {key!r} at '{path}'{allowed}{hint}"


def _fields_at(kind: Any, path: str) -> list[str]:
    """The keys of the struct at msgspec's `path` in a `kind`; empty if the types do not tell."""
    import typing

    for key, _index in re.findall(r"\.(\w+)|\[(\.\.\.|\d+)\]", path):
        kinds = [kind, *typing.get_args(kind)]
        struct = next((k for k in kinds if hasattr(k, "__struct_fields__")), None)
        if key and struct is not None and key in struct.__struct_fields__:
            kind = typing.get_type_hints(struct)[key]
        else:
            kind = (typing.get_args(kind) or (None,))[-1]
    struct = next((k for k in [kind, *typing.get_args(kind)] if hasattr(k, "__struct_fields__")), None)
    return list(struct.__struct_encode_fields__) if struct is not None else []


def load(path: Path, kind: type[S]) -> S:
    """The TOML or JSON file `path` as a `kind`. Raises BadSpec, with the position of the problem, if it is not one."""
    decoder = msgspec.json if path.suffix == ".json" else msgspec.toml
    try:
        spec: S = decoder.decode(path.read_bytes(), type=kind)
    except msgspec.ValidationError as error:
        raise BadSpec(explain(error, kind), where=path.name) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadSpec(f"not valid {path.suffix[1:].upper()}: {error}", where=path.name) from None
    except OSError as error:
        raise BadSpec(f"cannot be read: {error.strerror}", where=path) from None
    return spec
