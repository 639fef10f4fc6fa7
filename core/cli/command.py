"""Click as the commands here use it: types and defaults stand in a command's signature alone, an option may take
several values (`--encoder A B`), options stand below headings, and a group imports a command's module when that is
asked for.

    @command()
    @argument("run", "RUN", "run that `diagnose --out` wrote")
    @option("--most N", "phrases, if none is named (default 40)")
    def audit(run: Path, most: int = 40) -> None:

A parameter without a default is required, `bool` is a flag, and `tuple[str, ...]` takes several values. A parameter
that is a dataclass is filled from options too: those that stand above the function and are named like its fields, as
for `Roles`, and fields that are options themselves, below its docstring as a heading:

    out: Path | None = entry("DIR", "folder to write to")
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import click

from core.errors import InvalidInput
from core.program import OURS

EXIT_CODES = (
    "exit codes: 0 finished (nothing found included), 2 bad input, 3 missing dependency, 130 stopped "
    "(by SIGTERM 143, by SIGHUP 129)"
)
Function = Callable[..., None]
Decorator = Callable[[Function], Function]
Settings = Callable[[Sequence[str], frozenset[str]], "Sequence[click.Parameter]"]
"""From a command's arguments, and the options that it has anyway, to the options of the probe or adapter in them."""
_NUMBER = re.compile(r"-\d+|-\d*\.\d+")
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 120}
_NO_DEFAULT = (inspect.Parameter.empty, dataclasses.MISSING)


# ---- what stands above a command's function


@dataclasses.dataclass(frozen=True, slots=True)
class _Said:
    """An option, an argument or, without a flag, a heading."""

    flag: str
    metavar: str
    help: str
    to: str = ""
    given: Mapping[str, Any] | None = None


def option(flag: str, help: str, *, to: str = "", **given: Any) -> Decorator:
    """An option such as "--out FILE".

    Args:
        to: the parameter that it fills, or a record's field as in "roles.split"; "" for that of its own name.
        given: what Click takes besides, in place of what the signature says.
    """
    name, _, metavar = flag.partition(" ")
    return several(_Said(name, metavar, help, to or name.removeprefix("--").replace("-", "_"), given))


def argument(name: str, metavar: str, help: str, **given: Any) -> Decorator:
    """A value that is told by its place."""
    return several(_Said(name, metavar, help, name, given))


def heading(text: str) -> Decorator:
    """What stands in --help above the options that follow."""
    return several(_Said("", "", text))


def several(*parts: Decorator | _Said) -> Decorator:
    """Options that more than one command has, in order."""

    def add(function: Function) -> Function:
        for part in reversed(parts):  # decorators are applied from below
            if isinstance(part, _Said):
                vars(function).setdefault("said", []).insert(0, part)
            else:
                part(function)
        return function

    return add


def entry(metavar: str, help: str, default: Any = None, *, required: bool = False, **given: Any) -> Any:
    """A dataclass's field that is an option, named like it; `given` as in `option`."""
    absent = dataclasses.MISSING if required else default
    return dataclasses.field(default=absent, metadata={"said": (metavar, help, given)})


def command(*, note: str = "", settings: Settings | None = None) -> Callable[[Function], Command]:
    """The command that a function is, with the options above it.

    Args:
        note: a sentence at the end of its --help.
        settings: further options, which depend on the arguments; their values reach the function as dicts.
    """

    def build(function: Function) -> Command:
        hints = get_type_hints(function)
        told: list[_Said] = []
        places: dict[str, tuple[Any, Any]] = {}  # such as "out" or "roles.split": (type, default)
        records: dict[str, Any] = {}
        for name, parameter in inspect.signature(function).parameters.items():
            if not dataclasses.is_dataclass(hints[name]):
                places[name] = hints[name], parameter.default
                records |= {name: dict} if get_origin(hints[name]) is dict else {}
                continue
            records[name], of = hints[name], get_type_hints(hints[name])
            fields = dataclasses.fields(hints[name])
            places |= {f"{name}.{f.name}": (of[f.name], f.default) for f in fields}
            entries = {f.name: f.metadata["said"] for f in fields if "said" in f.metadata}
            if entries:
                told.append(_Said("", "", (inspect.getdoc(hints[name]) or "").rstrip(".")))
            for field, (metavar, text, given) in entries.items():
                told.append(_Said(f"--{field.replace('_', '-')}", metavar, text, f"{name}.{field}", given))
        return Command(
            function.__name__,
            callback=function,
            params=_parameters([*told, _Said("", "", ""), *vars(function).get("said", ())], places),
            help=function.__doc__,
            short_help=(function.__doc__ or "").partition("\n")[0].rstrip("."),
            epilog=f"{note} {EXIT_CODES}".strip(),
            context_settings=_CONTEXT,
            records=records,
            settings=settings,
        )

    return build


def _parameters(told: Sequence[_Said], places: Mapping[str, tuple[Any, Any]]) -> list[click.Parameter]:
    """What Click reads, of types and defaults that the places say."""
    found: list[click.Parameter] = []
    title = ""
    for said in told:
        if not said.flag:
            title = said.help
            continue
        key = said.to if said.to in places else next(k for k in places if k.endswith(f".{said.to}"))
        hint, default = places[key]
        if isinstance(hint, UnionType):
            hint = next(part for part in get_args(hint) if part is not NoneType)
        inner = get_args(hint) if get_origin(hint) is tuple else ()
        many = Ellipsis in inner
        n = len(inner) or 1
        kind = (*inner, hint)[0]
        common: dict[str, Any] = {"help": said.help, "type": None if hint is bool else _PATH if kind is Path else kind}
        common |= {"required": True} if default in _NO_DEFAULT else {"default": default}
        common |= said.given or {}
        if not said.flag.startswith("--"):
            found.append(click.Argument([key], metavar=said.metavar, nargs=-1 if many else 1, **common))
            continue
        metavar = f"{said.metavar} ..." if many else " ".join([said.metavar] * n)
        common |= {"is_flag": True} if hint is bool else {"nargs": 1 if many else n, "multiple": many}
        names = [said.flag, key.replace(".", "_")]
        found.append(Option(names, key=key, heading=title, metavar=metavar or None, **common))
    return found


# ---- what Click is given


class _Path(click.ParamType):  # pyright: ignore[reportMissingTypeArgument] - older Click's has none
    """A path; "" is refused, which would be the folder that the command is run in."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not str(value).strip():
            self.fail("A path is empty. Name a file or folder, or leave this out.", param, ctx)
        return Path(value)


_PATH = _Path()


class Option(click.Option):
    """An option below a heading, which fills a parameter or one entry of it.

    Args:
        key: the parameter, or parameter and entry, as in "roles.split".
        heading: its title, and after a line break a text.
    """

    def __init__(self, *args: Any, key: str, heading: str = "", **given: Any) -> None:
        super().__init__(*args, **given)
        self.key = key
        self.heading = heading


class Command(click.Command):
    """A command made by `command`.

    Args:
        records: the type of each parameter that several options fill: a dataclass, or dict.
        settings: further options, which depend on the arguments.
    """

    def __init__(self, *args: Any, records: Mapping[str, Any], settings: Settings | None, **given: Any) -> None:
        super().__init__(*args, **given)
        self.records = records
        self.settings = settings

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if self.settings is None:
            return super().make_context(info_name, args, parent, **extra)
        whole = copy(self)
        whole.params = [*self.params, *self.settings(args, frozenset(o for p in self.params for o in p.opts))]
        whole.settings = None
        return whole.make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            rest = super().parse_args(ctx, _operands_last(args, ctx, self.get_params(ctx)))
        except click.NoSuchOption as error:
            if not _takes_texts(self.params):
                raise
            raise click.UsageError(f"{error.format_message()} If it is a text, put -- before the texts.", ctx) from None
        filled: dict[str, dict[str, Any]] = {name: {} for name in self.records}
        for parameter in self.params:
            record, dot, field = getattr(parameter, "key", "").partition(".")
            if dot and (value := ctx.params.pop(parameter.name or "")) is not None:
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
    """The arguments as Click reads them: an option that takes several values repeated before each, what is told by its
    place last.

    Of an option that is given twice the later counts. An option's value never is an option's name.

    Raises:
        click.BadOptionUsage: an option has too few values.
    """
    takes = {flag: p for p in parameters if isinstance(p, click.Option) for flag in (*p.opts, *p.secondary_opts)}
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
        if known is None or known.is_flag:  # of an unknown one Click says so
            options[flag if known is None else known.name or flag] = [token]
            continue
        values, most = ([value], 1) if equals else ([], len(waiting) if known.multiple else known.nargs)
        while len(values) < most and waiting and _is_value(waiting[0], takes):
            values.append(waiting.pop(0))
        if not values or len(values) < known.nargs:
            wanted = "a value" if known.nargs == 1 else f"{known.nargs} values"
            raise click.BadOptionUsage(flag, f"Option {flag!r} needs {wanted}: {len(values) or 'none'} given.", ctx)
        options[known.name or flag] = [flag, *values] if known.nargs > 1 else [f"{flag}={value}" for value in values]
    return [*(token for tokens in options.values() for token in tokens), "--", *operands]


def _takes_texts(parameters: Sequence[click.Parameter]) -> bool:
    return any(isinstance(p, click.Argument) and p.nargs == -1 for p in parameters)


def _is_dashed(token: str) -> bool:
    """Whether it is a text such as "-dark": no option has a name of several letters behind a single dash."""
    return len(token) > 2 and token[1] != "-"


def _is_value(token: str, takes: Mapping[str, Any]) -> bool:
    """Whether it is no option: it begins otherwise, is a negative number, or holds a space."""
    if not token.startswith("-") or token == "-":
        return True
    return token.partition("=")[0] not in takes and (" " in token or _NUMBER.fullmatch(token) is not None)


class LazyGroup(click.Group):
    """A group of commands, each imported when it is asked for.

    Args:
        modules: for each command, the module that holds it under its own name, with "_" for "-".
        more: modules of further commands, asked for when a name is none of `modules` or all are listed.
    """

    def __init__(
        self,
        name: str,
        modules: Mapping[str, str],
        help: str,
        more: Callable[[], Mapping[str, str]] = dict[str, str],
        **given: Any,
    ) -> None:
        super().__init__(name, help=help, short_help=help.rstrip("."), context_settings=_CONTEXT, **given)
        self.modules = modules
        self.more = more

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.modules, *(name for name in self.more() if name not in self.modules)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if module := self.modules.get(cmd_name):
            return _command_in(module, cmd_name)
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
    found = getattr(import_module(module), name.replace("-", "_"))
    if not isinstance(found, click.Command):
        raise TypeError(f"{name.replace('-', '_')} is a {type(found).__name__}, no command")
    return found


def _unusable(name: str, module: str, error: Exception) -> click.Command:
    """Stands for a command of another package that cannot be imported: it is listed, and says why when it is run."""
    why = f"The command {name!r} of the package {module!r} cannot be used ({type(error).__name__}: {error})."

    def refuse(arguments: tuple[str, ...]) -> None:
        raise InvalidInput(f"{why} Mend or uninstall the package.")

    anything = click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)
    settings = {"ignore_unknown_options": True}
    return click.Command(name, callback=refuse, params=[anything], short_help=why, context_settings=settings)
