"""Families: a folder of this package in which each file is one member, named by the file's stem.

`names()` lists the folder without importing anything; `get(name)` imports that one file. The member is
the one class in the file that derives from the family's base class. Other packages join through the entry
point group `eventbench.<family>`. It never runs a user's own file: submission/user_code.py does.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import inspect
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from eventbench.errors import BadSpec, EventbenchError, UnknownName
from eventbench.home import PACKAGE

# base.py says what a member is, protocols.py what it may offer, functional.py offers one as a function; none is one.
NO_MEMBERS = ("base", "functional", "protocols")


@functools.cache
def _entry_points(group: str) -> dict[str, Any]:
    """What installed packages offer; kept, since a look through all of them takes longer than reading a recording."""
    return {point.name: point for point in entry_points(group=group)}


class Family:
    """The members of `eventbench/<folder>/`, each a subclass of `<folder>.base.<base>`."""

    def __init__(self, folder: str, base: str, kind: str) -> None:
        self.folder, self.base, self.kind = folder, base, kind

    @functools.cache  # noqa: B019  # families live as long as the process; looking is slower than reading a recording
    def _files(self) -> dict[str, Path]:
        return {
            path.stem: path
            for path in sorted((PACKAGE / self.folder).glob("*.py"))
            if path.stem not in NO_MEMBERS and not path.stem.startswith("_")
        }

    def _guests(self) -> dict[str, Any]:
        return _entry_points(f"eventbench.{self.folder}")

    def names(self) -> list[str]:
        """Every member's name, sorted, with nothing imported."""
        return sorted({*self._files(), *self._guests()})

    def summary(self, name: str) -> str:
        """The first line of the member's module docstring, read without importing it."""
        path = self._files().get(name)
        if path is None:
            return "from an installed package" if name in self._guests() else ""
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        return doc.partition("\n")[0]

    def path(self, name: str) -> Path | None:
        """The file a member of ours is written in; None for a guest from another package."""
        return self._files().get(name)

    def get(self, name: str, *, where: object = "") -> type:
        """The member's class. Raises UnknownName, with the nearest name, when there is none."""
        if name in self._files():
            return self._own(name)
        guests = self._guests()
        if name in guests:
            return guests[name].load()
        raise UnknownName(self.kind, name, self.names(), where=where)

    @functools.cache  # noqa: B019
    def _own(self, name: str) -> type:
        module = importlib.import_module(f"eventbench.{self.folder}.{name}")
        base = getattr(importlib.import_module(f"eventbench.{self.folder}.base"), self.base)
        found = [
            member
            for member in vars(module).values()
            if inspect.isclass(member) and issubclass(member, base) and member.__module__ == module.__name__
        ]
        if len(found) != 1:
            raise EventbenchError(
                f"{len(found)} classes derive from {self.base}", where=module.__name__, allowed="one"
            )
        return found[0]

    def build(self, table: Mapping[str, Any], *, where: object) -> Any:
        """A member made from a TOML table `{name = "...", parameter = value, ...}`, every key checked."""
        import msgspec

        from eventbench.specs.base import explain

        member = self.chosen(table, where=where)
        parameters = {key: value for key, value in table.items() if key != "name"}
        try:
            return msgspec.convert(parameters, type=member)
        except (msgspec.ValidationError, EventbenchError) as error:
            told = explain(error, member) if isinstance(error, msgspec.ValidationError) else str(error)
            raise BadSpec(told, where=f"{where} [{self.kind} {table['name']}]") from None

    def chosen(self, table: Mapping[str, Any], *, where: object) -> type:
        """The class that a TOML table names. Raises BadSpec where it names none, UnknownName where there is no such."""
        name = table.get("name")
        if not isinstance(name, str):
            raise BadSpec(
                f"the {self.kind} table has no name",
                where=where,
                allowed=", ".join(self.names()),
                fix='add name = "..."',
            )
        return self.get(name, where=where)


sources = Family("sources", "Source", "source")
layouts = Family("layouts", "Layout", "layout")
steps = Family("steps", "Step", "step")
representations = Family("representations", "Representation", "representation")
augmentations = Family("augmentations", "Augmentation", "augmentation")
models = Family("models", "Model", "model")
metrics = Family("metrics", "Metric", "metric")
