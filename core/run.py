"""A run that answers: the diagnosis with methods, and what they give. `import errata` hands this to Python programs.

Every result shows itself: a few lines in a terminal, images in a notebook. Nothing here computes a figure; each method
calls the function that does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import wraps
from inspect import signature
from pathlib import Path
from types import MethodType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

import numpy as np

from core.annotations import check_arguments
from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.files import as_path
from core.records import Diagnosis, Progress, Section, no_progress
from core.results import MAX_LINES, Findings, Reply, Result, samples_frame, short

if TYPE_CHECKING:
    import pandas as pd

    from core.data.map_style import PicturesLike
    from core.data.tables.frames import TableLike

P = ParamSpec("P")
T = TypeVar("T")


class Run(Diagnosis):
    """A diagnosis that answers. It never changes: what adds a result gives another run.

    Copies share its arrays. A pickle holds what `save` writes, with thumbnails in place of the images.
    """

    __slots__ = ()

    @classmethod
    def of(cls, diagnosis: Diagnosis) -> Run:
        """The same diagnosis, with methods."""
        if isinstance(diagnosis, Run):
            return diagnosis
        return cls(**{field.name: getattr(diagnosis, field.name) for field in fields(diagnosis)})

    @property
    def findings(self) -> Findings:
        """What is confirmed, in the order of `findings_table`: classes, groups, conditions and phrases."""
        return Findings(self, confirmed=True)

    @property
    def hints(self) -> Findings:
        """Groups that stand out and are not confirmed, least likely to be noise first."""
        return Findings(self, confirmed=False)

    @property
    def section(self) -> Section:
        """What the run says first: its verdict."""
        from core.reports.sections import overview

        return overview(self)

    def to_frame(self) -> pd.DataFrame:
        """(n, ...) a row for each sample; see `core.results.samples_frame`."""
        return samples_frame(self)

    @overload
    def ask(self, question: str, **options: Any) -> Reply: ...  # pyright: ignore[reportOverlappingOverload]
    @overload
    def ask(self, question: Sequence[str], **options: Any) -> list[Reply]: ...
    def ask(self, question: str | Sequence[str], **options: Any) -> Reply | list[Reply]:
        """Measure the loss where samples match a text.

        Args:
            question: free text, such as "dogs in snow"; a list gives a list.
            options: of `errata.ask`.
        """
        from core.checks.questions import ask
        from core.reports.wording.answers import answer_sentence

        check_arguments(ask, self, question, **options)
        replies: list[Reply] = []
        for answer in ask(self, question, **options):
            sentence = answer.refused or answer_sentence(self, answer)
            replies.append(Reply(self, f'"{answer.text}"', sentence, answer.rows, answer))
        if isinstance(question, str):
            return replies[0]
        return replies

    def predict(self, table: TableLike | None = None, images: PicturesLike | None = None, **options: Any) -> Result:
        """Test the findings on new samples.

        Args:
            table: the new samples, as `diagnose` takes them.
            images: their images.
            options: of `errata.predict`, such as `embeddings`.
        """
        from core.checks.fresh import predict_fresh
        from core.reports.sections import on_new_data

        check_arguments(predict_fresh, self, table, images=images, **options)
        after = predict_fresh(self, table, images=images, **options)
        return Result(Run.of(after), on_new_data(after), after.prediction)

    def compare(self, other: TableLike | Diagnosis | None = None, **options: Any) -> Result:
        """Compare another model with the one of this run.

        Args:
            other: a table of its answers, another run of the same samples, or the name of a model that the run holds;
                by default the latest of those.
            options: of `errata.compare`.
        """
        return compare(self, other, **options)

    def gate(self, table: TableLike | Diagnosis, **options: Any) -> Result:
        """Check the findings on a new version of the model.

        Args:
            table: its answers, or another run of the same samples.
            options: of `errata.gate`, such as `margin`.
        """
        return gate(self, table, **options)

    def report(self, path: str | Path) -> Path:
        """Write the report, one HTML file, and return its path.

        Args:
            path: of the file.
        """
        from core.reports.html.diagnosis import write_report

        write_report(self, as_path(path))
        return as_path(path)

    def save(self, path: str | Path, progress: Progress = no_progress) -> Path:
        """Write the run to a file, and return its path.

        Args:
            path: ends in `.errata`.
            progress: called as progress(step, done, total); may raise `Cancelled`.
        """
        from core.store import save

        save(self, path, progress)
        return Path(path)

    def show(self, **options: Any) -> Any:
        """Open the run on the page.

        Args:
            options: of `errata.show`.
        """
        from importlib import import_module

        return import_module("webapp").show(self, **options)

    def __getattr__(self, name: str) -> Any:
        from core import extensions

        methods = {} if name.startswith("_") else extensions.methods()
        if name not in methods:
            raise AttributeError(f"A run has no {name!r}. It has: {', '.join(dir(self))}.")

        return MethodType(extensions.load(methods[name]), self)

    def __dir__(self) -> list[str]:
        from core import extensions

        own = [name for name in (*vars(Run), *vars(Diagnosis)) if not name.startswith("_") and name != "of"]
        return sorted({*own, *extensions.methods()})

    def __repr__(self) -> str:
        from core.reports.terminal import section_lines

        found = self.findings
        lines = [super().__repr__(), *section_lines(replace(self.section, notes=()))[:2]]
        lines += [f"  {line}" for line in found.lines(MAX_LINES - len(lines) - 1)]
        return short([*lines, 'Go on: run.findings, run.ask("..."), run.to_frame(), run.show()'])

    def _repr_html_(self) -> str:
        from core.reports.html.notebook import notebook_html

        return notebook_html(self)

    def __copy__(self) -> Run:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Run:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        from core.store import to_bytes

        return _unpickled, (to_bytes(self),)


def _unpickled(data: bytes) -> Run:
    from core.store import from_bytes

    return Run.of(from_bytes(data))


def answering(function: Callable[P, T]) -> Callable[P, T]:
    """The same function of `import errata`: a first argument `diagnosis` or `run` that is no run, and arguments of
    wrong types, are refused in one sentence, and a diagnosis that it gives has methods."""
    first = next(iter(signature(function).parameters), "")
    of_run = first in ("diagnosis", "run")

    @wraps(function)
    def answered(*arguments: P.args, **options: P.kwargs) -> T:
        if of_run:
            check_run(arguments[0] if arguments else options.get(first))
        check_arguments(function, *arguments, **options)
        result: Any = function(*arguments, **options)
        if isinstance(result, Diagnosis):
            result = Run.of(result)
        elif isinstance(result, tuple):
            result = tuple(Run.of(part) if isinstance(part, Diagnosis) else part for part in result)
        return result

    return answered


def check_run(value: object) -> Diagnosis:
    """The value, if it is a run.

    Raises:
        InvalidInput: it is something else; a path says how to open it.
    """
    if isinstance(value, Diagnosis):
        return value
    if isinstance(value, str | Path):
        raise InvalidInput(f"A run is needed, not a path: got {str(value)[:80]!r}. Use errata.open(path).")
    raise InvalidInput(f"A run is needed: got {type(value).__name__}. Use what errata.diagnose or errata.open gives.")


@answering
def compare(
    run: Diagnosis,
    other: TableLike | Diagnosis | None = None,
    *,
    against: str = "model",
    roles: Roles | None = None,
    seed: int = 0,
) -> Result:
    """Compare another model with the one of a run, on the rows that both answered.

    Args:
        run: from `diagnose` or `open`.
        other: the other model: a table of its answers, another run of the same samples, or the name of a model that the
            run already holds; by default the latest of those.
        against: the model it is compared with: "model" for the run's own, or the name of another that the run holds.
        roles: which column of the table is which; usual names are recognized.
        seed: for the permutations and bootstraps.

    Returns:
        The section on it, with the fields of `Comparison`; `Result.run` holds the other model.

    Raises:
        InvalidInput: the other model cannot be read, its errors are unknown, or no row is shared.
    """
    from core.checks.compare import compare as compare_models, names_of
    from core.reports.comparison import comparison_section

    notes: tuple[str, ...] = ()
    beside = run
    name = other
    if not (name is None or (isinstance(name, str) and name in names_of(beside))):
        beside, name, notes = _with_other(beside, other, roles)
    comparison = compare_models(beside, against, name, seed=seed)
    comparison = replace(comparison, notes=(*comparison.notes, *notes))
    return Result(Run.of(beside), comparison_section(beside, comparison), comparison)


@answering
def gate(run: Diagnosis, table: TableLike | Diagnosis, roles: Roles | None = None, **options: Any) -> Result:
    """Check the findings of a run on a new version of the model.

    Args:
        run: of the version in use, from `diagnose` or `open`.
        table: the answers of the new version, as `compare` takes them: a table, or another run of the same samples.
        roles: which column of the table is which; usual names are recognized.
        options: `coverage`: share of the samples that must be answered, above 0 and at most 1 (default: 1);
            `margin`: percentage points by which it may be worse (default: 0); `settings`: of the search for new
            regressions, None skips it; `progress`.

    Returns:
        The section on it, with the fields of `Gate`: `passed` is whether nothing holds the new version back.

    Raises:
        InvalidInput: the table cannot be used, an option is out of range, or nothing can be tested.
    """
    from core.checks.checkpoints.gate import gate as check
    from core.reports.tables.gate import gate_section

    check_arguments(check, **options)
    checked = check(run, _answers(table), roles or Roles(), **options)
    return Result(Run.of(run), gate_section(run, checked), checked)


def _with_other(diagnosis: Diagnosis, other: Any, roles: Roles | None) -> tuple[Diagnosis, str, tuple[str, ...]]:
    """The run with another model, its name there, and notes."""
    from core.checks.compare import names_of
    from core.checks.second_model import with_second

    if isinstance(other, str) and not Path(other).exists() and not Path(other).suffix:
        listed = ", ".join(map(repr, names_of(diagnosis)))
        raise InvalidInput(f"The run has no model {other[:80]!r}, and no file has that name. It has: {listed}.")
    return with_second(diagnosis, _answers(other), roles or Roles())


def _answers(other: Any) -> Any:
    """The table of a model's answers; of a run the answers that it is about."""
    if not isinstance(other, Diagnosis):
        return other
    outcomes = other.outcomes
    if outcomes.errors is None or other.samples.labels is None or outcomes.predictions is None:
        raise InvalidInput(
            "The other run does not know its model's predictions. Diagnose a table with labels and predictions, "
            "or give such a table."
        )
    names = np.array(other.samples.class_names, dtype=object)
    return {
        "id": list(other.samples.ids),
        "label": names[other.samples.labels],
        "prediction": names[outcomes.predictions],
    }
