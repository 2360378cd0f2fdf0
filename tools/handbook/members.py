"""What a member's class says of itself: its parameters with their defaults, its first paragraph."""

from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec

from tools.handbook.markdown import code


def parameters(member: Any) -> str:
    """ "`bins` = 16, `duration_us`": each parameter, with its default where it has one."""
    told = []
    for field in msgspec.structs.fields(member):
        default = None if field.default is msgspec.NODEFAULT else field.default
        told.append(code(field.name) if default is None else f"{code(field.name)} = {shown(default)}")
    return ", ".join(told)


def shown(value: object) -> str:
    """A value as TOML has it."""
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
    """The sentence of a module's first line after its name: "Crop: the events ..." gives "the events ..."."""
    return re.sub(r"^[^:]{1,40}: ", "", summary)
