"""What every data file has in common: frozen, typed, unknown keys refused, errors located, a digest."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from eventbench import digest
from eventbench.errors import BadSpec

_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>[^`]+)`(?: - at `(?P<at>[^`]+)`)?")


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A frozen record of one data file, or of one table in it.

    Defaults are left out of the digest, so a new optional key leaves the digests of old files as they are.
    """

    @property
    def digest(self) -> str:
        """sha256 of what the file means: its values without `[about]`, comments and key order."""
        content = msgspec.to_builtins(self)
        content.pop("about", None)
        return digest.of_value(content)


class About(Spec, frozen=True):
    """What a reader wants to know and no program depends on; outside every digest."""

    title: str = ""
    paper: str = ""
    url: str = ""
    licence: str = ""
    authors: list[str] = []
    notes: str = ""


S = TypeVar("S")


def explain(error: msgspec.ValidationError, kind: type) -> str:
    """msgspec's sentence, with the nearest key that exists where a key is unknown."""
    text = str(error)
    unknown = _UNKNOWN.match(text)
    if not unknown:
        return text.replace("`", "'").replace(" - at '", " at '")
    key, at = unknown["key"], unknown["at"] or "$"
    fields = _fields_at(kind, at)
    near = difflib.get_close_matches(key, fields, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    listed = f"; allowed: {', '.join(fields)}" if fields else ""
    return f"unknown key {key!r} at '{at}'{listed}{hint}"


def _fields_at(kind: Any, at: str) -> list[str]:
    """The keys of the struct that msgspec's path `at` points into, as far as the types tell."""
    import typing

    for part in re.findall(r"\.(\w+)|\[(\.\.\.|\d+)\]", at):
        kinds = [kind, *typing.get_args(kind)]
        struct = next((k for k in kinds if hasattr(k, "__struct_fields__")), None)
        if part[0] and struct is not None and part[0] in struct.__struct_fields__:
            kind = typing.get_type_hints(struct)[part[0]]
        else:
            kind = (typing.get_args(kind) or (None,))[-1]
    struct = next((k for k in [kind, *typing.get_args(kind)] if hasattr(k, "__struct_fields__")), None)
    return list(struct.__struct_encode_fields__) if struct is not None else []


def load(path: Path, kind: type[S]) -> S:
    """The TOML or JSON file `path` as a `kind`. Raises BadSpec, with the place, on anything else."""
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
