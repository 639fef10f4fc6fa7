"""What JSON must hold, as a class says it that pydantic reads; a fault becomes one sentence."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from core.errors import InvalidInput

FormT = TypeVar("FormT")
Count = Annotated[int, Field(ge=1)]
MAX_SHOWN = 60
"""Characters of a value in a message."""
_RULES = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dataclass_type": "an object",
    "list_type": "a list",
    "tuple_type": "a list",
    "frozen_set_type": "a list",
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
}
"""What pydantic's kinds of fault ask for."""


class Form(BaseModel, allow_inf_nan=False, protected_namespaces=()):
    """The values of one JSON object that are used; other keys are left alone."""


def read_form(form: type[FormT], given: Any, where: str, instead: str) -> FormT:
    """The values, checked. Nothing is converted: neither true nor "3" is a number. In the outermost object null counts
    as absent.

    Args:
        form: a `Form`, or a dataclass.
        given: what JSON held.
        where: the file and what it belongs to, for the message.
        instead: what to do about a fault, a sentence.

    Raises:
        InvalidInput: a value is missing, of another kind, or out of range; the first such fault is named.
    """
    if isinstance(given, dict):
        given = {name: value for name, value in given.items() if value is not None}
    try:
        return TypeAdapter(form).validate_json(json.dumps(given), strict=True)  # of Python's lists none is a tuple
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
    name = ".".join(map(str, fault["loc"])) or "its content"
    if fault["type"] == "missing":
        raise InvalidInput(f"{where} has no {name}. {instead}")
    if fault["type"] == "value_error":  # a rule over several values
        raise InvalidInput(f"{where}: {fault['msg'].removeprefix('Value error, ')}. {instead}")
    bounds = {
        name: f"{bound:g}" if isinstance(bound, float) else f"{bound:,}" if isinstance(bound, int) else bound
        for name, bound in fault.get("ctx", {}).items()
    }
    rule = _RULES.get(fault["type"], fault["msg"]).format_map(bounds)
    raise InvalidInput(f"{where}: {name} must be {rule}: got {str(fault['input'])[:MAX_SHOWN]!r}. {instead}")
