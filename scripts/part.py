"""Run one part of the tests; what fails runs once more, each test alone in a fresh process.

    python -m scripts.part NAME PYTEST_ARGUMENTS...

A test that passes alone is flaky: it is reported and does not fail the part. More than `MAX_RETRIED` failures have one
cause and are not retried; nor is what is no failing test, such as a file that cannot be imported.

ERRATA_FAILED and ERRATA_FLAKY name files to which failing and flaky tests are appended, ERRATA_COUNTS one to which the
part appends its numbers of tests that passed and failed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import NamedTuple

MAX_RETRIED = 8
TESTS_FAILED = 1
"""The exit status of pytest for failing tests; 2 to 5 say that it could not run them."""
ALONE_S = 900
"""Time limit of one test alone."""


class Counts(NamedTuple):
    """Numbers of tests in a report of pytest's; a test counts as failed if its set-up or tear-down did."""

    passed: int
    failed: int
    skipped: int


def run_pytest(*arguments: str, limit_s: float | None = None) -> int:
    """Run pytest and return its exit status."""
    try:
        return subprocess.run([sys.executable, "-m", "pytest", *arguments], timeout=limit_s, check=False).returncode
    except subprocess.TimeoutExpired:
        return TESTS_FAILED


def count(report: Path) -> Counts:
    """Read the counts of a report in JUnit's format; a missing one counts as nothing."""
    if not report.is_file():
        return Counts(0, 0, 0)
    suite = next(ET.parse(report).iter("testsuite"))
    tests, skipped, failures, errors = (int(suite.get(key, "0")) for key in ("tests", "skipped", "failures", "errors"))
    return Counts(tests - skipped - failures - errors, failures + errors, skipped)


def passes_alone(test: str, folder: Path) -> bool:
    """Whether the test ran alone and passed; one that is skipped has not passed."""
    report = folder / "alone.xml"
    report.unlink(missing_ok=True)
    (folder / "alone").write_text(test + "\n", "utf-8")  # a file, since ids of parameters may hold what a shell reads
    status = run_pytest(
        "-p", "no:cacheprovider", "-n", "0", "--junit-xml", str(report), f"@{folder / 'alone'}", limit_s=ALONE_S
    )
    counts = count(report)
    return status == 0 and counts.passed > 0 and not counts.failed and not counts.skipped


def append(variable: str, line: str) -> None:
    """Append a line to the file that a variable of the environment names, if it does."""
    if path := os.environ.get(variable):
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")


def run(name: str, arguments: list[str]) -> int:
    """Run the part and return its exit status, 0 if every failing test passes alone."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        report = folder / "all.xml"
        status = run_pytest("-o", f"cache_dir={folder / 'cache'}", "--junit-xml", str(report), *arguments)
        noted = folder / "cache/v/cache/lastfailed"
        failed = list[str]()
        if noted.is_file():  # it also names tests whose worker crashed
            failed = sorted(json.loads(noted.read_text("utf-8")))
        flaky = list[str]()
        retried = status == TESTS_FAILED and len(failed) <= MAX_RETRIED and all("::" in test for test in failed)
        if retried:
            print(f"\n{len(failed)} failed in {name}; each runs once more, alone.", flush=True)
            flaky = [test for test in failed if passes_alone(test, folder)]
        counts = count(report)
    real = [test for test in failed if test not in flaky]
    append("ERRATA_COUNTS", f"{counts.passed + len(flaky)} {max(counts.failed - len(flaky), len(real))}")
    for test in flaky:
        append("ERRATA_FLAKY", f"{time.strftime('%F %T')} {name}: {test}")
    for test in real:
        append("ERRATA_FAILED", f"{name}: scripts/test '{test}'")
    if status and not failed:
        append("ERRATA_FAILED", f"{name}: pytest ended with {status}")
    if retried and not real and failed:
        return 0
    return status


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
