"""`run.probe("zero-shot")`: a probe on a run from Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.files import default_cache
from core.records import Progress, no_progress
from core.results import Result
from core.run import Run, answering
from core.systems.probes import PROBES
from core.systems.probes.base import Task, words_of
from core.systems.probes.records import with_result
from core.systems.probes.run import run_probe
from core.systems.probes.section import probe_section


@answering
def probe(
    run: Run,
    name: str = "zero-shot",
    *,
    label: str = "",
    seed: int = 0,
    cache: str | Path | None = None,
    progress: Progress = no_progress,
    **settings: Any,
) -> Result:
    """Test whether a model that never saw your training set fails on the samples of a run too.

    Args:
        run: with labels and words.
        name: of a probe: "zero-shot", "label-desc", "sus-x", "lp++", "tip-adapter", "linear-probe", "coop", "cocoop".
        label: name of the result in the run; by default the probe's, with its shots.
        seed: of the rows that are drawn and of the training.
        cache: folder for embeddings between runs.
        progress: called as progress(step, done, total); may raise `Cancelled`.
        settings: of the probe, such as shots=16; `errata probe NAME --help` lists them.

    Returns:
        Its section, with the fields of `ProbeResult`; `Result.run` holds it.

    Raises:
        InvalidInput: there is no such probe or setting, or the run has no labels or words.
    """
    made = PROBES.make(str(name), settings)
    words = words_of(run)
    from core.encoders import load_encoder

    task = Task(run.samples, words.joint, load_encoder(words.encoder), None, None, seed, Path(cache or default_cache()))
    result = run_probe(name, made, task, label=label, progress=progress)
    after = Run.of(with_result(run, result)[0])
    return Result(after, probe_section(after, result), result)
