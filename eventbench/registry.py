"""Families: a folder of this package in which each file is one member, named by the file's stem.

`names()` lists the folder without importing anything; `get(name)` imports that one file. The member is
the one class in the file that derives from the family's base class. Other packages add members through the
entry point group `eventbench.<family>`. User files are never run here, only in submission/user_code.py.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from eventbench.errors import BadSpec, EventbenchError, UnknownName
from eventbench.home import PACKAGE

if TYPE_CHECKING:  # a base class may need torch, so it is imported together with the first member
    from eventbench.augmentations.base import Augmentation
    from eventbench.layouts.base import Layout
    from eventbench.metrics.base import Metric
    from eventbench.models.base import Model
    from eventbench.representations.base import Representation
    from eventbench.sources.base import Source
    from eventbench.steps.base import Step
    from eventbench.task_kinds.base import TaskKind
    from eventbench.writers.base import Writer

Member = TypeVar("Member")

# Files of a family that are not members: the base class, a member as a function, optional protocols.
NOT_MEMBERS = ("base", "functional", "protocols")


@functools.cache  # a search of all installed packages takes longer than reading a recording
def _entry_points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


class Family(Generic[Member]):
    """The members of `eventbench/<folder>/`, each a subclass of `<folder>.base.<base>`; `kind` is the word for a member in messages."""

    def __init__(self, folder: str, base: str, kind: str) -> None:
        self.folder, self.base, self.kind = folder, base, kind

    @functools.cache  # noqa: B019  # families live as long as the process; listing a folder is slower than reading a recording
    def _files(self) -> dict[str, Path]:
        return {
            path.stem: path
            for path in sorted((PACKAGE / self.folder).glob("*.py"))
            if path.stem not in NOT_MEMBERS and not path.stem.startswith("_")
        }

    def _entry_points(self) -> dict[str, EntryPoint]:
        return _entry_points(f"eventbench.{self.folder}")

    def names(self) -> list[str]:
        """The names of all members, sorted; nothing is imported."""
        return sorted({*self._files(), *self._entry_points()})

    def summary(self, name: str) -> str:
        """The first line of the member's module docstring, read without importing it."""
        path = self._files().get(name)
        if path is None:
            return "from an installed package" if name in self._entry_points() else ""
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        return doc.partition("\n")[0]

    def path(self, name: str) -> Path | None:
        """The file of a member in this package; None for members from other packages."""
        return self._files().get(name)

    def name_of(self, member: type[Any]) -> str:
        """The name of a member's class; where it is none of the family's, its path in Python."""
        names = (name for name in self.names() if self.get(name) is member)
        return next(names, f"{member.__module__}.{member.__qualname__}")

    def get(self, name: str, *, where: object = "") -> type[Member]:
        """The member's class. Raises UnknownName, with the most similar name, if there is none."""
        if name in self._files():
            return self._imported(name)
        if name in self._entry_points():
            loaded: type[Member] = self._entry_points()[name].load()
            return loaded
        raise UnknownName(self.kind, name, self.names(), where=where)

    @functools.cache  # noqa: B019  # families live as long as the process
    def _imported(self, name: str) -> type[Member]:
        module = importlib.import_module(f"eventbench.{self.folder}.{name}")
        base: type[Member] = getattr(importlib.import_module(f"eventbench.{self.folder}.base"), self.base)
        members = [
            value
            for value in vars(module).values()
            if inspect.isclass(value) and issubclass(value, base) and value.__module__ == module.__name__
        ]
        if len(members) != 1:
            raise EventbenchError(
                f"{len(members)} classes derive from {self.base}", where=module.__name__, allowed="one"
            )
        return members[0]

    def class_of(self, table: Mapping[str, Any], *, where: object) -> type[Member]:
        """The class of the member that a TOML table names. Raises BadSpec if `name` is missing, UnknownName if it is unknown."""
        name = table.get("name")
        if not isinstance(name, str):
            raise BadSpec(
                f"the {self.kind} table has no name",
                where=where,
                allowed=", ".join(self.names()),
                fix='add name = "..."',
            )
        return self.get(name, where=where)

    def build(self, table: Mapping[str, Any], *, where: object) -> Member:
        """A member made from a TOML table `{name = "...", parameter = value, ...}`.

        Raises BadSpec if a parameter is unknown, missing or not allowed, and the errors of `class_of`.
        """
        import msgspec

        from eventbench.specs.base import explain

        member = self.class_of(table, where=where)
        parameters = {key: value for key, value in table.items() if key != "name"}
        table_name = f"{where} [{self.kind} {table['name']}]"
        try:
            return msgspec.convert(parameters, type=member)
        except msgspec.ValidationError as error:
            raise BadSpec(explain(error, member), where=table_name) from None
        except EventbenchError as error:
            raise error.as_kind(BadSpec, where=table_name) from None


sources: Family[Source] = Family("sources", "Source", "source")
layouts: Family[Layout] = Family("layouts", "Layout", "layout")
writers: Family[Writer] = Family("writers", "Writer", "writer")
steps: Family[Step] = Family("steps", "Step", "step")
representations: Family[Representation] = Family("representations", "Representation", "representation")
augmentations: Family[Augmentation] = Family("augmentations", "Augmentation", "augmentation")
models: Family[Model] = Family("models", "Model", "model")
metrics: Family[Metric] = Family("metrics", "Metric", "metric")
task_kinds: Family[TaskKind] = Family("task_kinds", "TaskKind", "kind of task")
