"""Check JSON against a pydantic class; a fault becomes one sentence."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from core.errors import InvalidInput

FormT = TypeVar("FormT")
Count = Annotated[int, Field(ge=1)]
MAX_VALUE_LENGTH = 60
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
"""The rule behind each error type of pydantic."""


class Form(BaseModel, allow_inf_nan=False, protected_namespaces=()):
    """The used values of one JSON object; other keys are ignored."""


def read_form(form: type[FormT], document: Any, where: str, instead: str) -> FormT:
    """Check values without conversion: neither true nor "3" is a number. In the outermost object null counts as absent.

    Args:
        form: a `Form`, or a dataclass.
        document: the JSON value.
        where: the file and its role, for the message.
        instead: the next step after a fault, a sentence.

    Raises:
        InvalidInput: names the first value that is missing, of another kind, or out of range.
    """
    if isinstance(document, dict):
        document = {name: value for name, value in document.items() if value is not None}
    try:  # as JSON, since strict mode takes no Python list for a tuple
        return TypeAdapter(form).validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
    name = ".".join(map(str, fault["loc"])) or "its content"
    if fault["type"] == "missing":
        raise InvalidInput(f"{where} has no {name}. {instead}")
    if fault["type"] == "value_error":  # a rule over several values
        raise InvalidInput(f"{where}: {fault['msg'].removeprefix('Value error, ')}. {instead}")
    bounds: dict[str, Any] = {}
    for bound_name, bound in fault.get("ctx", {}).items():
        bounds[bound_name] = bound
        if isinstance(bound, float):
            bounds[bound_name] = f"{bound:g}"
        elif isinstance(bound, int):
            bounds[bound_name] = f"{bound:,}"
    rule = _RULES.get(fault["type"], fault["msg"]).format_map(bounds)
    raise InvalidInput(f"{where}: {name} must be {rule}: got {str(fault['input'])[:MAX_VALUE_LENGTH]!r}. {instead}")
