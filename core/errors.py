"""The errors that a user can mend, as a tree:

    DiagnosisError
    ├── InvalidInput        what was brought breaks a rule      (exit code 2)
    ├── MissingDependency   an optional package is not there    (exit code 3)
    └── Cancelled           the user stopped the run            (exit code 130)

A message names the thing, the rule, the value and the next step. Any other exception is a fault of ours and reaches the
log.
"""

from __future__ import annotations


class DiagnosisError(Exception):
    """Base of every error whose message is written for the user."""

    exit_code = 1


class InvalidInput(DiagnosisError):
    """What the user brought breaks a rule that the message names."""

    exit_code = 2


class MissingDependency(DiagnosisError):
    """A package that this step needs is not installed; the message holds the install line."""

    exit_code = 3


class Cancelled(DiagnosisError):
    """The user stopped the run."""

    exit_code = 130
