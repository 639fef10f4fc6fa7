"""docs/api.md, made from the signatures and docstrings of `import errata`: `python -m scripts.api`."""

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
        "Diagnosis ask answer_parts answer_sentence audit sentence show write_report save load update"
    ),
    "Compare, predict, gate": "with_second compare predict gate",
    "Tables in and out": "LossTable lightning_callback findings_table samples_table",
    "The estimator": "LossRegressor",
    "Add a system": "System Section Panel Option EncoderKind ModalityKind Column",
    "Errors": "DiagnosisError InvalidInput MissingDependency Cancelled",
}
"""The public names, in a newcomer's order."""
METHODS = {"Diagnosis": "cluster_of", "LossTable": "record to_pandas save", "LossRegressor": "fit predict"}
"""Those that users call; the others are the library's own."""
RECORDS = {
    "core.records": (
        "Estimate FailureCluster ClassFinding Insight LossEstimate Predictability SampleSet Outcomes Embeddings "
        "Prediction PredictionRow Comparison FourWay"
    ),
    "core.checks.answers": "Answer",
    "core.checks.audit_table": "AuditCell",
    "core.checks.checkpoints.gate": "Gate",
}
"""What results are made of, by module: no public names, but their fields are what a program reads."""
INTRO = """\
# From Python

Made from the docstrings by `python -m scripts.api`; a test compares. First steps: [the notebook](quickstart.ipynb);
how to install, and where a package is missing: [package](package.md).

```python
import errata

found = errata.diagnose("val.csv", images="val.zip")
errata.findings_table(found)
```

Each name is imported when it is first asked for. `errata.__version__` is the version. Arrays: `F32`, `F64`, `I64`
and `Bool` are numpy's of float32, float64, int64 and bool; n samples, d dimensions, k classes. `TableLike` is a
path, a DataFrame, a dict of columns, or a table of Arrow, polars or Hugging Face datasets; `Progress` a function
(step, done, total); `Measure` "error rate" or "mean loss". What is called `core` here is `errata.core` once installed.
"""
_TITLE = re.compile(r"^(Args|Returns|Raises|Example|Source):\n", re.M)
_ENTRY = re.compile(r"([\w, ]+): (.*)", re.S)


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring in its parts; split by `parse`."""

    text: str = ""
    """What stands before the first title."""
    parts: dict[str, str] = field(default_factory=dict[str, str])
    """By title what stands below it, without its indent."""

    def entries(self, title: str) -> dict[str, str]:
        """By name what is said of it, in one line; "a, b: ..." is said of both together."""
        told = dict[str, str]()
        name = ""
        for line in self.parts.get(title, "").splitlines():
            if (found := _ENTRY.fullmatch(line)) and not line.startswith(" "):
                told[(name := found[1])] = found[2]
            elif told and line.strip():
                told[name] += f" {line.strip()}"
        return told


def parse(text: str | None) -> Docstring:
    """The parts of a docstring: paragraphs, then "Args:", "Returns:", "Raises:", "Example:" with what is indented."""
    first, *rest = _TITLE.split(inspect.cleandoc(text or "") + "\n")
    pairs = zip(rest[::2], rest[1::2])
    return Docstring(first.strip(), {title: textwrap.dedent(body).strip("\n") for title, body in pairs})


@cache
def notes_of(kind: type) -> dict[str, str]:
    """By field of a dataclass, the string that follows it in the source."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    told: dict[str, str] = {}
    for one, after in zip(tree.body, tree.body[1:]):
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and isinstance(after, ast.Expr):
            value = after.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                told[one.target.id] = inspect.cleandoc(value.value)
    return told


def methods(name: str) -> list[tuple[str, Callable[..., Any]]]:
    """Those of a public class that the page shows."""
    return [(f"{name}.{one}", getattr(getattr(errata, name), one)) for one in METHODS.get(name, "").split()]


def undescribed() -> list[str]:
    """What the page would show without a word on it: arguments of functions and methods, fields of public classes."""
    missing: list[str] = []
    for name in " ".join(SECTIONS.values()).split():
        public = getattr(errata, name)
        if is_dataclass(public):
            missing += [f"{name}.{one.name}" for one in fields(public) if one.name not in notes_of(public)]  # type: ignore[arg-type]
        called = [*methods(name), *([] if is_dataclass(public) or _is_error(public) else [(name, public)])]
        for title, function in called:
            told = {one for names in parse(function.__doc__).entries("Args") for one in names.split(", ")}
            wanted = set(inspect.signature(function).parameters) - {"self"}
            missing += [f"{title}({one})" for one in sorted(wanted ^ told)]
    return missing


def _is_error(public: Any) -> bool:
    return isinstance(public, type) and issubclass(public, Exception)


def page() -> str:
    """The whole page."""
    lines = [INTRO]
    lines += [
        f"- {title}: " + ", ".join(f"[{name}](#errata{name.lower()})" for name in names.split())
        for title, names in SECTIONS.items()
    ]
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
    if not is_dataclass(public):
        yield f"```python\n{signature(name, public)}\n```\n"
    yield from _told(parse(public.__doc__))
    if is_dataclass(public):
        yield from _fields(public, defaults=name != "Diagnosis")  # type: ignore[arg-type]
    for title, method in methods(name):
        yield f"#### {title}\n\n```python\n{signature(title.partition('.')[2], method)}\n```\n"
        yield from _told(parse(method.__doc__))


def _told(doc: Docstring) -> Iterator[str]:
    yield f"{prose(doc.text)}\n"
    if arguments := doc.entries("Args"):
        yield "\n".join(f"- `{names.replace(', ', '`, `')}`: {prose(said)}" for names, said in arguments.items()) + "\n"
    if returns := doc.parts.get("Returns"):
        yield f"Returns: {prose(returns)}\n"
    if raises := doc.entries("Raises"):
        yield "\n\n".join(f"Raises `{name}`: {prose(said)}" for name, said in raises.items()) + "\n"
    if example := doc.parts.get("Example"):
        yield f"```python\n{example.replace('  # doctest: +SKIP', '')}\n```\n"


def _fields(kind: type, *, defaults: bool) -> Iterator[str]:
    """A line for each field, and for each property, of a dataclass."""
    lines: list[str] = []
    for one in fields(kind):  # type: ignore[arg-type]
        value = f" = {one.default!r}" if defaults and one.default is not MISSING else ""
        lines.append(f"- `{one.name}: {one.type}{value}`{_said(notes_of(kind).get(one.name))}")
    for name, value in vars(kind).items():
        if isinstance(value, property) and not defaults:
            lines.append(f"- `{name}: {value.fget.__annotations__['return']}`{_said(value.__doc__)}")
    yield "\n".join(lines) + "\n"


def _said(text: str | None) -> str:
    return f". {prose(text)}" if text else ""


def signature(name: str, function: Callable[..., Any], width: int = 100) -> str:
    """As it stands in the source, on one line where that is short enough."""
    found = inspect.signature(function)
    shown: list[str] = []
    for one in found.parameters.values():
        if one.kind is one.KEYWORD_ONLY and not any(p.startswith("*") for p in shown):
            shown.append("*")
        if one.name != "self":
            stars = {one.VAR_KEYWORD: "**", one.VAR_POSITIONAL: "*"}.get(one.kind, "")
            shown.append(f"{stars}{one.name}: {one.annotation}{_default(one.default)}")
    given = "" if isinstance(function, type) else f" -> {found.return_annotation}"
    line = f"{name}({', '.join(shown)}){given}"
    return line if len(line) <= width else f"{name}(\n" + "".join(f"    {one},\n" for one in shown) + f"){given}"


def _default(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return ""
    plain = f"{type(value).__name__}()" if is_dataclass(value) else repr(value)
    return f" = {value.__name__ if inspect.isfunction(value) else plain}"


def prose(text: str | None) -> str:
    """As Markdown: each paragraph on one line, other pages as links, and nothing outside backquotes read as markup."""
    paragraphs = [" ".join(one.split()) for one in (text or "").split("\n\n")]
    parts = "\n\n".join(paragraphs).split("`")
    for at in range(0, len(parts), 2):
        plain = parts[at].replace("<", "&lt;").replace("*", r"\*")
        parts[at] = re.sub(r"docs/((?:\w+/)*[\w-]+\.md)", r"[\1](\1)", plain)
    return "`".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
