"""Generate docs/api.md from the signatures and docstrings of `import errata`: `python -m scripts.api`."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import errata

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
SECTIONS = {
    "Diagnose a table": "check diagnose Settings Roles progress_bar",
    "Read and keep the result": (
        "Run Finding Reply Result Diagnosis ask answer_parts answer_sentence audit sentence show write_report save "
        "load update"
    ),
    "Draw it": "figures",
    "Compare, predict, gate": "with_second compare predict gate",
    "Tables in and out": (
        "LossTable lightning_callback from_ultralytics from_transformers from_sklearn findings_table samples_table"
    ),
    "The estimator": "LossRegressor",
    "Add a system": "System Section Panel Option EncoderKind ModalityKind Column",
    "Errors": "DiagnosisError InvalidInput MissingDependency Cancelled",
}
"""The public names, in a newcomer's order."""
METHODS = {
    "Run": "to_frame ask predict compare gate report save show",
    "Finding": "images",
    "Result": "to_frame report",
    "Diagnosis": "cluster_of",
    "LossTable": "record to_pandas save",
    "LossRegressor": "fit predict",
    "figures": "map intervals confusion loss_histogram reliability compare checkpoints shots selected browse",
}
"""Methods that users call, the others are internal; of a module its functions."""
RECORDS = {
    "core.records": (
        "Estimate FailureCluster ClassFinding Insight LossEstimate Predictability SampleSet Outcomes Embeddings "
        "Prediction PredictionRow Comparison FourWay"
    ),
    "core.checks.answers": "Answer",
    "core.checks.audit_table": "AuditCell",
    "core.checks.checkpoints.gate": "Gate",
}
"""Records of results, by module: not public names, but programs read their fields."""
INTRO = """\
# From Python

Generated from the docstrings by `python -m scripts.api`. First steps: [the notebook](quickstart.ipynb); installation
and missing packages: [package](package.md).

```python
import errata

diagnosis = errata.diagnose("val.csv", images="val.zip")
errata.findings_table(diagnosis)
```

Each name is imported on first use. `errata.__version__` is the version. Arrays: `F32`, `F64`, `I64`
and `Bool` are numpy's of float32, float64, int64 and bool; n samples, d dimensions, k classes. `TableLike` is a
path, a DataFrame, a dict of columns, or a table of Arrow, polars or Hugging Face datasets; `Progress` a function
(step, done, total); `Measure` "error rate" or "mean loss". `core` here is `errata.core` once installed.
"""
_TITLE = re.compile(r"^(Args|Returns|Raises|Example|Source):\n", re.M)
_ENTRY = re.compile(r"([\w, ]+): (.*)", re.S)


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring in its parts; split by `parse`."""

    text: str = ""
    """The text before the first title."""
    parts: dict[str, str] = field(default_factory=dict[str, str])
    """Dedented body by title."""

    def entries(self, title: str) -> dict[str, str]:
        """Return descriptions by name, in one line each; "a, b: ..." stays one entry."""
        descriptions = dict[str, str]()
        name = ""
        for line in self.parts.get(title, "").splitlines():
            match = _ENTRY.fullmatch(line)
            if match and not line.startswith(" "):
                name = match[1]
                descriptions[name] = match[2]
            elif descriptions and line.strip():
                descriptions[name] += f" {line.strip()}"
        return descriptions


def parse(text: str | None) -> Docstring:
    """Split a docstring: paragraphs, then "Args:", "Returns:", "Raises:", "Example:" with their indented bodies."""
    first, *rest = _TITLE.split(inspect.cleandoc(text or "") + "\n")
    pairs = zip(rest[::2], rest[1::2])
    return Docstring(first.strip(), {title: textwrap.dedent(body).strip("\n") for title, body in pairs})


@cache
def notes_of(kind: type) -> dict[str, str]:
    """Map each field of a dataclass, and of those that it extends, to the string after it in the source."""
    notes: dict[str, str] = {}
    for base in kind.__bases__:
        if is_dataclass(base):
            notes |= notes_of(base)
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    for node, after in zip(tree.body, tree.body[1:]):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(after, ast.Expr):
            value = after.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                notes[node.target.id] = inspect.cleandoc(value.value)
    return notes


def methods(name: str) -> list[tuple[str, Callable[..., Any]]]:
    """List the methods of a public class that the page shows."""
    public = getattr(errata, name)
    return [(f"{name}.{method}", getattr(public, method)) for method in METHODS.get(name, "").split()]


def undescribed() -> list[str]:
    """List undocumented arguments of functions and methods, and fields of public classes."""
    missing: list[str] = []
    for name in " ".join(SECTIONS.values()).split():
        public = getattr(errata, name)
        if _is_record(public):
            names = [item.name for item in fields(public)]  # type: ignore[arg-type]
            missing += [f"{name}.{item}" for item in names if item not in notes_of(public)]
        functions = methods(name)
        if not is_dataclass(public) and not _is_error(public) and not inspect.ismodule(public):
            functions.append((name, public))
        for title, function in functions:
            documented = set(", ".join(parse(function.__doc__).entries("Args")).split(", ")) - {""}
            parameters = set(inspect.signature(function).parameters) - {"self"}
            missing += [f"{title}({parameter})" for parameter in sorted(parameters ^ documented)]
    return missing


def _is_record(public: Any) -> bool:
    """Whether it is a dataclass with fields of its own: a `Run` has those of `Diagnosis`."""
    return is_dataclass(public) and "__dataclass_fields__" in vars(public)


def _is_error(public: Any) -> bool:
    return isinstance(public, type) and issubclass(public, Exception)


def page() -> str:
    """Build the whole page."""
    lines = [INTRO]
    for title, names in SECTIONS.items():
        links = ", ".join(f"[{name}](#errata{name.lower()})" for name in names.split())
        lines.append(f"- {title}: {links}")
    lines += ["- [What results are made of](#what-results-are-made-of)\n"]
    for title, names in SECTIONS.items():
        lines.append(f"## {title}\n")
        for name in names.split():
            lines += [f"### errata.{name}\n", *_public(name, getattr(errata, name))]
    lines.append("## What results are made of\n")
    lines.append("Records that the names above give and take.\n")
    for module, names in RECORDS.items():
        for name in names.split():
            kind = getattr(import_module(module), name)
            lines += [f"### {name}\n", f"{prose(parse(kind.__doc__).text)}\n", *_fields(kind, defaults=False)]
    return "\n".join(lines).rstrip() + "\n"


def _public(name: str, public: Any) -> Iterator[str]:
    if _is_error(public):
        yield f"{prose(public.__doc__)} The command line's exit code: {public.exit_code}.\n"
        return
    if not is_dataclass(public) and not inspect.ismodule(public):
        yield f"```python\n{signature(name, public)}\n```\n"
    yield from _describe(parse(public.__doc__))
    if is_dataclass(public):
        settings = name not in ("Diagnosis", "Run", "Finding", "Reply", "Result")
        yield from _fields(public, defaults=settings)  # type: ignore[arg-type]
    for title, method in methods(name):
        yield f"#### {title}\n\n```python\n{signature(title.partition('.')[2], method)}\n```\n"
        yield from _describe(parse(method.__doc__))


def _describe(doc: Docstring) -> Iterator[str]:
    yield f"{prose(doc.text)}\n"
    arguments = [f"- `{names.replace(', ', '`, `')}`: {prose(text)}" for names, text in doc.entries("Args").items()]
    if arguments:
        yield "\n".join(arguments) + "\n"
    if "Returns" in doc.parts:
        yield f"Returns: {prose(doc.parts['Returns'])}\n"
    raises = [f"Raises `{name}`: {prose(text)}" for name, text in doc.entries("Raises").items()]
    if raises:
        yield "\n\n".join(raises) + "\n"
    if "Example" in doc.parts:
        example = doc.parts["Example"].replace("  # doctest: +SKIP", "")
        yield f"```python\n{example}\n```\n"


def _fields(kind: type, *, defaults: bool) -> Iterator[str]:
    """Write a line for each field and property of a dataclass."""
    lines: list[str] = []
    for item in fields(kind) if _is_record(kind) else ():  # type: ignore[arg-type]
        value = f" = {item.default!r}" if defaults and item.default is not MISSING else ""
        lines.append(f"- `{item.name}: {item.type}{value}`{_after(notes_of(kind).get(item.name))}")
    for name, value in inspect.getmembers(kind):
        if isinstance(value, property) and not defaults:
            lines.append(f"- `{name}: {value.fget.__annotations__['return']}`{_after(value.__doc__)}")
    yield "\n".join(lines) + "\n"


def _after(text: str | None) -> str:
    return f". {prose(text)}" if text else ""


def signature(name: str, function: Callable[..., Any], width: int = 100) -> str:
    """Format a signature, on one line if it is short enough."""
    source = inspect.signature(function)
    shown: list[str] = []
    for parameter in source.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not any(text.startswith("*") for text in shown):
            shown.append("*")
        if parameter.name != "self":
            stars = {parameter.VAR_KEYWORD: "**", parameter.VAR_POSITIONAL: "*"}.get(parameter.kind, "")
            shown.append(f"{stars}{parameter.name}: {parameter.annotation}{_default(parameter.default)}")
    returned = "" if isinstance(function, type) else f" -> {source.return_annotation}"
    line = f"{name}({', '.join(shown)}){returned}"
    if len(line) <= width:
        return line
    return f"{name}(\n" + "".join(f"    {text},\n" for text in shown) + f"){returned}"


def _default(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return ""
    plain = f"{type(value).__name__}()" if is_dataclass(value) else repr(value)
    return f" = {value.__name__ if inspect.isfunction(value) else plain}"


def prose(text: str | None) -> str:
    """Convert to Markdown: each paragraph on one line, pages as links, and markup outside backquotes escaped."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in (text or "").split("\n\n")]
    parts = "\n\n".join(paragraphs).split("`")
    for at in range(0, len(parts), 2):
        plain = parts[at].replace("<", "&lt;").replace("*", r"\*")
        parts[at] = re.sub(r"docs/((?:\w+/)*[\w-]+\.md)", r"[\1](\1)", plain)
    return "`".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
