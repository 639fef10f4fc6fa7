"""Declare commands for Click by decorators. Types and defaults come from the function's signature, an option can take
several values (`--encoder A B`), headings group the options, and a group imports a command's module on demand.

    @command()
    @argument("run", "RUN", "run written by `diagnose --out`")
    @option("--most N", "number of phrases (default: 40)")
    def audit(run: Path, most: int = 40) -> None:

A parameter without a default is required, `bool` is a flag, and `tuple[str, ...]` takes several values. Options also
fill a parameter that is a dataclass: the options above the function that are named like its fields, as for `Roles`, and
fields that are options themselves, with its docstring as their heading:

    out: Path | None = entry("DIR", "folder to write to")
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from importlib import import_module
from itertools import chain
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import click

from core.errors import InvalidInput
from core.program import OURS

EXIT_CODES = (
    "Exit codes: 0 finished (with or without findings), 2 bad input, 3 missing dependency, 130 stopped "
    "(143 by SIGTERM, 129 by SIGHUP)"
)
Function = Callable[..., None]
Decorator = Callable[[Function], Function]
Settings = Callable[[Sequence[str], frozenset[str]], "Sequence[click.Parameter]"]
"""Maps a command's arguments and the names of its options to further options: those of the probe or adapter named."""
_NUMBER = re.compile(r"-\d+|-\d*\.\d+")
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 120}
_NO_DEFAULT = (inspect.Parameter.empty, dataclasses.MISSING)


# ---- decorators above a command's function


@dataclasses.dataclass(frozen=True, slots=True)
class _Part:
    """An option, an argument or, without a flag, a heading."""

    flag: str
    metavar: str
    help: str
    to: str = ""
    overrides: Mapping[str, Any] | None = None


def option(flag: str, help: str, *, to: str = "", **overrides: Any) -> Decorator:
    """Add an option such as "--out FILE".

    Args:
        to: the parameter to fill, or a record's field as in "roles.split"; "" for the parameter of the same name.
        overrides: keyword arguments for Click; they override the signature.
    """
    name, _, metavar = flag.partition(" ")
    return several(_Part(name, metavar, help, to or name.removeprefix("--").replace("-", "_"), overrides))


def argument(name: str, metavar: str, help: str, **overrides: Any) -> Decorator:
    """Add a positional argument."""
    return several(_Part(name, metavar, help, name, overrides))


def heading(text: str) -> Decorator:
    """Add a heading to --help, above the options that follow."""
    return several(_Part("", "", text))


def several(*parts: Decorator | _Part) -> Decorator:
    """Bundle options that several commands share, in order."""

    def add(function: Function) -> Function:
        for part in reversed(parts):  # decorators are applied from below
            if isinstance(part, _Part):
                vars(function).setdefault("parts", []).insert(0, part)
            else:
                part(function)
        return function

    return add


def entry(metavar: str, help: str, default: Any = None, *, required: bool = False, **overrides: Any) -> Any:
    """Declare a dataclass field that is an option of the same name; `overrides` as in `option`."""
    field_default = dataclasses.MISSING if required else default
    return dataclasses.field(default=field_default, metadata={"option": (metavar, help, overrides)})


def command(*, note: str = "", settings: Settings | None = None) -> Callable[[Function], Command]:
    """Make a command of the function and the options above it.

    Args:
        note: a sentence at the end of its --help.
        settings: further options that depend on the arguments; their values reach the function as dicts.
    """

    def build(function: Function) -> Command:
        hints = get_type_hints(function)
        parts: list[_Part] = []
        targets: dict[str, tuple[Any, Any]] = {}  # "out" or "roles.split": (type, default)
        records: dict[str, Any] = {}
        for name, parameter in inspect.signature(function).parameters.items():
            if not dataclasses.is_dataclass(hints[name]):
                targets[name] = hints[name], parameter.default
                if get_origin(hints[name]) is dict:
                    records[name] = dict
                continue
            records[name] = hints[name]
            field_types = get_type_hints(hints[name])
            fields = dataclasses.fields(hints[name])
            targets |= {f"{name}.{f.name}": (field_types[f.name], f.default) for f in fields}
            entries = {f.name: f.metadata["option"] for f in fields if "option" in f.metadata}
            if entries:
                parts.append(_Part("", "", (inspect.getdoc(hints[name]) or "").rstrip(".")))
            for field, (metavar, text, overrides) in entries.items():
                parts.append(_Part(f"--{field.replace('_', '-')}", metavar, text, f"{name}.{field}", overrides))
        return Command(
            function.__name__,
            callback=function,
            params=_parameters([*parts, _Part("", "", ""), *vars(function).get("parts", ())], targets),
            help=function.__doc__,
            short_help=(function.__doc__ or "").partition("\n")[0].rstrip("."),
            epilog=f"{note} {EXIT_CODES}".strip(),
            context_settings=_CONTEXT,
            records=records,
            settings=settings,
        )

    return build


def _parameters(parts: Sequence[_Part], targets: Mapping[str, tuple[Any, Any]]) -> list[click.Parameter]:
    """Build Click's parameters, with the types and defaults of their targets."""
    parameters: list[click.Parameter] = []
    title = ""
    for part in parts:
        if not part.flag:
            title = part.help
            continue
        key = part.to
        if key not in targets:
            key = next(target for target in targets if target.endswith(f".{part.to}"))
        hint, default = targets[key]
        if isinstance(hint, UnionType):
            hint = next(member for member in get_args(hint) if member is not NoneType)
        inner = get_args(hint) if get_origin(hint) is tuple else ()
        many = Ellipsis in inner
        n = len(inner) or 1
        kind = (*inner, hint)[0]
        common: dict[str, Any] = {"help": part.help, "type": kind}
        if hint is bool:
            common["type"] = None
        elif kind is Path:
            common["type"] = _PATH
        if default in _NO_DEFAULT:
            common["required"] = True
        else:
            common["default"] = default
        common |= part.overrides or {}
        if not part.flag.startswith("--"):
            parameters.append(click.Argument([key], metavar=part.metavar, nargs=-1 if many else 1, **common))
            continue
        metavar = " ".join([part.metavar] * n)
        if many:
            metavar = f"{part.metavar} ..."
        if hint is bool:
            common["is_flag"] = True
        else:
            common |= {"nargs": 1 if many else n, "multiple": many}
        names = [part.flag, key.replace(".", "_")]
        parameters.append(Option(names, key=key, heading=title, metavar=metavar or None, **common))
    return parameters


# ---- Click's classes, extended


class _Path(click.ParamType):  # pyright: ignore[reportMissingTypeArgument] - not generic in older Click
    """A path; "" is refused, since it would mean the current folder."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not str(value).strip():
            self.fail("The path is empty. Name a file or folder, or leave this out.", param, ctx)
        return Path(value)


_PATH = _Path()


class Option(click.Option):
    """An option below a heading; it fills a parameter or one of its entries.

    Args:
        key: the parameter, or parameter and entry, as in "roles.split".
        heading: a title; text after a line break stands below the title.
    """

    def __init__(self, *args: Any, key: str, heading: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.key = key
        self.heading = heading


class Command(click.Command):
    """A command built by `command`.

    Args:
        records: the type of each parameter that several options fill: a dataclass, or dict.
        settings: further options that depend on the arguments.
    """

    def __init__(self, *args: Any, records: Mapping[str, Any], settings: Settings | None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.records = records
        self.settings = settings

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if self.settings is None:
            return super().make_context(info_name, args, parent, **extra)
        whole = copy(self)
        taken = frozenset[str]().union(*(parameter.opts for parameter in self.params))
        whole.params = [*self.params, *self.settings(args, taken)]
        whole.settings = None
        return whole.make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            rest = super().parse_args(ctx, _operands_last(args, ctx, self.get_params(ctx)))
        except click.NoSuchOption as error:
            if not _takes_texts(self.params):
                raise
            raise click.UsageError(f"{error.format_message()} Put -- before a text with a dash.", ctx) from None
        filled: dict[str, dict[str, Any]] = {name: {} for name in self.records}
        for parameter in self.params:
            record, dot, field = getattr(parameter, "key", "").partition(".")
            if dot:
                value = ctx.params.pop(parameter.name or "")
                if value is not None:
                    filled[record][field] = value
        ctx.params |= {name: self.records[name](**values) for name, values in filled.items()}
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option) and (record := parameter.get_help_record(ctx)):
                sections.setdefault(getattr(parameter, "heading", "") or "Options", []).append(record)
        for heading, rows in sections.items():
            title, _, text = heading.partition("\n")
            with formatter.section(title):
                if text:
                    formatter.write_text(text)
                formatter.write_dl(rows)


def _operands_last(args: Sequence[str], ctx: click.Context, parameters: Sequence[click.Parameter]) -> list[str]:
    """Rewrite arguments for Click: repeat an option that takes several values before each value, and put positional
    arguments last.

    The last use of an option counts. An option's name is never read as a value.

    Raises:
        click.BadOptionUsage: an option has too few values.
    """
    takes: dict[str, click.Option] = {}
    for parameter in parameters:
        if isinstance(parameter, click.Option):
            takes |= dict.fromkeys((*parameter.opts, *parameter.secondary_opts), parameter)
    texts = _takes_texts(parameters)
    options: dict[str, list[str]] = {}
    operands: list[str] = []
    waiting = list(args)
    while waiting:
        token = waiting.pop(0)
        if token == "--":
            operands += waiting
            break
        if _is_value(token, takes) or (texts and _is_dashed(token)):
            operands.append(token)
            continue
        flag, equals, value = token.partition("=")
        known = takes.get(flag)
        if known is None:  # Click refuses it
            options[flag] = [token]
            continue
        if known.is_flag:
            options[known.name or flag] = [token]
            continue
        values: list[str] = []
        most = len(waiting) if known.multiple else known.nargs
        if equals:
            values = [value]
            most = 1
        while len(values) < most and waiting and _is_value(waiting[0], takes):
            values.append(waiting.pop(0))
        if not values or len(values) < known.nargs:
            wanted = "a value" if known.nargs == 1 else f"{known.nargs} values"
            raise click.BadOptionUsage(flag, f"Option {flag!r} needs {wanted}: {len(values) or 'none'} given.", ctx)
        if known.nargs > 1:
            options[known.name or flag] = [flag, *values]
        else:
            options[known.name or flag] = [f"{flag}={value}" for value in values]
    return [*chain.from_iterable(options.values()), "--", *operands]


def _takes_texts(parameters: Sequence[click.Parameter]) -> bool:
    return any(isinstance(p, click.Argument) and p.nargs == -1 for p in parameters)


def _is_dashed(token: str) -> bool:
    """Whether the token is a text such as "-dark": options with one dash have one letter."""
    return len(token) > 2 and token[1] != "-"


def _is_value(token: str, takes: Mapping[str, Any]) -> bool:
    """Whether the token is a value: it does not begin with a dash, is a negative number, or holds a space."""
    if not token.startswith("-") or token == "-":
        return True
    return token.partition("=")[0] not in takes and (" " in token or _NUMBER.fullmatch(token) is not None)


class LazyGroup(click.Group):
    """A group of commands that are imported on demand.

    Args:
        modules: for each command, the module that defines it under the same name, with "_" for "-".
        more: modules of further commands; called for a name outside `modules` and for a list of all.
    """

    def __init__(
        self,
        name: str,
        modules: Mapping[str, str],
        help: str,
        more: Callable[[], Mapping[str, str]] = dict[str, str],
        **options: Any,
    ) -> None:
        super().__init__(name, help=help, short_help=help.rstrip("."), context_settings=_CONTEXT, **options)
        self.modules = modules
        self.more = more

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.modules, *(name for name in self.more() if name not in self.modules)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.modules:
            return _command_in(self.modules[cmd_name], cmd_name)
        module = self.more().get(cmd_name)
        if module is None:
            return None
        try:
            return _command_in(module, cmd_name)
        except Exception as error:
            if module.partition(".")[0] in OURS:
                raise
            return _unusable(cmd_name, module, error)


def _command_in(module: str, name: str) -> click.Command:
    attribute = name.replace("-", "_")
    member = getattr(import_module(module), attribute)
    if not isinstance(member, click.Command):
        raise TypeError(f"{attribute} is a {type(member).__name__}, not a command")
    return member


def _unusable(name: str, module: str, error: Exception) -> click.Command:
    """Stand in for a command of another package that cannot be imported; it is listed, and running it raises."""
    why = f"The command {name!r} of the package {module!r} cannot be used ({type(error).__name__}: {error})."

    def refuse(arguments: tuple[str, ...]) -> None:
        raise InvalidInput(f"{why} Fix or uninstall the package.")

    anything = click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)
    settings = {"ignore_unknown_options": True}
    return click.Command(name, callback=refuse, params=[anything], short_help=why, context_settings=settings)
