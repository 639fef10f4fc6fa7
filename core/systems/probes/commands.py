"""The commands of zero-shot and few-shot probes: list them, and run one on a finished run or on labeled images
or texts alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.command import Option, argument, command, entry, heading, option
from core.cli.options import GROUP, ID, IMAGE, LABEL, RUN
from core.cli.output import new_run, print_json, tell_run
from core.cli.terminal import TerminalProgress, say
from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.systems.common.setting_options import print_registry, registered_options
from core.systems.probes import PROBES
from core.systems.probes.inputs import ProbeOptions, read_split, read_task, save_draw
from core.systems.probes.questions import question_lines, question_of

if TYPE_CHECKING:
    from core.data.samples import DataSet
    from core.records import Diagnosis, SampleSet, Words
    from core.systems.probes.base import Probe
    from core.systems.probes.records import ProbeResult
    from core.systems.probes.splits import Split

BOUND = "Do the words bind? `compose run` asks that."
ASKED = "\n".join(("\b", "Which probe answers which question:", *question_lines(), BOUND))
LONG = 20.0
"""CPU seconds from which the estimate is shown before the work."""


@dataclass(frozen=True, slots=True)
class LabelledFiles:
    """Without a model of yours: labels alone, in place of a run."""

    table: Path | None = entry("FILE", "CSV, TSV, JSON Lines or Parquet with a label; none is needed for class folders")
    images: Path | None = entry("PATH", "folder, zip or tar of images; CLASS/file.jpg needs no table")
    out: Path | None = entry("FILE", "the run to write, NAME.errata: the probe's losses are diagnosed like any model's")
    encoder: str | None = entry("NAME", "see `python -m core encoders` (default: embedded)")


@command()
def probes() -> None:
    """List zero-shot and few-shot probes with their settings.

    What each does, where it comes from, and its settings.
    """
    print_registry(PROBES, lambda name, _: question_of(name).asked)


def probe_settings(arguments: Sequence[str], taken: frozenset[str]) -> list[Option]:
    """The options of the probe that the arguments begin with; none where they begin otherwise."""
    name = arguments[0] if arguments else ""
    question = question_of(name)
    found = registered_options(PROBES, name, taken, f"{question.asked} {question.reading}".strip())
    for shots in (o for o in found if o.key == "settings.shots"):
        shots.metavar = "N[,N...]"
        shots.help = f"{shots.help}; several, as 1,4,16, say how many it takes"
    return found


@command(note=f"{ASKED}\n\n`probe NAME --help` lists the settings of that probe.", settings=probe_settings)
@argument("probe", "NAME", f"one of {', '.join(PROBES)}", type=click.Choice(tuple(PROBES)))
@argument("run", "[RUN]", f"{RUN}; the result is added to it")
@heading("Columns of that table")
@ID
@IMAGE
@option("--texts COL", "column of texts, in place of images; several are read one after another")
@LABEL
@GROUP
@option("--split-column COL", "train, test, ...", to="roles.split")
def probe(
    probe: str,
    options: ProbeOptions,
    labelled: LabelledFiles,
    roles: Roles,
    settings: dict[str, Any],
    run: Path | None = None,
) -> None:
    """Would a model that never saw your training set fail here too?

    It is run on a finished run's samples, which keep the result, or on labeled images or texts alone.
    """
    from core.options import check_seed, read_name

    made = _made(probe, settings, options)  # wrong values are refused before anything is read
    read_name(options.name)
    check_seed(options.seed)
    if run is None:
        if len(made) > 1:
            raise InvalidInput(
                "Several numbers of shots are set beside each other on a finished run. Run the probe with one of them "
                "and --out NAME.errata first, then with all of them on that run."
            )
        _without_model(probe, made[0], options, labelled, roles)
        return
    brought = asdict(labelled) | asdict(replace(roles, split=None)) | {"split-column": roles.split}
    named = [f"--{name}" for name, value in brought.items() if value not in (None, (), False)]
    if named:
        raise InvalidInput(
            f"A run was given, whose samples are known, and {named[0]} beside it. "
            "Give the run, or --table and --images with --out."
        )
    _on_run(probe, made, options, run)


def _made(name: str, settings: dict[str, Any], options: ProbeOptions) -> list[Probe]:
    """The probe with these settings; where several numbers of shots were given, with each of them, the fewest first."""
    from core.systems.probes.shot_curves import read_numbers

    numbers = read_numbers(str(settings.get("shots", "")))
    if not numbers:
        return [PROBES.make(name, settings)]
    for given, what in (
        (options.diagnose, "--diagnose"),
        (options.save_draw, "--save-draw"),
        (settings.get("save"), "--save"),
        (settings.get("load"), "--load"),
    ):
        if given:
            raise InvalidInput(f"{what} is of one result, and --shots names several. Leave one of the two out.")
    return [PROBES.make(name, settings | {"shots": shots}) for shots in numbers]


def _on_run(name: str, made: Sequence[Probe], options: ProbeOptions, run: Path) -> None:
    from core.store import load, update

    diagnosis = load(run)
    words = _words_of(diagnosis, run)
    if options.diagnose is not None:
        new_run(options.diagnose)
    with TerminalProgress() as progress:
        results = _run(name, made, options, diagnosis.samples, words, progress)
        earlier: list[str] = []

        def add(now: Diagnosis) -> Diagnosis:
            earlier.clear()
            for result in results:
                now, replaced = with_result(now, result)
                earlier.extend([result.name] * replaced)
            return now

        found = update(diagnosis, run, add, progress)
        own = None
        if options.diagnose is not None:
            own = _own(options, diagnosis, results[0], options.diagnose, progress)
    for one in earlier:
        say(f"The earlier result {one!r} was replaced. Give --name to keep both.", file=sys.stderr)
    _tell(options, found, results, run)
    if own is not None:
        _tell_own(own, options)


def _without_model(name: str, made: Probe, options: ProbeOptions, labelled: LabelledFiles, roles: Roles) -> None:
    out = labelled.out
    if labelled.table is None and labelled.images is None:
        raise InvalidInput(
            "There is nothing to probe. Give a finished run, or labeled samples: "
            "--table and --images, class folders, or --table and --texts."
        )
    if out is None:
        raise InvalidInput("The result needs a file to be written to. Add --out NAME.errata.")
    if options.diagnose is not None:
        raise InvalidInput(
            "Without a model of yours the probe's own failures are diagnosed anyway, into --out. Leave --diagnose out."
        )
    new_run(out)
    from core.discovery.prepare import embed
    from core.discovery.settings import EmbeddingSettings
    from core.files import default_cache
    from core.systems.common.labelled import read_samples

    with TerminalProgress() as progress:
        audit = read_samples(labelled.table, images=labelled.images, roles=roles, progress=progress)
        _check_samples(made, options, audit.samples)
        embedding = EmbeddingSettings(labelled.encoder or "embedded", cache=default_cache())
        audit = embed(audit, embedding, progress=progress)
        if audit.words is None or audit.embeddings is None:
            raise InvalidInput(
                "A probe needs images or texts, which a text encoder can be compared with: add --images (folder, zip "
                "or tar) or --texts (a column)."
            )
        (result,) = _run(name, [made], options, audit.samples, audit.words, progress)
        own = _own(options, audit, result, out, progress)
    from core.systems.probes.records import results_of

    _tell(options, own, results_of(own), out)
    _tell_own(own, options)


def _check_samples(made: Probe, options: ProbeOptions, samples: SampleSet) -> None:
    """Refuse what is known to fail before the long part, which embeds the samples."""
    from core.systems.probes.run import check_draws, check_names

    check_names(samples.class_names)
    split, _ = read_split(options.split, samples)
    _check_scored(samples, split)
    check_draws(made, samples, split, options.seed)


def _check_scored(samples: SampleSet, split: Split | None) -> None:
    """Refuse a diagnosis of the probe's own failures where too few samples will be scored."""
    from core.systems.probes.own_failures import check_enough

    check_enough(len(samples) if split is None else sum(len(fold.test) for fold in split.folds))


def _words_of(diagnosis: Diagnosis, run: Path) -> Words:
    """The samples as a text encoder sees them."""
    if diagnosis.words is None or not diagnosis.words.encoder:
        raise InvalidInput(
            f"The run {run} has no images, clips or texts that a text encoder saw, and a probe compares "
            "samples with texts. Diagnose again with --images or --texts and without --no-words."
        )
    if diagnosis.samples.labels is None:
        raise InvalidInput(
            f"The samples of {run} have no labels, so nothing tells whether a probe is right. "
            "Diagnose again from a table with a label column."
        )
    return diagnosis.words


def _run(
    name: str,
    made: Sequence[Probe],
    options: ProbeOptions,
    samples: SampleSet,
    words: Words,
    progress: TerminalProgress,
) -> tuple[ProbeResult, ...]:
    """The result of each setting of the probe, in their order."""
    from core.numbers import clock
    from core.systems.probes.run import run_each

    task, notes = read_task(name, made[0], options, samples, words, progress)
    if options.diagnose is not None:
        _check_scored(samples, task.split)
    if options.save_draw is not None:
        save_draw(options.save_draw, made[0], task)
    folds = 2 if task.split is None else len(task.split.folds)
    seconds = sum(each.estimate(len(samples), len(samples.class_names), folds) for each in made)
    if seconds >= LONG:
        say(f"This will take about {clock(seconds)} of computing.", file=sys.stderr)
    results = run_each(name, made, task, label=options.name, progress=progress)
    return tuple(replace(result, notes=(*result.notes, *notes)) for result in results)


def with_result(diagnosis: Diagnosis, result: ProbeResult) -> tuple[Diagnosis, bool]:
    """The run with the result, and whether it took the place of one of the same name.

    Raises:
        InvalidInput: the model under diagnosis is a probe of that name.
    """
    from core.records import OWN

    if result.name == diagnosis.extras.get(OWN):
        raise InvalidInput(
            f"The model of this run is itself the probe {result.name!r}. Give the new result another --name."
        )
    from core.systems.probes.records import results_of, with_results

    before = results_of(diagnosis)
    others = tuple(p for p in before if p.name != result.name)
    return with_results(diagnosis, (*others, result)), len(others) < len(before)


def _own(
    options: ProbeOptions, of: Diagnosis | DataSet, result: ProbeResult, out: Path, progress: TerminalProgress
) -> Diagnosis:
    """The diagnosis of the probe's own losses, written into a file."""
    from core.discovery.settings import Settings
    from core.files import default_cache
    from core.store import save
    from core.systems.probes.own_failures import diagnose_probe

    settings = Settings(seed=options.seed, n_permutations=options.permutations)
    found = diagnose_probe(of, result, settings=settings, cache=default_cache(), progress=progress)
    save(found, out, progress)
    return found


def _tell(options: ProbeOptions, found: Diagnosis, results: Sequence[ProbeResult], run: Path) -> None:
    """One result with all that is known of it; several by their numbers of shots, beside the run's other curves."""
    from core.checks.compare import comparison_with
    from core.reports.wording.comparison import comparison_lines
    from core.systems.probes.shot_curves import shot_curves
    from core.systems.probes.tables import curves_document, probe_document
    from core.systems.probes.wording import curve_lines, probe_lines

    curves = shot_curves(found) if len(results) > 1 else ()
    drawn = {point.result for rows in curves for curve in rows.curves for point in curve.points}
    alone = [result for result in results if result.name not in drawn]  # as without shots, beside one number of them
    if options.json:
        documents = [probe_document(found, result) for result in results]
        several = {"probes": documents, "shot_curves": curves_document(curves)}
        print_json(documents[0] if len(results) == 1 else several)
        return
    lines = [*curve_lines(curves), *(line for result in alone for line in probe_lines(result))]
    notes = [f"Note, {r.name}: {note}" for r in results if r.name in drawn for note in r.notes]
    say("\n".join([*lines, *notes]))
    compared = comparison_with(found, results[-1].name)
    if compared is not None:
        say("\n".join(comparison_lines(found, compared)))
    tell_run(run)


def _tell_own(own: Diagnosis, options: ProbeOptions) -> None:
    """The diagnosis of the probe's own losses in a few lines; with --json on stderr, where it spoils nothing."""
    from core.reports.wording.summary import text_summary

    stream = sys.stderr if options.json else sys.stdout
    say(f"The probe's own failures:\n{text_summary(own)}", file=stream)
    if options.diagnose is not None:
        tell_run(options.diagnose, stream)
