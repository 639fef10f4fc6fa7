"""The files of a result of composition that a visitor may take away."""

from __future__ import annotations

import secrets
import shutil
import time
from pathlib import Path
from typing import Any

import gradio as gr

from core.files import write_json, write_text
from webapp.compose.items import items_csv
from webapp.compose.visit import ComposeState
from webapp.state.downloads import temporary_folder

FILES = (("html", "Report (HTML)"), ("json", "Results (JSON)"), ("csv", "Items (CSV)"))
KEPT_S = 24 * 3600


def on_files(composing: ComposeState) -> list[Any]:
    """The files of the open results, ready on their buttons."""
    if not composing.results or composing.pictured is None:
        return [gr.update(interactive=False)] * len(FILES)
    return [gr.update(value=str(path), interactive=True) for path in write_files(composing)]


def write_files(composing: ComposeState) -> list[Path]:
    """The report, composition.json and items.csv in a folder of their own; the table is of the first result."""
    from core.composition.scoring.compare import compare_results
    from core.reports.html.composition import write_composition_report  # the template engine

    assert composing.pictured is not None
    folder = _fresh_folder()
    write_json(folder / "composition.json", results_document(composing))
    write_text(folder / "items.csv", items_csv(composing.results[0], composing.pictured.benchmark))
    comparison = compare_results(*composing.results[:2]) if len(composing.results) > 1 else None
    write_composition_report(
        composing.results,
        composing.pictured.benchmark,
        folder / "report.html",
        store=composing.pictured.store,
        comparison=comparison,
        regression=composing.forgetting,
        curve=composing.curve,
    )
    return [folder / "report.html", folder / "composition.json", folder / "items.csv"]


def _fresh_folder() -> Path:
    """A new unguessable folder; those of a day ago are deleted."""
    home, now = temporary_folder(), time.time()
    for old in home.glob("composed-*"):
        if now - old.stat().st_mtime > KEPT_S:
            shutil.rmtree(old, ignore_errors=True)
    folder = home / f"composed-{secrets.token_urlsafe(16)}"
    folder.mkdir(mode=0o700)
    return folder


def results_document(composing: ComposeState) -> dict[str, Any]:
    """The results, and of two the paired comparison, as JSON values."""
    from core.records.codec import to_json
    from core.reports.tables.composition import result_document  # pandas

    document: dict[str, Any] = {"results": [result_document(r) for r in composing.results]}
    if (comparison := comparison_document(composing)) is not None:
        document["comparison"] = comparison
    return to_json(document)


def comparison_document(composing: ComposeState) -> dict[str, Any] | None:
    """The paired comparison as JSON values; None where there is one model."""
    if len(composing.results) < 2:
        return None
    from core.composition.scoring.compare import compare_results
    from core.reports.tables.composition import comparison_document as document_of

    return document_of(compare_results(*composing.results[:2]))
