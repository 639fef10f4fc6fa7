"""`python -m core`: the command line."""

import _signal  # pyright: ignore[reportMissingImports] - signal itself takes a while to import
import sys


def run() -> int:
    """Run the command of this process's arguments and return its exit code; 3 without Click, for example in another
    Python than the one of the installation."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        # before a command begins there is nothing to clean up: Ctrl-C ends the process at once, without a traceback
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    try:
        from core.cli.main import main
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "click":
            raise
        print(
            f"errata: {sys.executable} lacks a recent click. Use the Python of the installation: after scripts/install "
            "that is .venv/bin/python in the top folder of the repository.",
            file=sys.stderr,
        )
        return 3
    return main()


if __name__ == "__main__":
    sys.exit(run())
