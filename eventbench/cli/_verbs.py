"""A group of verbs, each a file that is imported when its verb is asked for."""

from __future__ import annotations

import importlib
from typing import Any

import click


class Verbs(click.Group):
    """`verbs` in the order of the help; each is a module of `package` with a click command named `command`."""

    def __init__(self, *args: Any, package: str, verbs: tuple[str, ...], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._package, self._verbs = package, verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._verbs:
            return None
        found: click.Command = importlib.import_module(f"{self._package}.{cmd_name}").command
        return found
