"""The command line and its exit codes. Each command is defined with its options in the module that MODULES or a system
(`core.extensions`) names.

Only Click and light files are imported here and by those modules, so --help is fast.
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
TITLE = "Errata: find where a model fails, why, and with what confidence."
COMMANDS = LazyGroup("core", MODULES, TITLE, more=extensions.commands, epilog=EXIT_CODES)
click.version_option(VERSION, prog_name="errata", message="%(prog)s %(version)s")(COMMANDS)

COMPLETE = "_ERRATA_COMPLETE"
"""The environment variable by which a shell asks for completions (docs/package.md)."""
_CANNOT_WRITE = (errno.ENOSPC, errno.EIO, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. A `DiagnosisError` prints its message to stderr; any other exception is
    a bug and propagates."""
    if arguments is None:
        completion = os.environ.get(COMPLETE)
        if completion:
            return shell_complete(COMMANDS, {}, "errata", COMPLETE, completion)
        arguments = sys.argv[1:]
    words = list(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # as stderr does: characters that this terminal's encoding lacks are written as codes, not lost
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with stopped_by_signals(), COMMANDS.make_context("python -m core", words) as context:
            COMMANDS.invoke(context)
            sys.stdout.flush()  # a failed write raises here
    except click.exceptions.Exit as stop:  # --help
        return stop.exit_code
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
        reported: DiagnosisError | None = None
        if isinstance(error, DiagnosisError):
            reported = error
        elif isinstance(error, ModuleNotFoundError):
            reported = missing_dependency(error, name=words[0] if words else "")
        elif error.errno in _CANNOT_WRITE:
            from core.files import cannot_write  # numpy

            reported = cannot_write("Cannot write the output", error, "Check the disk and run the command again.")
        if reported is None:  # a bug
            raise
        say(f"errata: {reported}", file=sys.stderr)
        return reported.exit_code
    return 0
