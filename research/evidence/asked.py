"""Free questions: does any hold by luck against somebody who asks everything, and are true ones confirmed?

    # nothing planted, and somebody who asks thousands of texts
    python -m research.evidence.asked --null --seeds 1000 1200 --out asked.jsonl
    # pictures of one class made to fail by an edit, and a question that says the edit in other words
    python -m research.evidence.asked DATA --seeds 1000 1001 --out asked.jsonl
    python -m research.evidence.asked --show asked.jsonl

The adversary asks every phrase of the vocabulary, random sums of two and of three phrases, and phrases blurred by a
random direction, of all samples and of each class, and keeps the best. DATA holds clothing/; 30 of a class's 100
pictures are edited; of those 70 % are wrong and of all others 25 %, or the shares of `--wrong`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from core.checks.questions import CLOSE, Answer, QuestionReader, ask
from core.data.samples import DataSet
from core.diagnose import diagnose_data_set
from core.discovery.method import diagnose_arrays
from core.discovery.settings import EmbeddingSettings, Settings
from core.encoders.arithmetic import unit
from core.records import F32, F64, Outcomes, SampleSet
from research.evidence.lines import append_line, clopper_pearson, keys_done, mean_over, read_lines, seeds_parser, show
from research.evidence.name_edits import EDITS
from research.evidence.names import Photographs, encoded_picture, square_picture
from research.scoreboard.planted_embeddings import plant_embeddings, plant_words

EDITED = 30
QUESTIONS = {
    "blur": "a blurry {}",
    "dark": "a {} in poor light",
    "grey": "a black and white photo of a {}",
    "noise": "a grainy picture of a {}",
    "upside down": "an upside-down {}",
    "fog": "a {} on a foggy day",
    "snowfall": "a {} while it is snowing",
}
"""Each edit of `name_edits.py` in words that are not the vocabulary's."""


def on_null(seed: int, n: int = 800, permutations: int = 199) -> dict[str, Any]:
    """The least p of everything that is asked where nothing is planted, and how many questions were tested."""
    audit, _ = plant_embeddings("null", seed=seed, n=n, dimensions=128, n_attributes=8)
    words = plant_words(audit, n_phrases=100)
    found = diagnose_arrays(
        audit.embeddings.vectors,
        audit.losses,
        labels=audit.labels,
        errors=audit.errors,
        words=words,
        settings=Settings(seed=seed, map=False, n_permutations=permutations, n_members=2),
    )
    reader = QuestionReader(found, words)
    texts = list(_texts(words.directions, np.random.default_rng([seed, 9])))
    near = [text for text in texts if (words.directions @ text).max() >= CLOSE]  # the others have no p
    answers = [reader.answer("", direction, label) for direction in near for label in (None, 0, 1)]
    p = [a.p for a in answers if a.p is not None]
    rate = float(audit.errors.mean())
    best = max((a for a in answers if a.p is not None), key=lambda a: a.error_rate.low)  # type: ignore[union-attr]
    held = best.error_rate is not None and best.error_rate.low <= chance_of(best, np.full(n, 1 - 0.92))
    return {
        "kind": "null", "seed": seed, "asked": 3 * len(texts), "tested": len(p), "least": min(p), "rate": rate,
        "any": any(a.confirmed for a in answers), "held": held,
    }  # fmt: skip


def _texts(phrases: F32, rng: np.random.Generator) -> Iterator[F32]:
    """Directions that somebody may ask for: the phrases, sums of two and of three, and phrases half lost in noise."""
    yield from phrases
    for of in (2, 3):
        for _ in range(300):
            yield unit(phrases[rng.permutation(len(phrases))[:of]].sum(0)[None])[0]
    for phrase in phrases:
        yield unit((phrase + unit(rng.normal(size=(1, len(phrase))).astype(np.float32))[0])[None])[0]


def chance_of(answer: Answer, chance: F64) -> float:
    """The mean chance of an error among the rows that are shown."""
    return float(chance[answer.rows].mean())


def on_photographs(
    data: Path, edit: str, name: str, seed: int, wrong: tuple[float, float], cache: Path | None, permutations: int
) -> dict[str, Any]:
    """A question about edited pictures of one class: what is shown, its p, and whether its interval holds."""
    table = pd.read_csv(data / "clothing" / "index.csv")
    rng = np.random.default_rng([seed, zlib.crc32(f"{edit} {name}".encode())])
    own = np.flatnonzero(table["class_name"] == name)
    planted = np.isin(np.arange(len(table)), rng.permutation(own)[:EDITED])
    payloads = tuple(
        encoded_picture(EDITS[edit](square_picture(payload), rng)) if inside else payload
        for payload, inside in zip(_payloads(data), planted)
    )
    ids, names = tuple(f"{i:04d}" for i in range(len(table))), tuple(sorted(set(table["class_name"])))
    labels = np.array([names.index(n) for n in table["class_name"]], np.int64)
    chance = np.where(planted, *wrong)
    errors = rng.random(len(table)) < chance
    losses = np.where(errors, rng.uniform(0.8, 3, len(table)), rng.uniform(0.01, 0.6, len(table)))
    samples = SampleSet(ids, labels=labels, class_names=names, items=Photographs(ids, payloads), name="clothing")
    outcomes = Outcomes(losses, "cross-entropy", "nats", "planted", errors=errors)
    settings = Settings(map=False, n_permutations=permutations, n_members=4, seed=seed)
    found = diagnose_data_set(
        DataSet(samples, outcomes, None, (), ()), EmbeddingSettings(cache=cache), settings=settings
    )
    answer = ask(found, [QUESTIONS[edit].format(name)], cache=cache)[0]
    row: dict[str, Any] = {
        "kind": "photographs",
        "edit": edit,
        "class": name,
        "seed": seed,
        "wrong": wrong[0],
        "text": answer.text,
    }
    if not answer.shown or answer.error_rate is None:
        return row | {"shown": False}
    return row | {
        "shown": True,
        "scope": answer.scope,
        "through": answer.through,
        "share": float(planted[answer.rows].mean()),
        "p": answer.p,
        "confirmed": answer.confirmed,
        "rate": answer.error_rate.value,
        "rest": answer.error_rest,
        "held": bool(answer.error_rate.low <= chance_of(answer, chance) <= answer.error_rate.high),
        "phrases": sum(i.confirmed and i.kind == "phrase" and i.scope == name for i in found.insights),
    }


@cache
def _payloads(data: Path) -> tuple[bytes, ...]:
    """The pictures as they are, squares of 224 pixels as JPEG."""
    files = pd.read_csv(data / "clothing" / "index.csv")["file"]
    return tuple(encoded_picture(square_picture(data / "clothing" / file)) for file in files)


def table_of(rows: list[dict[str, Any]]) -> str:
    """What docs/evidence/asked.md shows."""
    lines = list[str]()
    null = [r for r in rows if r["kind"] == "null"]
    if null:
        hits, held = (sum(r[what] for r in null) for what in ("any", "held"))
        asked = sum(r["asked"] for r in null)
        lines += [
            f"null: {len(null)} runs, {asked:,} questions, {sum(r['tested'] for r in null):,} tested; "
            f"any confirmed {show(clopper_pearson(hits, len(null)), 3)}; the interval of the highest lower bound "
            f"holds {show(clopper_pearson(held, len(null)), 3)}"
        ]
    shown = [r for r in rows if r["kind"] == "photographs" and r["shown"]]
    for wrong in sorted({r["wrong"] for r in shown}):
        own = [r for r in shown if r["wrong"] == wrong]
        parts = (f"{wrong:.0%} wrong", own), ("at least 75 % planted", [r for r in own if r["share"] >= 0.75])
        for what, some in ((what, some) for what, some in parts if some):
            n = len(some)
            share = show(mean_over([r["share"] for r in some]))
            confirmed, held, through, family = (
                sum(bool(r[key]) for r in some) for key in ("confirmed", "held", "through", "phrases")
            )
            lines += [
                f"photographs, {what}: {n} questions, through a phrase {through}, confirmed "
                f"{show(clopper_pearson(confirmed, n))}, a phrase of the class confirmed by the run {family}, interval "
                f"holds {show(clopper_pearson(held, n), 3)}, planted share {share}"
            ]
    return "\n".join(lines)


def main() -> None:
    parser = seeds_parser(__doc__, (1000, 1001))
    parser.add_argument("data", type=Path, nargs="?", metavar="DATA")
    parser.add_argument("--wrong", type=float, nargs=2, default=(0.7, 0.25), metavar=("INSIDE", "OUTSIDE"))
    parser.add_argument("--permutations", type=int, default=999)
    parser.add_argument("--cache", type=Path, help="folder where vectors are kept")
    options = parser.parse_args()
    if options.show:
        print(table_of(read_lines(options.show)))
        return
    done = keys_done(read_lines(options.out), ("kind", "seed"))
    for seed in range(*options.seeds):
        with threadpool_limits(1):
            if options.null:
                if ("null", seed) not in done:
                    append_line(options.out, on_null(seed))
                continue
            names = sorted(set(pd.read_csv(options.data / "clothing" / "index.csv")["class_name"]))
            before = [r for r in read_lines(options.out) if r["kind"] == "photographs"]
            known = keys_done(before, ("edit", "class", "seed", "wrong"))
            for edit in QUESTIONS:
                for name in names:
                    if (edit, name, seed, options.wrong[0]) not in known:
                        row = on_photographs(
                            options.data, edit, name, seed, tuple(options.wrong), options.cache, options.permutations
                        )
                        append_line(options.out, row)


if __name__ == "__main__":
    main()
