"""What an assistant gives a tool: arguments that fit the schema, and files as text, base64, or an upload's path."""

from __future__ import annotations

import base64
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from core.errors import InvalidInput
from webapp.server.arguments import is_upload
from webapp.server.routes import FILE

MAX_SHOWN = 80
"""Letters of a wrong argument in a message."""
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
"""Python's types of JSON's."""
FORMATS = ((b"PK\x03\x04", ".zip"), (b"PAR1", ".parquet"), (b"\x93NUMPY", ".npy"), (b"\x1f\x8b", ".tar.gz"))
"""First bytes of files, and their suffixes."""
MIN_LINE = 60
"""Letters in a line of base64, which is shorter than a usual one (64 or 76) and longer than most lines of a table."""
TAR_MARK = slice(257, 262)
"""Where a tar archive says that it is one."""


def describe(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return a docstring's text before "Args:" as one paragraph, and the description of each argument there."""
    text, _, rest = (inspect.getdoc(function) or "").partition("\n\nArgs:\n")
    block = re.split(r"\n(?=\S)", rest)[0]
    arguments = dict[str, str]()
    for entry in re.split(r"\n(?=\w)", textwrap.dedent(block)):
        names, _, description = entry.partition(":")
        for name in names.split(", "):
            arguments[name] = " ".join(description.split())
    return " ".join(text.split()), arguments


def check_arguments(tool: str, schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Raise InvalidInput for an argument that is missing, unknown, or of another type."""
    known = schema["properties"]
    for name in arguments:
        if name not in known:
            takes = ", ".join(known) or "no arguments"
            raise InvalidInput(f"{tool} takes {takes}: got {name[:MAX_SHOWN]!r}. Use one of these names.")
    for name in schema["required"]:
        if name not in arguments:
            raise InvalidInput(f"{tool} needs `{name}`: got {', '.join(arguments) or 'no arguments'}. Add it.")
    for name, value in arguments.items():
        _check_value(f"`{name}`", known[name], value)


def _check_value(name: str, schema: Mapping[str, Any], value: Any) -> None:
    """Check a value against the parts of JSON schema that Gradio writes for our endpoints."""
    choices = [part for key in ("oneOf", "anyOf") for part in schema.get(key, ())]
    named = [str(part.get("type")) for part in (schema, *choices)]
    kinds = [kind for kind in named if kind in TYPES]
    fits = any(isinstance(value, TYPES[kind]) for kind in kinds) or not kinds
    if isinstance(value, bool) and kinds and "boolean" not in kinds:
        fits = False
    if not fits:
        raise InvalidInput(f"{name} must be of type {' or '.join(kinds)}: got {_brief(value)}. Fix it.")
    if isinstance(value, list) and "items" in schema:
        for each in value:
            _check_value(f"Each value of {name}", schema["items"], each)


def write_file(name: str, value: str, folder: Path, uploads: str) -> Path:
    """Return the file of a file argument: an upload's own, or a new one in the folder with what the value holds.

    Args:
        name: the argument.
        value: the text of a table; base64, with or without "data:...;base64,"; or the path of an upload, as the server
            gave it, also at the end of this server's address. No other address and no other path is looked at.
        uploads: the address for uploads, for the message.

    Raises:
        InvalidInput: it is none of these.
    """
    path = value.strip()
    if FILE in path:
        path = unquote(path.partition(FILE)[2])
    if is_upload(path):
        return Path(path)
    content = _decoded(path)
    if content is None and "\n" in value and not path.startswith("data:"):
        content = value.encode("utf-8", "replace")
    if content is None:
        raise InvalidInput(
            f"`{name}` must be the text of a table, base64, or the path of an upload: got {_brief(value)}. "
            f"Upload a file with `curl -F files=@FILE {uploads}` and use the path that it returns."
        )
    file = folder / f"{name}{_suffix(name, content)}"
    file.write_bytes(content)
    return file


def _decoded(text: str) -> bytes | None:
    """Return what a text holds in base64, or None."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    if "\n" in text[:MIN_LINE]:
        return None
    try:
        return base64.b64decode("".join(text.split()), validate=True) or None
    except ValueError:
        return None


def _suffix(name: str, content: bytes) -> str:
    """Return the suffix by which a reader knows the format."""
    for start, suffix in FORMATS:
        if content.startswith(start):
            if (suffix, name) == (".zip", "embeddings"):
                return ".npz"
            return suffix
    if content[TAR_MARK] == b"ustar":
        return ".tar"
    if name == "embeddings":
        return ".safetensors"
    line = content.lstrip().partition(b"\n")[0]
    if line.startswith(b"{"):
        return ".jsonl"
    if line.startswith(b"["):
        return ".json"
    if b"\t" in line and b"," not in line:
        return ".tsv"
    return ".csv"


def _brief(value: Any) -> str:
    text = repr(value)
    if len(text) > MAX_SHOWN:
        return f"{text[:MAX_SHOWN]}…"
    return text
