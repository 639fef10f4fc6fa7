"""The command `tag`: what samples carry, by its description alone."""

from __future__ import annotations

from pathlib import Path

from core.cli.command import argument, command, option
from core.cli.options import JSON, POSITIVE, RUN, SEED
from core.cli.output import check_suffix, in_folder, print_json, write_table
from core.cli.terminal import TerminalProgress, say


@command(note="What a tag is, and what its p covers: docs/label_descriptions.md.")
@argument("run", "DIR", RUN)
@option(
    "--names WHAT",
    "names with commas between, a .json, .tsv or .txt file of tags with what is said of each, or failure-causes",
)
@option("--patterns FILE", "wordings beside the descriptions: a prompts.tsv, or lines that hold <mask> (default: 14)")
@option("--out FILE", "write the tags there: .json with all wordings, .csv or .parquet")
@option("--samples FILE", "write each sample with its tags and scores there: .csv, .parquet or .json", to="each")
@option("--all", "list every tag, not just the twelve strongest", to="every")
@option("--permutations N", "shuffles behind each p (default 5000)", **POSITIVE)
@SEED
@JSON
def tag(
    run: Path,
    names: str,
    patterns: str = "",
    out: Path | None = None,
    each: Path | None = None,
    every: bool = False,
    permutations: int = 5000,
    seed: int = 0,
    as_json: bool = False,
) -> None:
    """Which tags do the failures carry, by their description alone?

    Every sample of a finished run is tagged, texts and pictures alike; no example and no label of a tag is needed.
    """
    for path in (out, each):
        if path is not None:
            check_suffix(path, option="--out" if path is out else "--samples")
            in_folder(path)
    from core.checks.tags import tag_samples
    from core.embeddings.cache import default_cache
    from core.language.label_descriptions import read_patterns
    from core.language.tags import read_tags
    from core.reports.tables.tags import samples_table, tags_document, tags_table
    from core.reports.wording.tags import SHOWN, tag_lines
    from core.store import load

    diagnosis = load(run)
    tags = read_tags(names, diagnosis.samples.modality)
    wordings = read_patterns(patterns) if patterns else ()
    with TerminalProgress() as progress:
        found = tag_samples(
            diagnosis,
            tags,
            patterns=wordings,
            n_permutations=permutations,
            seed=seed,
            cache=default_cache(),
            progress=progress,
        )
    document = tags_document(diagnosis, found)
    if out is not None and out.suffix.lower() == ".json":
        from core.files import write_json

        write_json(out, document)
    elif out is not None:
        write_table(tags_table(found), out)
    if each is not None:
        write_table(samples_table(diagnosis, found), each)
    if as_json:
        print_json(document)
        return
    say("\n".join(tag_lines(diagnosis, found, len(found.tags) if every else SHOWN)))
    for path in (out, each):
        if path is not None:
            say(f"Written: {path}")
