"""A click group whose commands are modules, imported when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

import click


class Verbs(click.Group):
    """A group of `verbs`, in the order of its help; each is a module of `package`
    (`convert_weights` of "convert-weights") with a click command named `command`."""

    def __init__(self, *args: Any, package: str, verbs: tuple[str, ...], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._package, self._verbs = package, verbs

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's interface
        """The verbs, in the order of the help."""
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's interface
        """The command of a verb, imported now; None for an unknown verb."""
        if cmd_name not in self._verbs:
            return None
        module = f"{self._package}.{cmd_name.replace('-', '_')}"
        command: click.Command = importlib.import_module(module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve as click does; for an unknown verb the error suggests the nearest one."""
        name = args[0]
        if name not in self._verbs and not name.startswith("-"):
            import difflib

            nearest = difflib.get_close_matches(name, self._verbs, n=1, cutoff=0.5)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
            raise click.UsageError(f"No such command {name!r}{hint}", ctx)
        return super().resolve_command(ctx, args)
