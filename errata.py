"""Errata from Python: `import errata; errata.diagnose("val.csv", images="val.zip")`.

Each name is imported on first use, so `import errata` is instant. In the wheel this file is the package `errata` itself
(docs/decisions/package.md).
"""

from __future__ import annotations

from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any

from core.program import VERSION as __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec

    from core import figures
    from core.checks.audit_table import audit_table as audit
    from core.checks.fresh import predict_fresh
    from core.checks.questions import ask
    from core.checks.second_model import with_second
    from core.data.frameworks import from_sklearn, from_transformers, from_ultralytics
    from core.data.tables.lightning_callback import lightning_callback
    from core.data.tables.loss_table import LossTable
    from core.data.tables.roles import Roles
    from core.diagnose import diagnose as diagnose_table
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
    from core.results import Finding, Reply, Result
    from core.run import Run, compare, gate
    from core.store import load as load_file, save, update
    from core.systems.contract import EncoderKind, ModalityKind, Option, Panel, System
    from webapp import show

    P = ParamSpec("P")

    def _giving_run(make: Callable[P, Diagnosis]) -> Callable[P, Run]: ...

    diagnose = _giving_run(diagnose_table)
    load = _giving_run(load_file)
    open = load
    predict = _giving_run(predict_fresh)

__all__ = [
    "Cancelled",
    "Column",
    "Diagnosis",
    "DiagnosisError",
    "EncoderKind",
    "Finding",
    "InvalidInput",
    "LossRegressor",
    "LossTable",
    "MissingDependency",
    "ModalityKind",
    "Option",
    "Panel",
    "Reply",
    "Result",
    "Roles",
    "Run",
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
    "figures",
    "findings_table",
    "from_sklearn",
    "from_transformers",
    "from_ultralytics",
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
    "compare": "core.run:compare",
    "diagnose": "core.diagnose:diagnose",
    "Diagnosis": "core.records:Diagnosis",
    "DiagnosisError": "core.errors:DiagnosisError",
    "EncoderKind": "core.systems.contract:EncoderKind",
    "figures": "core.figures",
    "Finding": "core.results:Finding",
    "findings_table": "core.reports.tables.findings:findings_table",
    "from_sklearn": "core.data.frameworks:from_sklearn",
    "from_transformers": "core.data.frameworks:from_transformers",
    "from_ultralytics": "core.data.frameworks:from_ultralytics",
    "gate": "core.run:gate",
    "InvalidInput": "core.errors:InvalidInput",
    "lightning_callback": "core.data.tables.lightning_callback:lightning_callback",
    "load": "core.store:load",
    "LossRegressor": "core.discovery.ensemble:LossRegressor",
    "LossTable": "core.data.tables.loss_table:LossTable",
    "MissingDependency": "core.errors:MissingDependency",
    "ModalityKind": "core.systems.contract:ModalityKind",
    "open": "core.store:load",
    "Option": "core.systems.contract:Option",
    "Panel": "core.systems.contract:Panel",
    "predict": "core.checks.fresh:predict_fresh",
    "progress_bar": "core.records:progress_bar",
    "Reply": "core.results:Reply",
    "Result": "core.results:Result",
    "Roles": "core.data.tables.roles:Roles",
    "Run": "core.run:Run",
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
"""The source of each name: "module:attribute", or a module."""


def __getattr__(name: str) -> Any:
    if name not in _FROM:
        raise AttributeError(f"errata has no {name!r}. It has: {', '.join(__all__)}.")
    module, _, attribute = _FROM[name].partition(":")
    value: Any = import_module(module)
    if attribute:
        value = getattr(value, attribute)
    if isinstance(value, FunctionType) and module != "core.run":
        value = import_module("core.run").answering(value)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
