"""Commands of zero-shot and few-shot probes: list them, and run one on a finished run or on labeled samples alone."""

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

BINDING = "Does the encoder read more than a bag of words? Use `compose run`."
QUESTIONS_NOTE = "\n".join(("\b", "Which probe answers which question:", *question_lines(), BINDING))
MIN_SHOWN_SECONDS = 20.0
"""CPU seconds from which the estimate is shown before the work."""


@dataclass(frozen=True, slots=True)
class LabelledFiles:
    """Without a model of yours: labels alone, in place of a run."""

    table: Path | None = entry("FILE", "CSV, TSV, JSON Lines or Parquet with a label; not needed for class folders")
    images: Path | None = entry("PATH", "folder, zip or tar of images; CLASS/file.jpg needs no table")
    out: Path | None = entry("FILE", "run to write, NAME.errata, with the diagnosis of the probe's losses")
    encoder: str | None = entry("NAME", "encoder, see `python -m core encoders` (default: embedded)")


@command()
def probes() -> None:
    """List zero-shot and few-shot probes.

    Show the question, source and settings of each.
    """
    print_registry(PROBES, lambda name, _: question_of(name).asked)


def probe_settings(arguments: Sequence[str], taken: frozenset[str]) -> list[Option]:
    """The options of the probe named by the first argument; empty where it names none."""
    name = arguments[0] if arguments else ""
    question = question_of(name)
    options = registered_options(PROBES, name, taken, f"{question.asked} {question.reading}".strip())
    for each in options:
        if each.key == "settings.shots":
            each.metavar = "N[,N...]"
            each.help = f"{each.help}; several (1,4,16) give a learning curve"
    return options


@command(note=f"{QUESTIONS_NOTE}\n\n`probe NAME --help` lists the settings of that probe.", settings=probe_settings)
@argument("probe", "NAME", f"one of {', '.join(PROBES)}", type=click.Choice(tuple(PROBES)))
@argument("run", "[RUN]", f"{RUN}, to which the result is added")
@heading("Columns of that table")
@ID
@IMAGE
@option("--texts COL", "column of texts, in place of images; several are joined")
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
    """Test whether a model that never saw your training set fails here too.

    Run the probe on the samples of a finished run, which keeps the result, or on labeled images or texts alone.
    """
    from core.options import check_seed, read_name

    variants = _make_probes(probe, settings, options)  # wrong values are refused before anything is read
    read_name(options.name)
    check_seed(options.seed)
    if run is None:
        if len(variants) > 1:
            raise InvalidInput(
                "Several numbers of shots need a finished run. Run the probe with one of them and --out NAME.errata, "
                "then with all on that run."
            )
        _without_model(probe, variants[0], options, labelled, roles)
        return
    values = asdict(labelled) | asdict(replace(roles, split=None)) | {"split-column": roles.split}
    extra = [f"--{name}" for name, value in values.items() if value not in (None, (), False)]
    if extra:
        raise InvalidInput(
            f"{extra[0]} cannot be used with a run, whose samples are known. "
            "Use the run alone, or --table and --images with --out."
        )
    _on_run(probe, variants, options, run)


def _make_probes(name: str, settings: dict[str, Any], options: ProbeOptions) -> list[Probe]:
    """The probe with these settings; with several numbers of shots one probe for each, the fewest first."""
    from core.systems.probes.shot_curves import read_numbers

    numbers = read_numbers(str(settings.get("shots", "")))
    if not numbers:
        return [PROBES.make(name, settings)]
    for value, flag in (
        (options.diagnose, "--diagnose"),
        (options.save_draw, "--save-draw"),
        (settings.get("save"), "--save"),
        (settings.get("load"), "--load"),
    ):
        if value:
            raise InvalidInput(f"{flag} takes one result, and --shots names several. Remove one of the two.")
    return [PROBES.make(name, settings | {"shots": shots}) for shots in numbers]


def _on_run(name: str, probes: Sequence[Probe], options: ProbeOptions, run: Path) -> None:
    from core.store import load, update
    from core.systems.probes.base import words_of
    from core.systems.probes.records import with_result

    diagnosis = load(run)
    words = words_of(diagnosis)
    if options.diagnose is not None:
        new_run(options.diagnose)
    with TerminalProgress() as progress:
        results = _run(name, probes, options, diagnosis.samples, words, progress)
        replaced: list[str] = []

        def add(latest: Diagnosis) -> Diagnosis:
            replaced.clear()
            for result in results:
                latest, is_replaced = with_result(latest, result)
                if is_replaced:
                    replaced.append(result.name)
            return latest

        updated = update(diagnosis, run, add, progress)
        probe_diagnosis = None
        if options.diagnose is not None:
            probe_diagnosis = _diagnose_probe(options, diagnosis, results[0], options.diagnose, progress)
    for result_name in replaced:
        say(f"Replaced the earlier result {result_name!r}. Keep both with --name.", file=sys.stderr)
    _print_results(options, updated, results, run)
    if probe_diagnosis is not None:
        _print_diagnosis(probe_diagnosis, options)


def _without_model(name: str, probe: Probe, options: ProbeOptions, labelled: LabelledFiles, roles: Roles) -> None:
    out = labelled.out
    if labelled.table is None and labelled.images is None:
        raise InvalidInput(
            "A probe needs a finished run or labeled samples. Add a run, --table with --images or --texts, or --images "
            "with class folders."
        )
    if out is None:
        raise InvalidInput("The result needs a file. Add --out NAME.errata.")
    if options.diagnose is not None:
        raise InvalidInput(
            "Without a model of yours, --out already holds the diagnosis of the probe's failures. Remove --diagnose."
        )
    new_run(out)
    from core.discovery.prepare import embed
    from core.discovery.settings import EmbeddingSettings
    from core.files import default_cache
    from core.systems.common.labelled import read_samples

    with TerminalProgress() as progress:
        data = read_samples(labelled.table, images=labelled.images, roles=roles, progress=progress)
        _check_samples(probe, options, data.samples)
        embedding = EmbeddingSettings(labelled.encoder or "embedded", cache=default_cache())
        data = embed(data, embedding, progress=progress)
        if data.words is None or data.embeddings is None:
            raise InvalidInput(
                "A probe needs images or texts to compare with class names. Add --images (folder, zip or tar) or "
                "--texts (a column)."
            )
        (result,) = _run(name, [probe], options, data.samples, data.words, progress)
        diagnosis = _diagnose_probe(options, data, result, out, progress)
    from core.systems.probes.records import results_of

    _print_results(options, diagnosis, results_of(diagnosis), out)
    _print_diagnosis(diagnosis, options)


def _check_samples(probe: Probe, options: ProbeOptions, samples: SampleSet) -> None:
    """Refuse invalid input before the samples are embedded."""
    from core.systems.probes.run import check_draws, check_names

    check_names(samples.class_names)
    split, _ = read_split(options.split, samples)
    _check_scored(samples, split)
    check_draws(probe, samples, split, options.seed)


def _check_scored(samples: SampleSet, split: Split | None) -> None:
    """Refuse a diagnosis of the probe's own failures on too few scored samples."""
    from core.systems.probes.own_failures import check_enough

    n_scored = len(samples)
    if split is not None:
        n_scored = sum(len(fold.test) for fold in split.folds)
    check_enough(n_scored)


def _run(
    name: str,
    probes: Sequence[Probe],
    options: ProbeOptions,
    samples: SampleSet,
    words: Words,
    progress: TerminalProgress,
) -> tuple[ProbeResult, ...]:
    """The results of the probes, in their order."""
    from core.numbers import clock
    from core.systems.probes.run import run_each

    task, notes = read_task(name, probes[0], options, samples, words, progress)
    if options.diagnose is not None:
        _check_scored(samples, task.split)
    if options.save_draw is not None:
        save_draw(options.save_draw, probes[0], task)
    folds = 2 if task.split is None else len(task.split.folds)
    seconds = sum(probe.estimate(len(samples), len(samples.class_names), folds) for probe in probes)
    if seconds >= MIN_SHOWN_SECONDS:
        say(f"This will take about {clock(seconds)} of CPU time.", file=sys.stderr)
    results = run_each(name, probes, task, label=options.name, progress=progress)
    return tuple(replace(result, notes=(*result.notes, *notes)) for result in results)


def _diagnose_probe(
    options: ProbeOptions, of: Diagnosis | DataSet, result: ProbeResult, out: Path, progress: TerminalProgress
) -> Diagnosis:
    """The diagnosis of the probe's own losses, saved to `out`."""
    from core.discovery.settings import Settings
    from core.files import default_cache
    from core.store import save
    from core.systems.probes.own_failures import diagnose_probe

    settings = Settings(seed=options.seed, n_permutations=options.permutations)
    diagnosis = diagnose_probe(of, result, settings=settings, cache=default_cache(), progress=progress)
    save(diagnosis, out, progress)
    return diagnosis


def _print_results(options: ProbeOptions, diagnosis: Diagnosis, results: Sequence[ProbeResult], run: Path) -> None:
    """Print one result in full; several as learning curves, beside the run's other curves."""
    from core.checks.compare import comparison_with
    from core.reports.comparison import comparison_section
    from core.reports.terminal import section_lines
    from core.systems.probes.shot_curves import shot_curves
    from core.systems.probes.tables import curves_document, probe_document
    from core.systems.probes.wording import curve_lines, probe_lines

    curves = ()
    if len(results) > 1:
        curves = shot_curves(diagnosis)
    if options.json:
        documents = [probe_document(diagnosis, result) for result in results]
        if len(results) == 1:
            print_json(documents[0])
        else:
            print_json({"probes": documents, "shot_curves": curves_document(curves)})
        return
    drawn: set[str] = set()
    for rows in curves:
        for curve in rows.curves:
            drawn.update(point.result for point in curve.points)
    lines = curve_lines(curves)
    notes: list[str] = []
    for result in results:
        if result.name in drawn:
            notes += [f"Note, {result.name}: {note}" for note in result.notes]
        else:  # with 0 shots, beside one other number
            lines += probe_lines(result)
    say("\n".join([*lines, *notes]))
    comparison = comparison_with(diagnosis, results[-1].name)
    if comparison is not None:
        say("\n".join(section_lines(comparison_section(diagnosis, comparison))))
    tell_run(run)


def _print_diagnosis(diagnosis: Diagnosis, options: ProbeOptions) -> None:
    """Print a summary of the probe's own failures; with --json on stderr, so that stdout stays valid JSON."""
    from core.reports.terminal import text_summary

    stream = sys.stderr if options.json else sys.stdout
    say(f"The probe's own failures:\n{text_summary(diagnosis)}", file=stream)
    if options.diagnose is not None:
        tell_run(options.diagnose, stream)
