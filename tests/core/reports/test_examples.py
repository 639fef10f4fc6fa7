"""What the shipped examples say in the terminal, in the report and on the page, held whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from core.files import ASSETS
from core.records import Diagnosis
from core.reports.html.diagnosis import render_report
from core.reports.terminal import text_summary
from core.store import load
from tests.support.page import Page
from webapp.explore.cards import cluster_list

EXAMPLES = sorted(folder.parent.name for folder in (ASSETS / "examples").glob("*/run.errata"))


@cache
def example(name: str) -> Diagnosis:
    return load(ASSETS / "examples" / name / "run.errata")


def lines_of(name: str, markup: str) -> list[str]:
    """The lines of a page without those of single samples."""
    ids = example(name).samples.ids
    return [line for line in Page(markup).lines if not any(sample in line for sample in ids)]


def test_what_the_terminal_says_of_each_example(golden: Callable[..., None]) -> None:
    assert len(EXAMPLES) == 6
    golden("examples_terminal.txt", {name: text_summary(example(name)).splitlines() for name in EXAMPLES})


@pytest.mark.slow
def test_what_the_report_says_of_each_example(golden: Callable[..., None]) -> None:
    golden("examples_report.txt", {name: lines_of(name, render_report(example(name))) for name in EXAMPLES})


def test_what_the_page_says_of_each_example(golden: Callable[..., None]) -> None:
    golden("examples_page.txt", {name: lines_of(name, str(cluster_list(example(name)))) for name in EXAMPLES})
