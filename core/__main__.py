"""`python -m core`: the command line."""

import sys


def run() -> int:
    """Run the command of this process's arguments and return its exit code; 3 where even Click is not installed, as in
    a Python beside the one that Errata was installed for."""
    try:
        from core.cli.main import main
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "click":
            raise
        print(
            f"errata: {sys.executable} has no package click, or one too old. Use the Python that Errata was installed "
            "for: after scripts/install that is .venv/bin/python, in the top folder of the repository.",
            file=sys.stderr,
        )
        return 3
    return main()


if __name__ == "__main__":
    sys.exit(run())
