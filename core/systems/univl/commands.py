"""The command `retrieve`: do texts find their clips, and which clips look like a text?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from core.cli.command import argument, command, option
from core.cli.options import JSON, POSITIVE
from core.cli.output import TABLES, check_suffix, in_folder, print_json, write_table
from core.cli.terminal import TerminalProgress, say
from core.errors import InvalidInput

if TYPE_CHECKING:
    from core.records import F32, Progress

HOW = ("joint", "aligned")
SHOWN = 5
FOR_STILLS = (
    "Still images are retrieved elsewhere: `python -m core ask RUN TEXT` names those of a run that look most like a "
    "text, and `python -m core compose run FILE` scores images against captions."
)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """Clips that could be read, texts, and their scores."""

    names: list[str]
    """Of the m clips."""
    texts: list[str]
    of: list[int] | None
    """Each text's clip; None where nobody said."""
    scores: F32
    """(n, m)."""
    notes: list[str]
    seconds: Callable[[int, int], float] | None = None
    """At which second a clip looks most like a text, of both places; None of a UniVL."""


@command(note="What the figures mean, and what a UniVL is: docs/clips.md.")
@argument("clips", "CLIPS", "folder, zip or tar of clips; or with --features a table with video_id and feature_file")
@option("--texts FILE", "a table with columns file and caption, each clip's own; or .txt, a text a line")
@option("--encoder NAME", "of images: frames' vectors are averaged (default embedded)")
@option(
    "--univl PATH", "a UniVL in place of it, folder or released checkpoint; 'shipped' names the one that comes along"
)
@option("--features DIR", "the clips' features as .npy files, for --univl")
@option(
    "--how NAME",
    "of a UniVL: vectors of each (joint), or every pair together (aligned, default)",
    type=click.Choice(HOW),
)
@option("--most N", "clips that are named for each text of a .txt (default 5)", **POSITIVE)
@option("--out FILE", "write every text's place there, as .csv, .parquet or .json")
@JSON
def retrieve(
    clips: Path,
    texts: Path,
    encoder: str = "embedded",
    univl: Path | None = None,
    features: Path | None = None,
    how: str = "aligned",
    most: int = SHOWN,
    out: Path | None = None,
    as_json: bool = False,
) -> None:
    """Let texts look for their clips, and clips for their texts.

    Where the file says which clip each text is of: how often it is found among the first 1, 5 and 10, with intervals,
    and at which place each stands. Else: the clips that look most like each text.
    """
    if out is not None:
        check_suffix(out, *TABLES)
        in_folder(out)
    if features is not None and univl is None:
        raise InvalidInput("--features are those of a UniVL: name it with --univl.")
    with TerminalProgress() as progress:
        asked = _with_univl(clips, texts, univl, features, how, progress) if univl is not None else None
        asked = asked or _with_encoder(clips, texts, encoder, progress)
    document = _found(asked, most, out)
    if as_json:
        print_json(document)
        return
    say("\n".join(_lines(document)))
    if out is not None:
        say(f"Written: {out}")


def _with_encoder(clips: Path, texts: Path, encoder: str, progress: Progress) -> _Asked:
    from core.data.clips.decoding import STILL
    from core.data.images.archives import open_images
    from core.embeddings.embed import read_images
    from core.embeddings.frame_curve import when_like
    from core.embeddings.texts import encode_texts
    from core.encoders import load_encoder
    from core.encoders.clips import ClipEncoder
    from core.files import default_cache
    from core.limits import Limits
    from core.systems.univl.clip_texts import clip_rows, read_clip_texts

    store = open_images(clips, Limits(), progress)
    said, of = read_clip_texts(texts, store, progress=progress)
    loaded = load_encoder("clips" if encoder == "embedded" else f"clips:{encoder.removeprefix('clips:')}")
    rows = clip_rows(store.names)
    try:
        seen = read_images(store.keep(rows), loaded, modality="clip", cache=default_cache(), progress=progress)
    except InvalidInput as error:
        if STILL not in str(error):
            raise
        raise InvalidInput(f"{error} {FOR_STILLS}") from error
    readable = rows[seen.kept].tolist()
    kept = _kept(said, of, readable, list(seen.unreadable.values()))
    names = [store.name(row) for row in readable]

    def second(text: int, clip: int) -> float:
        return when_like(store, readable[clip], cast(ClipEncoder, loaded), kept[0][text : text + 1]).best(0)

    vectors = encode_texts(loaded, kept[0], default_cache(), progress=progress)
    scores = vectors @ seen.joint.vectors.T
    return _Asked(names, kept[0], kept[1], scores, kept[2], second)


def _with_univl(clips: Path, texts: Path, univl: Path, features: Path | None, how: str, progress: Progress) -> _Asked:
    from core.data.images.archives import open_images
    from core.limits import Limits
    from core.systems.univl.clip_texts import clip_rows, read_clip_texts
    from core.systems.univl.feature_tables import read_feature_table
    from core.systems.univl.frame_features import read_frame_features
    from core.systems.univl.use import score_texts
    from core.systems.univl.weights import FOLDER, read_univl

    found = read_univl(FOLDER if str(univl) == "shipped" else univl)
    notes = list[str]()
    if features is not None:
        table = read_feature_table(clips, features, progress=progress)
        said, of = read_clip_texts(texts, table.names, progress=progress)
        names = list(table.names)
        rows = list(range(len(table.names)))
        shown = table.clips
        unreadable = list[str]()
        notes += table.notes
    else:
        store = open_images(clips, Limits(), progress)
        said, of = read_clip_texts(texts, store, progress=progress)
        files = clip_rows(store.names)
        seen = read_frame_features(store.keep(files), progress)
        rows = files[seen.kept].tolist()
        shown = seen.clips
        unreadable = list(seen.unreadable.values())
        names = [store.name(row) for row in rows]
    kept = _kept(said, of, rows, unreadable)
    if n := sum(found.words.unknown(text) for text in kept[0]):
        notes.append(f"{n:,} of {len(kept[0]):,} texts hold words that this UniVL does not know.")
    scores = score_texts(found, kept[0], shown, aligned=how == "aligned", progress=progress)
    return _Asked(names, kept[0], kept[1], scores, [*kept[2], *notes])


def _kept(
    texts: list[str], of: list[int] | None, rows: list[int], unreadable: list[str]
) -> tuple[list[str], list[int] | None, list[str]]:
    """Texts whose clip could be read, with the clip's place among those; and what is to be said."""
    from core.numbers import count

    notes = [f"{count(len(unreadable), 'clip')} could not be read. The first: {unreadable[0]}"] if unreadable else []
    if of is None:
        return texts, None, notes
    place = {row: k for k, row in enumerate(rows)}
    kept = [(text, place[row]) for text, row in zip(texts, of, strict=True) if row in place]
    if not kept:
        raise InvalidInput(f"No clip that a text is of could be read. {notes[0] if notes else ''}".strip())
    return [text for text, _ in kept], [row for _, row in kept], notes


def _found(asked: _Asked, most: int, out: Path | None) -> dict[str, Any]:
    import numpy as np
    import pandas as pd

    from core.systems.univl.retrieval import best_items, retrieve_own

    head: dict[str, Any] = {"clips": len(asked.names), "texts": len(asked.texts), "notes": asked.notes}
    if asked.of is None:
        best = best_items(asked.scores, most).tolist()
        rows = [
            {
                "text": text,
                "place": k + 1,
                "clip": asked.names[at],
                "score": float(asked.scores[row, at]),
                **({} if asked.seconds is None else {"second": round(asked.seconds(row, at), 2)}),
            }
            for row, (text, places) in enumerate(zip(asked.texts, best, strict=True))
            for k, at in enumerate(places)
        ]
        if out is not None:
            write_table(pd.DataFrame(rows), out)
        return head | {"best": rows}
    found = retrieve_own(asked.scores, asked.texts, np.array(asked.of, np.int64))
    rows = [
        {"clip": asked.names[own], "text": text, "place": rank, "first": asked.names[near]}
        for own, text, rank, near in zip(
            asked.of, asked.texts, found.ranks.tolist(), found.nearest.tolist(), strict=True
        )
    ]
    if out is not None:
        write_table(pd.DataFrame(rows), out)
    figures = {
        name: {str(k): share.to_dict() for k, share in recall.items()}
        for name, recall in (("texts_find_clips", found.recall), ("clips_find_texts", found.item_recall))
    }
    return head | {"median_place": found.median_rank, **figures, "places": rows}


def _lines(document: dict[str, Any]) -> list[str]:
    from core.numbers import count, number, percent, with_interval
    from core.records import Estimate

    lines = [f"{count(document['texts'], 'text')} and {count(document['clips'], 'clip')}.", *document["notes"]]
    if "best" in document:
        for row in document["best"]:
            if row["place"] == 1:
                lines.append(f"{row['text']}:")
            when = f", most at {number(row['second'], 1)} s" if "second" in row else ""
            lines.append(f"  {row['clip']} ({number(row['score'], 3)}{when})")
        return lines
    for name, said in (("texts_find_clips", "A text's clip"), ("clips_find_texts", "A clip's text")):
        n = document["clips" if name == "texts_find_clips" else "texts"]
        for k, e in document[name].items():
            found = with_interval(Estimate(**e), share=True)
            lines.append(f"{said} is among the first {k}: {found}; {percent(int(k) / n)} by chance")
    lines.append(f"Median place of a text's clip: {number(document['median_place'])} of {document['clips']:,}")
    worst = sorted(document["places"], key=lambda row: -row["place"])[:SHOWN]
    lines += ["Hardest to find:", *(f"  {row['clip']} at {row['place']:,}: {row['text']}" for row in worst)]
    return lines
