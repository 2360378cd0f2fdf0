"""The command line, one verb a file. Each file has a click command named `command`, and imports what it needs inside it.

This is the one place where errors become exit statuses: 0 done, 1 done but with a bad result, 2 refused (one line on
stderr), 130 interrupted. A traceback means a bug of eventbench.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from eventbench import __version__
from eventbench.cli._verbs import Verbs
from eventbench.errors import EventbenchError

VERBS = (
    "demo",
    "ls",
    "show",
    "doctor",
    "convert",
    "convert-weights",
    "preprocess",
    "cache",
    "train",
    "submit",
    "compare",
    "verify",
    "site",
    "new",
)


class _Group(Verbs):
    """The group of all verbs. It ends without an error when the process that reads its output has closed the pipe."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb and return its exit status."""
        try:
            status = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:  # as in `eventbench ls | head`; click would exit with 1
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        return status


@click.command(
    cls=_Group,
    package=__name__,
    verbs=VERBS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="eventbench")
def group() -> None:
    """Event-camera recordings to network input, spiking networks with attention, and a leaderboard that recomputes."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command line and exit with its status."""
    # Must be set before torch loads OpenMP: threads that spin while waiting make runs on a busy machine ten times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = group.main(args=arguments or ["--help"], prog_name="eventbench", standalone_mode=False)
    except EventbenchError as error:
        _refuse(str(error))
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "eventbench"
        _refuse(f"{error.format_message().rstrip('.')}; see {path} --help")
    except click.ClickException as error:
        _refuse(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        click.echo(
            "eventbench: interrupted; what was finished is kept, run the same command again to go on",
            err=True,
        )
        sys.exit(130)
    except OSError as error:  # a full disk, a folder without permission: not a bug of eventbench
        _refuse(f"{error.filename or 'the file system'}: {error.strerror or error}")
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _refuse(line: str) -> NoReturn:
    """Print one line on stderr and exit with status 2."""
    click.echo(f"eventbench: {' '.join(line.split())}", err=True)
    sys.exit(2)
