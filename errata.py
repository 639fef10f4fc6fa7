"""Errata from Python: `import errata; errata.diagnose("val.csv", images="val.zip")`.

Each name is imported on first use, so `import errata` is instant. In the wheel this file is the package `errata` itself
(docs/decisions/package.md).
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.program import VERSION as __version__

if TYPE_CHECKING:
    from core.checks.audit_table import audit_table as audit
    from core.checks.checkpoints.gate import gate
    from core.checks.compare import compare
    from core.checks.fresh import predict_fresh as predict
    from core.checks.questions import ask
    from core.checks.second_model import with_second
    from core.data.tables.lightning_callback import lightning_callback
    from core.data.tables.loss_table import LossTable
    from core.data.tables.roles import Roles
    from core.diagnose import diagnose
    from core.discovery.ensemble import LossRegressor
    from core.discovery.settings import Settings
    from core.errors import Cancelled, DiagnosisError, InvalidInput, MissingDependency
    from core.records import Column, Diagnosis, Section, progress_bar
    from core.reports.html.diagnosis import write_report
    from core.reports.tables.diagnosis import samples_table
    from core.reports.tables.findings import findings_table
    from core.reports.wording.answers import answer_parts, answer_sentence
    from core.reports.wording.findings import sentence
    from core.reports.wording.understood import check
    from core.store import load, save, update
    from core.systems.contract import EncoderKind, ModalityKind, Option, Panel, System
    from webapp import show

__all__ = [
    "Cancelled",
    "Column",
    "Diagnosis",
    "DiagnosisError",
    "EncoderKind",
    "InvalidInput",
    "LossRegressor",
    "LossTable",
    "MissingDependency",
    "ModalityKind",
    "Option",
    "Panel",
    "Roles",
    "Section",
    "Settings",
    "System",
    "__version__",
    "answer_parts",
    "answer_sentence",
    "ask",
    "audit",
    "check",
    "compare",
    "diagnose",
    "findings_table",
    "gate",
    "lightning_callback",
    "load",
    "predict",
    "progress_bar",
    "samples_table",
    "save",
    "sentence",
    "show",
    "update",
    "with_second",
    "write_report",
]

_FROM = {
    "answer_parts": "core.reports.wording.answers:answer_parts",
    "answer_sentence": "core.reports.wording.answers:answer_sentence",
    "ask": "core.checks.questions:ask",
    "audit": "core.checks.audit_table:audit_table",
    "Cancelled": "core.errors:Cancelled",
    "check": "core.reports.wording.understood:check",
    "Column": "core.records:Column",
    "compare": "core.checks.compare:compare",
    "diagnose": "core.diagnose:diagnose",
    "Diagnosis": "core.records:Diagnosis",
    "DiagnosisError": "core.errors:DiagnosisError",
    "EncoderKind": "core.systems.contract:EncoderKind",
    "findings_table": "core.reports.tables.findings:findings_table",
    "gate": "core.checks.checkpoints.gate:gate",
    "InvalidInput": "core.errors:InvalidInput",
    "lightning_callback": "core.data.tables.lightning_callback:lightning_callback",
    "load": "core.store:load",
    "LossRegressor": "core.discovery.ensemble:LossRegressor",
    "LossTable": "core.data.tables.loss_table:LossTable",
    "MissingDependency": "core.errors:MissingDependency",
    "ModalityKind": "core.systems.contract:ModalityKind",
    "Option": "core.systems.contract:Option",
    "Panel": "core.systems.contract:Panel",
    "predict": "core.checks.fresh:predict_fresh",
    "progress_bar": "core.records:progress_bar",
    "Roles": "core.data.tables.roles:Roles",
    "samples_table": "core.reports.tables.diagnosis:samples_table",
    "save": "core.store:save",
    "Section": "core.records:Section",
    "sentence": "core.reports.wording.findings:sentence",
    "Settings": "core.discovery.settings:Settings",
    "show": "webapp:show",
    "System": "core.systems.contract:System",
    "update": "core.store:update",
    "with_second": "core.checks.second_model:with_second",
    "write_report": "core.reports.html.diagnosis:write_report",
}
"""The source of each name: "module:attribute"."""


def __getattr__(name: str) -> Any:
    if name not in _FROM:
        raise AttributeError(f"errata has no {name!r}. It has: {', '.join(__all__)}.")
    module, _, attribute = _FROM[name].partition(":")
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


def _show_in_notebooks() -> None:
    """Show a diagnosis at the end of a notebook cell as its groups and images."""
    if "IPython" not in sys.modules:
        return
    shell: Any = sys.modules["IPython"].get_ipython()
    if shell is None:
        return

    def show_cell(diagnosis: Diagnosis) -> str:
        return import_module("core.reports.html.notebook").notebook_html(diagnosis)

    shell.display_formatter.formatters["text/html"].for_type_by_name("core.records.diagnosis", "Diagnosis", show_cell)


_show_in_notebooks()
