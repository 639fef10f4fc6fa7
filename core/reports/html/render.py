"""The template engine of report and page: one set of filters, every text escaped, nothing missing passed over."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from core import numbers
from core.errors import printable
from core.records import Diagnosis, Estimate
from core.reports.wording import findings

TEMPLATES = Path(__file__).parent / "templates"
NUMBERS = ("number", "percent", "interval", "bracketed", "count", "points", "signed", "listed")


@pass_context
def _loss(context: Context, value: float | None) -> str:
    return numbers.number(value, context["digits"])


@pass_context
def _signed_loss(context: Context, value: float | None) -> str:
    return numbers.signed(value, context["digits"])


@pass_context
def _loss_interval(context: Context, estimate: Estimate | None) -> str:
    return numbers.interval(estimate, digits=context["digits"])


def _p_value(p: float | None, bare: bool = False) -> str:
    """With spaces that don't break, so that a cell keeps it on one line."""
    return numbers.p_value(p, bare=bare).replace(" ", "\u00a0")


def _position(share: float) -> str:
    """A share of a length as a style sheet writes it."""
    return f"{100 * share:.1f}%"


FILTERS: Mapping[str, Any] = {
    **{name: getattr(numbers, name) for name in NUMBERS},
    "p_value": _p_value,
    "loss": _loss,
    "signed_loss": _signed_loss,
    "loss_interval": _loss_interval,
    "name_of": findings.name_of,
    "place": _position,
}
"""The numbers' one style (`core.numbers`) under the same names, and what needs the `diagnosis` that is rendered: losses
with the decimals that its spread of the loss asks for."""


@cache
def environment(*folders: Path) -> Environment:
    """The templates of these folders, the report's own after them."""
    templates = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    cast(Any, templates).filters.update(FILTERS)  # jinja2 leaves the type of this dict open
    return templates


def render(template: str, *folders: Path, diagnosis: Diagnosis | None = None, **values: Any) -> Markup:
    """The template filled in: markup whose texts are escaped, control characters and unseen ones as codes.

    Args:
        template: its file's name, looked for in `folders` and then among the report's own.
        diagnosis: what the filters on losses and sentences speak of.
        values: what the template asks for; a name that it asks for and that is not here is an error.
    """
    if diagnosis is not None:
        values |= {"diagnosis": diagnosis, "digits": numbers.digits_for(diagnosis.outcomes.loss)}
    text = environment(*folders).get_template(template).render(values)
    return Markup(printable(text.replace("\r\n", "\n")))
