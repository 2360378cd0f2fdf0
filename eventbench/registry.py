"""Families: a folder of this package in which each file is one member, named by the file's stem.

`names()` lists the folder without importing anything; `get(name)` imports that one file. The member is
the one class in the file that derives from the family's base class. Other packages join through the entry
point group `eventbench.<family>`; `some/file.py:ClassName` names a class in a file of the user's own.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from eventbench.errors import BadSpec, EventbenchError, UnknownName
from eventbench.home import PACKAGE


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
            if path.stem != "base" and not path.stem.startswith("_")
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


def class_in_file(path: Path, name: str) -> type:
    """The class `name` of the Python file `path` (the `my_model.py:MyNet` form).

    Raises EventbenchError when the file is missing, does not run, or has no such class.
    """
    if not path.is_file():
        raise EventbenchError("no such file", where=path, fix="name it relative to the submission")
    spec = importlib.util.spec_from_file_location(f"eventbench_guest_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickling look the module up by name
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise EventbenchError(
            f"the file does not run: {type(error).__name__}: {error}", where=path
        ) from error
    found = getattr(module, name, None)
    if not inspect.isclass(found):
        classes = [k for k, v in vars(module).items() if inspect.isclass(v)]
        raise UnknownName("class", name, classes, where=path)
    return found


sources = Family("sources", "Source", "source")
layouts = Family("layouts", "Layout", "layout")
steps = Family("steps", "Step", "step")
representations = Family("representations", "Representation", "representation")
augmentations = Family("augmentations", "Augmentation", "augmentation")
models = Family("models", "Model", "model")
metrics = Family("metrics", "Metric", "metric")
