"""The command line: what can be asked for, and the exit codes. Each command stands with its options in the module that
MODULES names, or that a system names (`core.extensions`).

Only Click and light files are imported here and by those modules, so that --help answers at once.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence

import click
from click.shell_completion import shell_complete

from core import extensions
from core.cli.command import EXIT_CODES, LazyGroup
from core.cli.signals import StoppedBySignal, stopped_by_signals
from core.cli.terminal import say
from core.errors import Cancelled, DiagnosisError
from core.program import VERSION, missing_dependency

MODULES = {
    "diagnose": "core.cli.diagnose",
    "check": "core.cli.check",
    "assign": "core.cli.diagnose",
    "export": "core.cli.diagnose",
    "ask": "core.cli.words",
    "audit": "core.cli.words",
    "explain": "core.cli.explain",
    "predict": "core.cli.words",
    "phrases": "core.cli.words",
    "follow": "core.cli.follow",
    "gate": "core.cli.gate",
    "competence": "core.cli.competence",
    "compare": "core.cli.compare",
    "encoders": "core.cli.diagnose",
    "serve": "core.cli.serve",
}
TITLE = "Errata: where does a model fail, why, and how sure is that?"
COMMANDS = LazyGroup("core", MODULES, TITLE, more=extensions.commands, epilog=EXIT_CODES)
click.version_option(VERSION, prog_name="errata", message="%(prog)s %(version)s")(COMMANDS)

COMPLETE = "_ERRATA_COMPLETE"
"""The environment variable by which a shell asks what may follow what was typed (docs/package.md)."""
_CANNOT_WRITE = (errno.ENOSPC, errno.EIO, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. A `DiagnosisError` becomes its message on stderr; other exceptions are
    faults and show."""
    if arguments is None and (asked := os.environ.get(COMPLETE)):
        return shell_complete(COMMANDS, {}, "errata", COMPLETE, asked)
    given = sys.argv[1:] if arguments is None else list(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As stderr does: what this terminal's encoding lacks, a true minus or a name, is written as its code, not lost.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with stopped_by_signals(), COMMANDS.make_context("python -m core", given) as context:
            COMMANDS.invoke(context)
            sys.stdout.flush()  # what cannot be written shows here
    except click.exceptions.Exit as told:  # --help
        return told.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except StoppedBySignal as stop:
        say(f"\nStopped by {stop}.", file=sys.stderr)
        return stop.exit_code
    except KeyboardInterrupt:
        say("\nStopped.", file=sys.stderr)
        return Cancelled.exit_code
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        sys.stderr.close()
        return 0
    except (DiagnosisError, ModuleNotFoundError, OSError) as error:
        return _refused(error, given[0] if given else "")
    return 0


def _refused(error: DiagnosisError | ModuleNotFoundError | OSError, asked: str) -> int:
    """Say what the user can mend of what the command `asked` met, and return its exit code; anything else is raised
    again."""
    told: DiagnosisError | None = None
    if isinstance(error, DiagnosisError):
        told = error
    elif isinstance(error, ModuleNotFoundError):
        told = missing_dependency(error, name=asked)
    elif error.errno in _CANNOT_WRITE:
        from core.files import cannot_write  # numpy

        told = cannot_write("What was to be written could not be", error, "See to the disk and run it again.")
    if told is None:
        raise error
    say(f"errata: {told}", file=sys.stderr)
    return told.exit_code
