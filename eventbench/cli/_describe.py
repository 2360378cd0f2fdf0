"""Descriptions for show: the kind, name, path, digest and content of one thing, as a table that can be JSON."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eventbench.home import Places
    from eventbench.specs import catalog
    from eventbench.specs.card import Card

# Parameters of a model that the task sets; a submission may set the others.
_SET_BY_TASK = ("self", "sensor", "time_steps", "classes")


def describe_path(name: str, places: Places) -> list[dict[str, Any]]:
    """The submission, data file, record or store at the path `name`; empty where there is none."""
    path = Path(name).expanduser()
    if (path / "submission.toml").is_file():
        return [_submission(path)]
    if not path.is_file():
        return []
    if path.suffix == ".toml":
        return [_submission(path.parent) if path.name == "submission.toml" else _own_file(path, places)]
    if path.suffix == ".json":
        return [_record(name, places)]
    return [_store(path)] if path.suffix == ".h5" else []


def describe_name(name: str, places: Places) -> list[dict[str, Any]]:
    """Everything with this name, of any kind. Raises UnknownName where there is nothing."""
    from eventbench.cli._kinds import DATA_FILES, FAMILIES, KINDS, load, names
    from eventbench.errors import UnknownName

    known = {kind: names(kind, places) for kind in KINDS if kind in FAMILIES or kind in DATA_FILES}
    tables = [
        _member(kind, name) if kind in FAMILIES else _data_file(kind, load(kind, name, places), places)
        for kind, members in known.items()
        if name in members
    ]
    if tables:
        return tables
    store = places.cache / name
    if name.endswith(".h5") and store.is_file():
        return [_store(store)]
    try:
        return [_record(name, places)]
    except UnknownName:
        every_name = {member for members in known.values() for member in members}
        raise UnknownName("thing", name, every_name | _nearest_records(name, places)) from None


def _nearest_records(name: str, places: Places) -> set[str]:
    """The ids of the three records nearest to `name`; a board may have too many to list all."""
    from eventbench.cli._kinds import listing

    ids = [str(row["name"]) for row in listing("records", places)]
    return set(difflib.get_close_matches(name, ids, n=3, cutoff=0.5))


def _own_file(path: Path, places: Places) -> dict[str, Any]:
    """A card, pipeline or task of the user's own; the kind is recognized by a key that only it has."""
    import tomllib

    from eventbench.cli._kinds import DATA_FILES
    from eventbench.errors import BadSpec

    try:
        keys = tomllib.loads(path.read_text(encoding="utf-8")).keys()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSpec(f"not valid TOML: {error}", where=path) from None
    except OSError as error:
        raise BadSpec(f"cannot be read: {error.strerror}", where=path) from None
    kind = "pipelines" if "representation" in keys else "tasks" if "dataset" in keys else "datasets"
    return _data_file(kind, DATA_FILES[kind](str(path)), places)


def _data_file(kind: str, named: catalog.Named[Any], places: Places) -> dict[str, Any]:
    import msgspec

    table = {
        "kind": {"datasets": "dataset", "pipelines": "pipeline", "tasks": "task"}[kind],
        "name": named.id,
        "path": str(named.path),
        "digest": named.spec.digest,
        "content": msgspec.to_builtins(named.spec),
    }
    if kind == "datasets":
        table["stores"] = _stores_of(named, places)
    return table


def _stores_of(card: catalog.Named[Card], places: Places) -> list[dict[str, Any]]:
    """The card's stores on disk, with their state."""
    from eventbench.store.expected import STATES, expected_stores
    from eventbench.store.inventory import cache_items, open_item
    from eventbench.store.paths import DRAFT, STORE

    expected = expected_stores(places.cache, [card])
    rows = []
    for item in cache_items(places.cache):
        if item.dataset == card.id and item.kind in (STORE, DRAFT):
            opened = open_item(item)
            state, why = expected.classify_state(opened)
            rows.append(
                {"path": str(item.path), "state": STATES[state], "why": why, "samples": opened.samples}
            )
    return rows


def _member(kind: str, name: str) -> dict[str, Any]:
    import inspect

    from eventbench import digest
    from eventbench.cli._kinds import FAMILIES

    family = FAMILIES[kind]
    member = family.get(name)
    path = family.path(name)
    signature = inspect.signature(member)
    module = inspect.getdoc(inspect.getmodule(member)) or ""
    table: dict[str, Any] = {"kind": family.kind, "name": name, "path": str(path) if path else None}
    table["digest"] = digest.of_file(path) if path else None
    table["version"] = getattr(member, "version", None)
    table["class"] = f"{member.__module__}.{member.__qualname__}"
    table["parameters"] = [
        {
            "name": parameter.name,
            "type": _type(parameter.annotation),
            "default": None if parameter.default is parameter.empty else repr(parameter.default),
            "required": parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD,
        }
        for parameter in signature.parameters.values()
        if parameter.name not in _SET_BY_TASK
    ]
    if kind in ("sources", "writers"):
        table["endings"] = list(member.suffixes)
    table["summary"] = module
    table["docstring"] = inspect.getdoc(member) or ""
    return table


def _type(annotation: Any) -> str:
    """An annotation as text, without the metadata of Annotated."""
    import inspect
    import typing

    if annotation is inspect.Parameter.empty:
        return ""
    if isinstance(annotation, str):
        return annotation
    if typing.get_origin(annotation) is typing.Annotated:
        return _type(typing.get_args(annotation)[0])
    return (
        annotation.__name__
        if isinstance(annotation, type) and not typing.get_args(annotation)
        else str(annotation)
    )


def _record(name: str, places: Places) -> dict[str, Any]:
    import msgspec

    from eventbench.leaderboard.check import check_record
    from eventbench.leaderboard.entry import content_digest
    from eventbench.leaderboard.records import find_record

    entry = find_record(places.board, name)
    return {
        "kind": "record",
        "name": entry.id,
        "path": str(entry.path),
        "digest": content_digest(entry.record),
        "withdrawn": entry.withdrawn or None,
        "broken": check_record(entry, places.board),
        "content": msgspec.to_builtins(entry.record),
    }


def _submission(folder: Path) -> dict[str, Any]:
    import msgspec

    from eventbench.specs.base import load
    from eventbench.specs.submission import Submission

    path = folder / "submission.toml"
    spec = load(path, Submission)
    missing = [name for name in spec.weights if not (folder / name).is_file()]
    return {
        "kind": "submission",
        "name": folder.absolute().name,
        "path": str(path),
        "digest": spec.digest,
        "missing": missing,
        "content": msgspec.to_builtins(spec),
    }


def _store(path: Path) -> dict[str, Any]:
    from eventbench.store.read import open_any

    store = open_any(path)
    account = {name: int(counts.sum()) for name, counts in store.account.items()}
    content = {
        "layout": store.layout,
        "dataset": store.dataset,
        "sensor": list(store.sensor),
        "classes": store.classes,
        "samples": {split: store.splits.count(split) for split in sorted(set(store.splits))},
        "account": account,
        "made_from": store.made_from,
    }
    return {"kind": "store", "name": path.name, "path": str(path), "digest": store.key, "content": content}
