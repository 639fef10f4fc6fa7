"""The command `retrieve`: ranks clips for texts, and texts for clips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from core.cli.command import argument, command, option
from core.cli.options import JSON, POSITIVE
from core.cli.output import TABLES, check_suffix, in_folder, print_result, write_table
from core.cli.terminal import TerminalProgress
from core.errors import InvalidInput

if TYPE_CHECKING:
    from core.records import F32, Progress

HOW = ("joint", "aligned")
SHOWN_CLIPS = 5
"""Clips listed for each text, and texts listed as hardest to find."""
FOR_STILLS = (
    "For still images, use `python -m core ask RUN TEXT` to search a run, or `python -m core compose run FILE` to "
    "score images against captions."
)


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """Readable clips, texts, and their scores."""

    names: list[str]
    """(m,) names of the clips."""
    texts: list[str]
    clip_of_text: list[int] | None
    """(n,) index of each text's clip; None where the file does not name clips."""
    scores: F32
    """(n, m)."""
    notes: list[str]
    best_second: Callable[[int, int], float] | None = None
    """From indices of a text and a clip to the second of their best match; None for a UniVL."""


@command(note="What the figures mean, and what a UniVL is: docs/clips.md.")
@argument("clips", "CLIPS", "folder, zip or tar of clips; with --features a table with video_id and feature_file")
@option("--texts FILE", "table with columns file and caption; or .txt, one text per line")
@option("--encoder NAME", "image encoder; averages the frames' vectors (default: embedded)")
@option("--univl PATH", "UniVL to use in place of an encoder: folder or released checkpoint; 'shipped' names Errata's")
@option("--features DIR", "folder of the clips' features as .npy files, for --univl")
@option(
    "--how NAME",
    "how a UniVL scores: by a vector of each (joint), or each pair together (default: aligned)",
    type=click.Choice(HOW),
)
@option("--most N", "clips to list for each text of a .txt (default: 5)", **POSITIVE)
@option("--out FILE", "file for every text's rank: .csv, .parquet or .json")
@JSON
def retrieve(
    clips: Path,
    texts: Path,
    encoder: str = "embedded",
    univl: Path | None = None,
    features: Path | None = None,
    how: str = "aligned",
    most: int = SHOWN_CLIPS,
    out: Path | None = None,
    as_json: bool = False,
) -> None:
    """Find the clips of texts, and the texts of clips.

    With a table of clips and captions, Errata reports how often the match ranks among the first 1, 5 and 10, with
    intervals, and each text's rank. With texts alone, it lists the clips most like each text.
    """
    if out is not None:
        check_suffix(out, *TABLES)
        in_folder(out)
    if features is not None and univl is None:
        raise InvalidInput("--features needs a UniVL. Add --univl.")
    with TerminalProgress() as progress:
        if univl is not None:
            scored = _with_univl(clips, texts, univl, features, how, progress)
        else:
            scored = _with_encoder(clips, texts, encoder, progress)
    document = _document(scored, most, out)
    print_result(document, _lines(document), out, as_json=as_json)


def _with_encoder(clips: Path, texts: Path, encoder: str, progress: Progress) -> _Scored:
    from core.data.clips.decoding import STILL
    from core.data.images.archives import open_images
    from core.embeddings.embed import read_images
    from core.embeddings.frame_curve import frame_vectors
    from core.embeddings.texts import encode_texts
    from core.encoders import load_encoder
    from core.encoders.clips import ClipEncoder
    from core.files import default_cache
    from core.limits import Limits
    from core.systems.univl.clip_texts import clip_rows, read_clip_texts

    store = open_images(clips, Limits(), progress)
    written, row_of_text = read_clip_texts(texts, store, progress=progress)
    name = "clips"
    if encoder != "embedded":
        name = f"clips:{encoder.removeprefix('clips:')}"
    loaded = cast(ClipEncoder, load_encoder(name))
    rows = clip_rows(store.names)
    try:
        seen = read_images(store.keep(rows), loaded, modality="clip", cache=default_cache(), progress=progress)
    except InvalidInput as error:
        if STILL not in str(error):
            raise
        raise InvalidInput(f"{error} {FOR_STILLS}") from error
    readable = rows[seen.kept].tolist()
    matched, clip_of_text, notes = _readable_texts(written, row_of_text, readable, list(seen.unreadable.values()))
    names = [store.name(row) for row in readable]

    def best_second(text: int, clip: int) -> float:
        frames = frame_vectors(store, readable[clip], loaded)
        cosines = loaded.encode_texts(matched[text : text + 1]) @ frames.joint.T
        return float(frames.seconds[int(cosines[0].argmax())])

    vectors = encode_texts(loaded, matched, default_cache(), progress=progress)
    scores = vectors @ seen.joint.vectors.T
    return _Scored(names, matched, clip_of_text, scores, notes, best_second)


def _with_univl(clips: Path, texts: Path, univl: Path, features: Path | None, how: str, progress: Progress) -> _Scored:
    from core.data.images.archives import open_images
    from core.limits import Limits
    from core.systems.univl.clip_texts import clip_rows, read_clip_texts
    from core.systems.univl.feature_tables import read_feature_table
    from core.systems.univl.frame_features import read_frame_features
    from core.systems.univl.use import score_texts
    from core.systems.univl.weights import FOLDER, read_univl

    model = read_univl(FOLDER if str(univl) == "shipped" else univl)
    if features is not None:
        table = read_feature_table(clips, features, progress=progress)
        written, row_of_text = read_clip_texts(texts, table.names, progress=progress)
        names = list(table.names)
        rows = list(range(len(table.names)))
        clip_features = table.clips
        unreadable = list[str]()
        table_notes = table.notes
    else:
        store = open_images(clips, Limits(), progress)
        written, row_of_text = read_clip_texts(texts, store, progress=progress)
        files = clip_rows(store.names)
        seen = read_frame_features(store.keep(files), progress)
        rows = files[seen.rows].tolist()
        clip_features = seen.clips
        unreadable = list(seen.unreadable.values())
        names = [store.name(row) for row in rows]
        table_notes = ()
    matched, clip_of_text, notes = _readable_texts(written, row_of_text, rows, unreadable)
    notes += table_notes
    n_unknown = sum(model.words.unknown(text) for text in matched)
    if n_unknown:
        notes.append(f"{n_unknown:,} of {len(matched):,} texts contain words that this UniVL does not know.")
    scores = score_texts(model, matched, clip_features, aligned=how == "aligned", progress=progress)
    return _Scored(names, matched, clip_of_text, scores, notes)


def _readable_texts(
    texts: list[str], row_of_text: list[int] | None, rows: list[int], unreadable: list[str]
) -> tuple[list[str], list[int] | None, list[str]]:
    """The texts of readable clips, each clip's index among `rows`, and notes.

    Args:
        rows: the readable clips.
        unreadable: why the others could not be read.
    """
    from core.numbers import count

    notes = list[str]()
    if unreadable:
        notes.append(f"{count(len(unreadable), 'clip')} could not be read. The first: {unreadable[0]}")
    if row_of_text is None:
        return texts, None, notes
    index = {row: k for k, row in enumerate(rows)}
    matched = list[str]()
    clip_of_text = list[int]()
    for text, row in zip(texts, row_of_text, strict=True):
        if row in index:
            matched.append(text)
            clip_of_text.append(index[row])
    if not matched:
        raise InvalidInput(" ".join(["No clip with a text could be read. Check the clips.", *notes]))
    return matched, clip_of_text, notes


def _document(scored: _Scored, most: int, out: Path | None) -> dict[str, Any]:
    """Make the document of --json, and write its table to `out`."""
    import numpy as np
    import pandas as pd

    from core.systems.univl.retrieval import best_items, rank_items

    head: dict[str, Any] = {"clips": len(scored.names), "texts": len(scored.texts), "notes": scored.notes}
    rows = list[dict[str, Any]]()
    if scored.clip_of_text is None:
        for text, clips in enumerate(best_items(scored.scores, most).tolist()):
            for k, clip in enumerate(clips):
                row = {"text": scored.texts[text], "place": k + 1, "clip": scored.names[clip]}
                row["score"] = float(scored.scores[text, clip])
                if scored.best_second is not None:
                    row["second"] = round(scored.best_second(text, clip), 2)
                rows.append(row)
        if out is not None:
            write_table(pd.DataFrame(rows), out)
        return head | {"best": rows}
    ranking = rank_items(scored.scores, scored.texts, np.array(scored.clip_of_text, np.int64))
    nearest = ranking.nearest.tolist()
    for text, rank in enumerate(ranking.ranks.tolist()):
        clip = scored.names[scored.clip_of_text[text]]
        rows.append({"clip": clip, "text": scored.texts[text], "place": rank, "first": scored.names[nearest[text]]})
    if out is not None:
        write_table(pd.DataFrame(rows), out)
    return head | {
        "median_place": ranking.median_rank,
        "texts_find_clips": {str(k): share.to_dict() for k, share in ranking.recall.items()},
        "clips_find_texts": {str(k): share.to_dict() for k, share in ranking.item_recall.items()},
        "places": rows,
    }


def _lines(document: dict[str, Any]) -> list[str]:
    from core.numbers import count, number, percent, with_interval
    from core.records import Estimate

    lines = [f"{count(document['texts'], 'text')} and {count(document['clips'], 'clip')}.", *document["notes"]]
    if "best" in document:
        for row in document["best"]:
            if row["place"] == 1:
                lines.append(f"{row['text']}:")
            best = ""
            if "second" in row:
                best = f", best at {number(row['second'], 1)} s"
            lines.append(f"  {row['clip']} ({number(row['score'], 3)}{best})")
        return lines
    for name, subject, searched in (
        ("texts_find_clips", "A text's clip", "clips"),
        ("clips_find_texts", "A clip's text", "texts"),
    ):
        for k, e in document[name].items():
            share = with_interval(Estimate(**e), share=True)
            chance = percent(int(k) / document[searched])
            lines.append(f"{subject} ranks among the first {k}: {share}; {chance} by chance")
    lines.append(f"Median rank of a text's clip: {number(document['median_place'])} of {document['clips']:,}")
    lines.append("Hardest to find:")
    for row in sorted(document["places"], key=lambda row: -row["place"])[:SHOWN_CLIPS]:
        lines.append(f"  {row['clip']}, rank {row['place']:,}: {row['text']}")
    return lines
