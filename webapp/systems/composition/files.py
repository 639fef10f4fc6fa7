"""Downloads of a result of composition."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from core.files import write_json, write_text
from core.systems.composition.records import CompositionComparison
from webapp.state.downloads import fresh_folder
from webapp.systems.composition.items import items_csv
from webapp.systems.composition.visit import ComposeState

FILES = (("html", "Report (HTML)"), ("json", "Results (JSON)"), ("csv", "Items (CSV)"))


def on_files(state: ComposeState) -> Iterator[list[Any]]:
    """Write the files of the open results; yields updates of the download buttons."""
    yield [gr.update(interactive=False)] * len(FILES)
    if state.results:
        yield [gr.update(value=str(path), interactive=True) for path in write_files(state)]


def compared(state: ComposeState) -> CompositionComparison | None:
    """The paired comparison of two models; None with one."""
    if len(state.results) < 2:
        return None
    from core.systems.composition.scoring.compare import compare_results

    return compare_results(*state.results[:2])


def write_files(state: ComposeState) -> list[Path]:
    """Write the report, composition.json and items.csv to a new folder; the table shows the first result."""
    from core.systems.composition.reports.html import render_composition_report  # the template engine

    assert state.loaded is not None
    benchmark = state.loaded.benchmark
    folder = fresh_folder("composed")
    report = render_composition_report(
        state.results,
        benchmark,
        store=state.loaded.store,
        comparison=compared(state),
        regression=state.forgetting,
        curve=state.curve,
    )
    write_text(folder / "report.html", report)
    write_json(folder / "composition.json", results_document(state))
    (folder / "items.csv").write_bytes(items_csv(state.results[0], benchmark))
    return [folder / "report.html", folder / "composition.json", folder / "items.csv"]


def results_document(state: ComposeState) -> dict[str, Any]:
    """The results as JSON values, with the paired comparison of two."""
    from core.records.codec import to_json
    from core.systems.composition.reports.tables import comparison_document, result_document  # pandas

    document: dict[str, Any] = {"results": [result_document(r) for r in state.results]}
    comparison = compared(state)
    if comparison is not None:
        document["comparison"] = comparison_document(comparison)
    return to_json(document)
