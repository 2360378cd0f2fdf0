"""Facts on a family's member from its class: documentation, parameters with defaults, the docstring's first paragraph."""

from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec

from eventbench.errors import BadSpec
from eventbench.registry import Family
from tools.handbook.markdown import code


def shipped_names(family: Family[Any]) -> list[str]:
    """The names of a family's members in this package; those of other installed packages are not part of the pages."""
    return [name for name in family.names() if family.path(name)]


def documented(family: Family[Any]) -> dict[str, Any]:
    """The `about` of every member of a family in this package, by name. Raises BadSpec for a member without one."""
    by_name = {name: getattr(family.get(name), "about", None) for name in shipped_names(family)}
    for name, about in by_name.items():
        if about is None:
            raise BadSpec(
                f"the {family.kind} {name!r} has no documentation",
                where=f"eventbench/{family.folder}/{name}.py",
                fix="give its class an `about`, as the others have it",
            )
    return by_name


def parameters(member: Any) -> str:
    """ "`bins` = 16, `duration_us`": each parameter, with its default where it has one."""
    listed = []
    for field in msgspec.structs.fields(member):
        default = None if field.default is msgspec.NODEFAULT else field.default
        listed.append(code(field.name) if default is None else f"{code(field.name)} = {in_toml(default)}")
    return ", ".join(listed)


def in_toml(value: object) -> str:
    """A value in TOML notation."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float) and value >= 1e7:
        return f"{value:g}"
    return str(value)


def paragraph(member: type) -> str:
    """The first paragraph of the class's docstring."""
    return " ".join((inspect.getdoc(member) or "").partition("\n\n")[0].split())


def headline(summary: str) -> str:
    """A module's first line without the name before the colon: "Crop: the events ..." gives "the events ..."."""
    return re.sub(r"^[^:]{1,40}: ", "", summary)
