"""The commands of zero-shot and few-shot probes: list them, run one, compare two models, reproduce a published
method."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.diagnose import roles_of
from core.cli.options import SETTING, describe, known_probe
from core.cli.output import in_folder, make_folder
from core.cli.terminal import TerminalProgress
from core.errors import DiagnosisError, InvalidInput
from core.numbers import clock

if TYPE_CHECKING:
    from core.probes.base import Images, Probe, Task
    from core.probes.splits import Split
    from core.records import Diagnosis, Embeddings, ProbeResult, SampleSet, Words

OF_TABLE = ("table", "images", "out", "encoder", "id", "image", "label", "group", "split_column")


"""Options that speak of samples without a finished run."""


LONG = 20.0


"""CPU seconds from which the estimate is shown before the work."""


def probes(options: Namespace) -> None:
    """Every probe: what it does, where it comes from, and its settings."""
    from core.options import settings_of
    from core.probes import PROBES

    for name in PROBES:
        try:
            kind = known_probe(name)
        except DiagnosisError as error:
            print(f"{name}\n    not here: {error}")
            continue
        print(f"{name}\n    {kind.title}. {kind.what}\n    {kind.source}")
        for setting in settings_of(kind):
            print(f"      --{setting.name.replace('_', '-')}: {describe(setting)}")


def probe(options: Namespace) -> None:
    """Run one probe: on a finished run's samples, which keep the result, or on labelled pictures alone."""
    from core.options import check_seed, read_name
    from core.probes import make_probe

    known_probe(options.probe)
    given = {name.removeprefix(SETTING): value for name, value in vars(options).items() if name.startswith(SETTING)}
    made = make_probe(options.probe, given)  # wrong values are refused before anything is read
    read_name(options.name)
    check_seed(options.seed)
    named = [f"--{name.replace('_', '-')}" for name in OF_TABLE if getattr(options, name) is not None]
    if options.run is None:
        _without_model(options, made)
    elif named:
        raise InvalidInput(
            f"A run was given, whose samples are known, and {named[0]} beside it. "
            "Give DIR, or --table and --images with --out."
        )
    else:
        _on_run(options, made)


def _on_run(options: Namespace, made: Probe) -> None:
    from core.reports.html.diagnosis import write_report
    from core.store import load, reload, save

    diagnosis = load(options.run)
    words = _words_of(diagnosis, options.run)
    if options.diagnose is not None:
        make_folder(options.diagnose)
    progress = TerminalProgress()
    try:
        result = _run(options, made, diagnosis.samples, words, progress)
        found, earlier = with_result(reload(diagnosis, options.run), result)
        save(found, options.run, progress)
        write_report(found, options.run / "report.html", progress)
        own = None
        if options.diagnose is not None:
            own = _own(
                options,
                found.samples,
                found.embeddings,
                words,
                result,
                diagnosis.notes,
                diagnosis.excluded,
                options.diagnose,
                progress,
            )
    finally:
        progress.close()
    if earlier:
        print(f"The earlier result {result.name!r} was replaced. Give --name to keep both.", file=sys.stderr)
    _tell(options, found, result, options.run)
    if own is not None:
        _tell_own(own, options)


def _without_model(options: Namespace, made: Probe) -> None:
    if options.table is None and options.images is None:
        raise InvalidInput(
            "There is nothing to probe. Give the folder of a finished run, or labelled pictures: "
            "--table and --images, or class folders."
        )
    if options.out is None:
        raise InvalidInput("The result needs a folder to be written to. Add --out OUT.")
    if options.diagnose is not None:
        raise InvalidInput(
            "Without a model of yours the probe's own failures are diagnosed anyway, into --out. Leave --diagnose out."
        )
    make_folder(options.out)
    from core.data.labelled import read_samples
    from core.discovery.prepare import embed
    from core.discovery.settings import EmbeddingSettings
    from core.embeddings.cache import default_cache
    from core.probes.run import check_names

    progress = TerminalProgress()
    try:
        roles = replace(roles_of(options), split=options.split_column)
        audit = read_samples(options.table, images=options.images, roles=roles, progress=progress)
        check_names(audit.samples.class_names)  # before the long part
        embedding = EmbeddingSettings(options.encoder or "embedded", cache=default_cache())
        audit = embed(audit, embedding, progress=progress)
        if audit.words is None or audit.embeddings is None:
            raise InvalidInput(
                "A probe needs pictures, which a text encoder can be compared with: add --images (folder, zip or tar)."
            )
        result = _run(options, made, audit.samples, audit.words, progress)
        excluded = tuple((str(i), str(r)) for i, r in zip(audit.excluded["id"], audit.excluded["reason"]))
        own = _own(
            options, audit.samples, audit.embeddings, audit.words, result, audit.notes, excluded, options.out, progress
        )
    finally:
        progress.close()
    _tell(options, own, own.probes[0], options.out)
    _tell_own(own, options)


def _words_of(diagnosis: Diagnosis, folder: Path) -> Words:
    """The samples as a text encoder sees them."""
    if diagnosis.words is None or not diagnosis.words.encoder:
        raise InvalidInput(
            f"The run in {folder} has no pictures that a text encoder saw, and a probe compares pictures with texts. "
            "Diagnose again with --images "
            "and without --no-words."
        )
    if diagnosis.samples.labels is None:
        raise InvalidInput(
            f"The samples of {folder} have no labels, so nothing tells whether a probe is right. "
            "Diagnose again from a table with a label column."
        )
    return diagnosis.words


def _run(options: Namespace, made: Probe, samples: SampleSet, words: Words, progress: TerminalProgress) -> ProbeResult:
    from core.embeddings.cache import default_cache
    from core.encoders import load_encoder
    from core.probes.base import Task
    from core.probes.run import run_probe

    encoder = load_encoder(words.encoder)
    split, notes = _split(options.split, samples)
    pool, more = _pool(options, made, words, samples, progress)
    task = Task(samples, words.joint, encoder, pool, split, options.seed, default_cache())
    if options.save_draw is not None:
        _save_draw(options.save_draw, made, task)
    seconds = made.estimate(len(samples), len(samples.class_names), 2 if split is None else len(split.folds))
    if seconds >= LONG:
        print(f"This will take about {clock(seconds)} of computing.", file=sys.stderr)
    result = run_probe(options.probe, made, task, label=options.name, progress=progress)
    return replace(result, notes=(*result.notes, *notes, *more))


def _split(wanted: str | None, samples: SampleSet) -> tuple[Split | None, tuple[str, ...]]:
    """The split that --split names, and what is to be said of it."""
    if wanted is None:
        return None, ()
    from core.probes.draws import FORMAT, read_draw
    from core.probes.split_files import apply_split, read_split
    from core.probes.splits import by_column

    if wanted == "column":
        return by_column(samples), ()
    path = Path(wanted)
    if path.suffix.lower() != ".json":
        raise InvalidInput(f'--split must be "column" or a JSON file: got {wanted!r}.')
    if path.is_file() and FORMAT in path.read_text("utf-8", errors="replace"):
        return read_draw(path, samples)[1], ()
    applied = apply_split(read_split(path), samples)
    return applied.split, applied.notes


def _save_draw(path: Path, made: Probe, task: Task) -> None:
    """Write which images teach and which are scored, as a file that --split reads."""
    from core.probes.draws import make_draw, write_draw
    from core.probes.run import in_id_order
    from core.probes.splits import VALIDATION, halves

    task = in_id_order(task)  # as the probe itself draws
    needs, labels = made.needs(), task.samples.labels
    if not needs.shots or labels is None:
        raise InvalidInput(
            "--save-draw writes which images a probe learned from, and this one learns from none. Leave it out."
        )
    split = task.split or halves(labels, task.samples.groups, task.seed)
    draw = make_draw(
        task.samples,
        split,
        needs.shots,
        min(needs.validation, VALIDATION),
        task.seed,
        fewer=bool(getattr(made, "fewer", False)),
    )
    in_folder(path)
    write_draw(path, draw)


def _pool(
    options: Namespace, made: Probe, words: Words, samples: SampleSet, progress: TerminalProgress
) -> tuple[Images | None, tuple[str, ...]]:
    """The images that --pool names, as the encoder sees them, and what is to be said of them."""
    if options.pool is None:
        return None, ()
    if not made.needs().pool:
        raise InvalidInput(
            f"The probe {options.probe} makes no support set, so it has no use for --pool. Leave it out, or use sus-x."
        )
    from core.embeddings.cache import default_cache
    from core.encoders import load_encoder
    from core.probes.few_shot.pools import read_aliases, read_pool

    names = samples.class_names
    found = read_pool(
        options.pool,
        load_encoder(words.encoder),
        names,
        samples=words.joint.vectors,
        folders=options.pool_folders,
        aliases=None if options.pool_names is None else read_aliases(options.pool_names, names),
        cache=default_cache(),
        progress=progress,
    )
    return found.images, found.notes


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
    others = tuple(p for p in diagnosis.probes if p.name != result.name)
    return replace(diagnosis, probes=(*others, result)), len(others) < len(diagnosis.probes)


def _own(
    options: Namespace,
    samples: SampleSet,
    embeddings: Embeddings,
    words: Words,
    result: ProbeResult,
    notes: tuple[str, ...],
    excluded: tuple[tuple[str, str], ...],
    folder: Path,
    progress: TerminalProgress,
) -> Diagnosis:
    """The diagnosis of the probe's own losses, written into a folder."""
    from core.discovery.settings import Settings
    from core.embeddings.cache import default_cache
    from core.probes.own_failures import diagnose_probe
    from core.reports.html.diagnosis import write_report
    from core.store import save

    settings = Settings(seed=options.seed, n_permutations=options.permutations)
    found = diagnose_probe(
        samples,
        embeddings,
        words,
        result,
        settings=settings,
        notes=notes,
        excluded=excluded,
        cache=default_cache(),
        progress=progress,
    )
    save(found, folder, progress)
    write_report(found, folder / "report.html", progress)
    return found


def _tell(options: Namespace, found: Diagnosis, result: ProbeResult, folder: Path) -> None:
    from core.checks.compare import comparison_with
    from core.reports.tables.probes import probe_document
    from core.reports.wording.probes import comparison_lines, probe_lines

    if options.json:
        print(json.dumps(probe_document(found, result), indent=1, ensure_ascii=False, allow_nan=False))
        return
    print("\n".join(probe_lines(result)))
    compared = comparison_with(found, result.name)
    if compared is not None:
        print("\n".join(comparison_lines(found, compared)))
    print(f"Report: {folder / 'report.html'}")


def _tell_own(own: Diagnosis, options: Namespace) -> None:
    """The diagnosis of the probe's own losses in a few lines; with --json on stderr, where it spoils nothing."""
    from core.reports.wording.summary import text_summary

    stream = sys.stderr if options.json else sys.stdout
    print(f"The probe's own failures:\n{text_summary(own)}", file=stream)
    if options.diagnose is not None:
        print(f"Report: {options.diagnose / 'report.html'}", file=stream)
